"""Runs a program of the platform: no shell, no terminal, a deadline; its output goes on as it comes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import Refused
from cockpit.text import clean

PIECE_BYTES = 1 << 16
LAST_BYTES = 2000
"""What is kept of the output to say how it ended."""
TERM_S = 5.0
"""From SIGTERM to SIGKILL."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    """Its exit code, or minus the signal that ended it."""
    last_line: str
    is_late: bool
    """Whether it was ended because its time was over."""
    is_stopped: bool = False
    """Whether it was ended because somebody wanted it."""


async def run_program(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    take: Callable[[bytes], bytes | None],
    timeout_s: float,
    keep_open: Sequence[int] = (),
    stop: asyncio.Event | None = None,
) -> Ended:
    """Run it to its end, to that of its time, or until `stop`; `take` is given every piece of stdout and stderr.

    What `take` gives back may be shown: of that, and of nothing else, is the last line that is told of its end.

    Raises:
        Refused: it cannot be started.
    """
    process, transport = await _started(command, folder, environment, keep_open)
    tail = bytearray()
    is_late = is_stopped = False
    reading = asyncio.ensure_future(_read(process, take, tail))
    stopping = asyncio.ensure_future((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait({reading, stopping}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            # One that has ended is not late: what it left running holds its output, and is ended with it.
            is_stopped = stopping.done()
            is_late = not is_stopped and process.returncode is None
            await _end(process, reading)
        if not reading.cancelled():
            reading.result()
    finally:
        # Whatever became of us, nothing of it goes on unseen, its children neither.
        _signal(process.pid, signal.SIGKILL)
        stopping.cancel()
        reading.cancel()
        if process.returncode is not None:
            # The pipe stays open otherwise for as long as one that left its group holds the other end.
            transport.close()
    return Ended(process.returncode or 0, _last_line(tail), is_late, is_stopped)


async def _started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], keep_open: Sequence[int]
) -> tuple[asyncio.subprocess.Process, asyncio.SubprocessTransport]:
    """As asyncio starts it, which gives away no transport to close."""
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.subprocess_exec(
            lambda: asyncio.subprocess.SubprocessStreamProtocol(limit=PIECE_BYTES, loop=loop),
            *command,
            cwd=folder,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
    except OSError as error:
        raise Refused(f"cannot run {clean(command[0], 80)} in {clean(folder)}: {clean(error.strerror)}") from None
    return asyncio.subprocess.Process(transport, protocol, loop), transport


async def _read(process: asyncio.subprocess.Process, take: Callable[[bytes], bytes | None], tail: bytearray) -> None:
    """Until it has said everything and has ended."""
    assert process.stdout is not None
    while piece := await process.stdout.read(PIECE_BYTES):
        tail += take(piece) or b""
        del tail[:-LAST_BYTES]
    await process.wait()


async def _end(process: asyncio.subprocess.Process, reading: asyncio.Future[None]) -> None:
    """Kindly first; what it says meanwhile is heard."""
    _signal(process.pid, signal.SIGTERM)
    await asyncio.wait({reading}, timeout=TERM_S)
    _signal(process.pid, signal.SIGKILL)
    await process.wait()
    # Its children were killed with it; one that left its group may hold the pipe for ever.
    done, _ = await asyncio.wait({reading}, timeout=TERM_S)
    if not done:
        reading.cancel()
        await asyncio.wait({reading})


def _signal(pid: int, number: signal.Signals) -> None:
    """To the program and everything that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _last_line(tail: bytearray) -> str:
    lines = [line for line in tail.decode("utf-8", "replace").splitlines() if line.strip()]
    return clean(lines[-1].strip(), 200) if lines else ""
