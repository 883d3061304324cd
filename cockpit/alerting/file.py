"""alerts.yaml on the disk: read again when it has changed, and only then."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from cockpit.alerting.reader import Document, read
from cockpit.alerting.routing import Routing
from cockpit.errors import ConfigError
from cockpit.model.alerting import Alerting
from cockpit.text import clean

MAX_BYTES = 256 << 10
NOTHING = Document(Alerting(), Routing())


class AlertsFile:
    """The file's content, kept until its time or size differs. Its method blocks: a file system may hang."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_as: tuple[int, int, int] | None = None
        self._found = NOTHING
        self._failure: str | None = None
        self.text = ""
        """What is in it, as it was when it was right last."""

    def read(self) -> Document:
        """The file as it is now; a site that never had one has no rules in it.

        Raises:
            ConfigError: it is unreadable or wrong, or was there and is gone.
        """
        try:
            found = self._path.stat()
            identity = (found.st_mtime_ns, found.st_size, found.st_ino)
            if identity != self._read_as:
                self._take(found.st_size, found.st_mode)
                self._found = Document(replace(self._found.alerting, changed_at=found.st_mtime), self._found.routing)
                self._read_as = identity
        except FileNotFoundError:
            if self._read_as is not None:
                raise ConfigError(f"{clean(self._path)} is gone") from None
            return NOTHING
        except OSError as error:
            raise ConfigError(f"cannot read {clean(self._path)}: {clean(error.strerror)}") from None
        if self._failure is not None:
            raise ConfigError(self._failure)
        return self._found

    def _take(self, size: int, mode: int) -> None:
        """Read it anew; a failure is kept too: what takes long to fail would take as long every tick."""
        self._failure = None
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{clean(self._path)} is not a file")
        if size > MAX_BYTES:
            raise ConfigError(f"{clean(self._path)} is larger than {MAX_BYTES >> 10} kB")
        try:
            text = self._path.read_text(encoding="utf-8")
            self._found = read(text)
            self.text = text
        except UnicodeDecodeError:
            self._failure = f"{clean(self._path)} is not UTF-8 text"
        except ConfigError as error:
            self._failure = f"{clean(self._path.name)}: {error}"
