"""Chooses loopback ports below those of outgoing connections, so that a stopped server's stays free."""

from __future__ import annotations

import random
import socket
from dataclasses import fields

from cockpit.sandbox.layout import Ports

LOWEST, HIGHEST = 12_000, 31_999
"""Linux hands out 32768-60999 to outgoing connections."""


def choose_ports() -> Ports:
    """Free ports, random so that sandboxes that start together rarely meet."""
    chosen: list[int] = []
    source = random.SystemRandom()
    while len(chosen) < len(fields(Ports)):
        port = source.randint(LOWEST, HIGHEST)
        if port not in chosen and is_free(port):
            chosen.append(port)
    return Ports(*chosen)


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
