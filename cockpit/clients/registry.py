"""registry.yaml: a value at a dotted path, read only when the file has changed."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import yaml

from cockpit.errors import NOT_OURS, BackendError, Unreachable
from cockpit.text import clean

MAX_BYTES = 256 << 10


class RegistryFile:
    """The file's content, kept until its time or size differs. Its methods block: a file system may hang."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_as: tuple[int, int, int] | None = None
        self._content: Any = None
        self._failure: str | None = None

    def read(self) -> tuple[Any, float]:
        """The parsed content and the time of the file's last change.

        Raises:
            BackendError: it is missing, unreadable, too big or not YAML.
        """
        try:
            found = self._path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise BackendError(f"{clean(self._path)} is not a file")
            if found.st_size > MAX_BYTES:
                raise BackendError(f"{clean(self._path)} is larger than {MAX_BYTES >> 10} kB")
            identity = (found.st_mtime_ns, found.st_size, found.st_ino)
            if identity != self._read_as:
                self._parse()
                self._read_as = identity
        except FileNotFoundError:
            raise Unreachable(f"{clean(self._path)} is not there") from None
        except OSError as error:
            raise BackendError(f"cannot read {clean(self._path)}: {clean(error.strerror)}") from None
        if self._failure is not None:
            raise BackendError(self._failure)
        return self._content, found.st_mtime

    def _parse(self) -> None:
        """Read it anew; a failure is kept too: what takes long to fail would take as long every tick."""
        self._failure = None
        try:
            self._content = yaml.safe_load(self._path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            self._failure = f"{clean(self._path)} is not UTF-8 text"
        except (yaml.YAMLError, *NOT_OURS) as error:
            mark = getattr(error, "problem_mark", None)
            place = f", line {mark.line + 1}" if mark is not None else ""
            self._failure = f"{clean(self._path)} is not valid YAML{place}"


def look_up(content: Any, path: str) -> str | None:
    """The text at a dotted path, a number counting into a list; None where there is none.

    >>> look_up({"ingestion": {"feeds": [{"name": "yahoo"}]}}, "ingestion.feeds.0.name")
    'yahoo'
    >>> look_up({"primary_feed": "yahoo"}, "feeds.primary") is None
    True
    """
    for part in path.split("."):
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        else:
            return None
    return content if isinstance(content, str) else None
