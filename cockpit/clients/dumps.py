"""The newest database dump: what it is on disk, and whether pg_restore can parse all of it."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import BackendError, Unreachable
from cockpit.text import clean

PARSE_TIMEOUT_S = 600.0
"""pg_restore parses some 100 MB/s off a plain disk: this bounds a hung file system, not a big dump."""


@dataclass(frozen=True, slots=True)
class Found:
    """A dump on disk; two are the same when all of it is equal."""

    modified_ns: int
    size_bytes: int
    inode: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What pg_restore made of it; `is_readable` None where it could not judge."""

    is_readable: bool | None
    detail: str | None


def look(path: Path) -> Found:
    """The dump as it is on disk now; blocks.

    Raises:
        BackendError: there is none.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise Unreachable(f"there is no dump at {clean(path)}") from None
    except OSError as error:
        raise BackendError(f"cannot look at {clean(path)}: {clean(error.strerror)}") from None
    if not stat.S_ISREG(found.st_mode):
        raise BackendError(f"{clean(path)} is not a file")
    return Found(found.st_mtime_ns, found.st_size, found.st_ino)


class Parser:
    """One run of pg_restore at a time, at the lowest priority, its output thrown away."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._running: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def parse(self, path: Path) -> Verdict:
        """Read the whole dump; blocks. `pg_restore --list` would not find a truncated one."""
        with self._lock:
            if self._is_closed:
                return Verdict(None, "stopped")
            try:
                process = subprocess.Popen(
                    [self._program, "-f", "/dev/null", str(path)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    env=os.environ | {"LC_ALL": "C"},
                    start_new_session=True,
                )
            except OSError as error:
                return Verdict(None, f"cannot run {clean(self._program)}: {clean(error.strerror)}")
            self._running = process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 19)
        try:
            _, complaint = process.communicate(timeout=PARSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return Verdict(None, f"pg_restore has not parsed it within {PARSE_TIMEOUT_S:g} s")
        finally:
            self._running = None
        return verdict(process.returncode, complaint)

    def close(self) -> None:
        """Stop a parse that is under way."""
        with self._lock:
            self._is_closed = True
            if self._running is not None:
                self._running.kill()


def verdict(status: int, complaint: str) -> Verdict:
    """What an exit status and a complaint of pg_restore mean.

    >>> verdict(1, "pg_restore: error: could not read from input file: end of file\\n")
    Verdict(is_readable=False, detail='could not read from input file: end of file')
    >>> verdict(1, "pg_restore: error: unsupported version (1.16) in file header").is_readable is None
    True
    """
    if status == 0:
        return Verdict(True, None)
    first = next((line for line in complaint.splitlines() if line.strip()), f"pg_restore ended with {status}")
    said = clean(first.removeprefix("pg_restore: ").removeprefix("error: "))
    if status < 0:
        return Verdict(None, f"pg_restore was stopped by signal {-status}")
    if "unsupported version" in complaint or "could not open input file" in complaint:
        # The reader's fault, not the dump's: an older pg_restore cannot tell a newer dump from a broken one.
        return Verdict(None, said)
    return Verdict(False, said)
