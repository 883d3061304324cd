"""Server processes of the sandbox: started tied to the supervisor, awaited without threads, ended with patience."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals

from cockpit.sandbox.death import tied_to_this_process


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that a server runs as."""

    uid: int
    gid: int


class ServerProcess:
    """One child process; its end is learned from a pidfd on the event loop."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        self._pidfd = os.pidfd_open(popen.pid)
        loop.add_reader(self._pidfd, self._reap)

    def _reap(self) -> None:
        code = self._popen.poll()
        if code is None:
            return
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        if not self._ended.done():
            self._ended.set_result(code)

    @property
    def pid(self) -> int:
        """The operating system's process id."""
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        """False once the process has ended and was reaped."""
        return not self._ended.done()

    @property
    def exit_code(self) -> int | None:
        """None while alive; negative is the signal that ended it."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Return the exit code once the process has ended."""
        return await asyncio.shield(self._ended)

    def send(self, signal: Signals) -> None:
        """Send a signal; nothing happens when the process is gone."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal)

    async def stop(self, signal: Signals, timeout_s: float) -> int:
        """Send the signal, SIGKILL when it is not heeded in time, and return the exit code."""
        self.send(signal)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self.wait(), timeout_s)
        self.send(SIGKILL)
        return await self.wait()


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    folder: Path,
    death_signal: Signals = SIGKILL,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> ServerProcess:
    """Start a server whose output goes to the end of its log; it ends when this process does, however that ends."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            start_new_session=True,
            preexec_fn=tied_to_this_process(death_signal),  # runs after the change of user, which would undo it
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    return ServerProcess(popen)


async def run(
    command: Sequence[str],
    *,
    log: Path,
    folder: Path,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
) -> tuple[int, str]:
    """Run a program to its end: its exit code and what it printed, which is also kept in the log."""
    start = size_bytes(log)
    process = spawn(command, log=log, folder=folder, account=account, environment=environment)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), timeout_s)
    finally:
        code = await process.stop(SIGKILL, 1.0)
    return code, "\n".join(last_lines(log, 10_000, start))


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory the folder is."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == folder:
                found.append(int(link.parent.name))
    return found


def size_bytes(file: Path) -> int:
    """The file's size, 0 when there is none."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def last_lines(log: Path, count: int, since_bytes: int = 0) -> list[str]:
    """The last lines of a log from an offset on, reading at most its last 256 KiB."""
    try:
        with log.open("rb") as lines:
            size = lines.seek(0, os.SEEK_END)
            lines.seek(max(since_bytes, size - 262_144))
            text = lines.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-count:] if count > 0 else []
