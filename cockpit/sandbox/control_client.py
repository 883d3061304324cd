"""Talks to a sandbox's control socket: one question, one answer; standard library only."""

from __future__ import annotations

import json
import socket
from typing import Any

from cockpit.errors import SandboxError
from cockpit.sandbox.layout import Layout

TIMEOUT_S = 30.0
"""Some faults take seconds to apply: a server is filled, a dump restored."""


def ask(layout: Layout, do: str, **arguments: object) -> dict[str, Any]:
    """Send one command and return its answer.

    Raises:
        SandboxError: the sandbox is not there, does not answer, or says no.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(TIMEOUT_S)
            sock.connect(str(layout.control_socket))
            sock.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with sock.makefile("rb") as lines:
                answer = json.loads(lines.readline() or b"{}")
    except (OSError, ValueError) as error:
        raise SandboxError(f"the sandbox in {layout.folder} does not answer: {error}") from error
    if not isinstance(answer, dict) or not answer:
        raise SandboxError(f"the sandbox in {layout.folder} went away")
    if "error" in answer:
        raise SandboxError(str(answer["error"]))
    return answer
