"""Starts a worker that outlives the cockpit: its own session, no terminal, no descriptor but its lock and its log."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from msgspec import to_builtins

from cockpit.config import Settings
from cockpit.errors import JournalError
from cockpit.jobs.scope import scope
from cockpit.storage.disk import reason
from cockpit.storage.jobs import Claim

SETTINGS = "settings.json"
WORKER = "cockpit.jobs.worker"
LOG = "worker.log"
_NOT_IN_YAML = re.compile("[^\t\n -~\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""JSON may hold it as it is; who reads the configuration may read YAML."""


def settings_text(settings: Settings) -> str:
    """The configuration as a worker reads it.

    >>> '"site":"a"' in settings_text(Settings(site="a", root=Path("/"))).replace(" ", "")
    True
    """
    text = json.dumps(to_builtins(settings, enc_hook=str), indent=1, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def worker_command(folder: Path, systemd: str) -> list[str]:
    """-P: the working directory, which anybody may write to, is not a place to import from."""
    return [*scope(systemd), sys.executable, "-P", "-m", WORKER, str(folder), str(folder / SETTINGS)]


def launch(folder: Path, claim: Claim, systemd: str) -> subprocess.Popen[bytes]:
    """Hand the job over: the worker holds the lock from its first moment, we let go of it.

    Raises:
        JournalError: it could not be started.
    """
    command = worker_command(folder, systemd)
    try:
        log = os.open(
            folder / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            worker = subprocess.Popen(
                command, stdin=claim.descriptor, stdout=log, stderr=log, start_new_session=True, close_fds=True
            )
        finally:
            os.close(log)
    except OSError as error:
        raise JournalError(f"the worker cannot be started: {reason(error)}") from error
    claim.release()
    return worker
