"""The alerts.yaml that counts: as it is, or where that is wrong, as it was when it last was right."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from cockpit import paths
from cockpit.alerting.file import MAX_BYTES, AlertsFile
from cockpit.alerting.reader import Document, read
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.storage.disk import append_synced, opened


class AlertsInForce:
    """Half a line saved in the middle of an outage must not keep anybody from being told.

    What was right last is known to this process, and to one that begins later by a copy in the state folder. That
    copy holds what alerts.yaml holds, an address of Slack perhaps: its user alone may read it. Its method blocks.
    """

    def __init__(self, settings: Settings) -> None:
        self._file = AlertsFile(settings.below_root(settings.alerting.file))
        folder = settings.state or paths.state_folder(settings.site)
        self.copy = folder / f"alerts.last-good.{os.geteuid()}.yaml"
        """Where it is kept for processes that begin later."""
        self._good: Document | None = None
        self._kept = ""

    def read(self) -> Document:
        """What counts now; where that is an earlier state of the file, its `trouble` says why.

        Raises:
            ConfigError: the file is unreadable or wrong, and no earlier state of it is known.
        """
        try:
            found = self._file.read()
        except ConfigError as error:
            good = self._good or self._from_copy()
            if good is None:
                raise
            return Document(replace(good.alerting, trouble=str(error)), good.routing)
        if found.alerting.is_present:
            self._good = found
            self._keep(self._file.text)
        return found

    def _keep(self, text: str) -> None:
        """Nobody has to wait for it: without a copy, only a process that begins later knows less."""
        if text == self._kept or not self.copy.parent.is_dir():
            return
        self._kept = text
        with suppress(OSError, UnicodeDecodeError):
            if self._text_of_copy() == text:
                return
        with suppress(OSError):
            draft = self.copy.with_suffix(".new")
            with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
                os.fchmod(descriptor, 0o600)
                append_synced(descriptor, text.encode("utf-8"))
            draft.replace(self.copy)

    def _from_copy(self) -> Document | None:
        """Only what this user wrote is believed: it says where messages go."""
        with suppress(OSError, UnicodeDecodeError, ConfigError):
            found = read(self._text_of_copy())
            changed_at = self.copy.stat().st_mtime
            return Document(replace(found.alerting, changed_at=changed_at), found.routing)
        return None

    def _text_of_copy(self) -> str:
        with opened(self.copy, os.O_RDONLY) as descriptor:
            entry = os.fstat(descriptor)
            if entry.st_uid != os.geteuid() or entry.st_mode & 0o022:
                raise PermissionError(1, "not ours", str(self.copy))
            return os.read(descriptor, MAX_BYTES).decode("utf-8")
