"""What a short program prints: without our terminal, and with nothing of it left running when its time is over."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress


def captured(
    command: Sequence[str], timeout_s: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Its exit code and what it printed; blocks. What it leaves behind when it ends in time, such as an agent, stays.

    Raises:
        OSError: it cannot be run.
        ValueError: the command is none.
        TimeoutExpired: it took longer than `timeout_s`; it was killed with everything that it started.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    with process:
        try:
            said, wrong = process.communicate(timeout=timeout_s)
        except BaseException:
            # Not only the program itself: a script's children would go on, unseen. None is left where it has ended.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, said, wrong)
