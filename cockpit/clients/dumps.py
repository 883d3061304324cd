"""The newest database dump: what it is on disk, and whether pg_restore can parse all of it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cockpit.clients.dump_reading import Verdict, from_json
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

    @property
    def identity(self) -> str:
        """Names this very file, for a person too."""
        moment = datetime.fromtimestamp(self.modified_ns / 1e9, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z, {self.size_bytes} bytes"


def identify(found: os.stat_result) -> str:
    """The same of a file that is open."""
    return Found(found.st_mtime_ns, found.st_size, found.st_ino).identity


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
    """One reading of a dump at a time, in processes of its own."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._running: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def parse(self, path: Path) -> Verdict:
        """Read the whole dump; blocks."""
        # -P: the working directory, which anybody may write to, is not a place to import from.
        command = [sys.executable, "-P", "-m", "cockpit.clients.dump_reading", self._program, str(path)]
        with self._lock:
            if self._is_closed:
                return Verdict(None, "stopped")
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                return Verdict(None, f"cannot run {clean(sys.executable)}: {clean(error.strerror)}")
            self._running = process
        try:
            said, _ = process.communicate(timeout=PARSE_TIMEOUT_S)
            return from_json(said)
        except subprocess.TimeoutExpired:
            return Verdict(None, f"pg_restore has not parsed it within {PARSE_TIMEOUT_S:g} s")
        except (ValueError, KeyError, TypeError):
            return Verdict(None, f"the reading of the dump ended with {process.returncode}")
        finally:
            self._end(process)
            process.communicate()
            self._running = None

    def close(self) -> None:
        """Stop a reading that is under way."""
        with self._lock:
            self._is_closed = True
            if self._running is not None:
                self._end(self._running)

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        """With pg_restore, which it runs; what has ended is left alone, for its number may be another's by now."""
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
