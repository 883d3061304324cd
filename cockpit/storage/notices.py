"""Every message that left, or was to leave: written before it is sent, so that none is sent twice by itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.storage.disk import append_synced, lock, opened, private_folder, reason
from cockpit.storage.typed import typed

SENDING, DELIVERED, FAILED, UNKNOWN = "sending", "delivered", "failed", "unknown"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one address, as it was written down last."""

    key: str
    at: float
    """Unix seconds."""
    audience: str
    channel: str
    to: str
    """A mail address; empty for Slack."""
    kind: str
    """full or summary."""
    subject: str
    body: str
    state: str
    """sending, delivered, failed or unknown. What was being sent when its sender died stays so: it may have arrived."""
    detail: str

    @property
    def is_open(self) -> bool:
        """Whether somebody must look at it."""
        return self.state != DELIVERED

    def may_go(self, now: float, is_again: bool, within_s: float) -> bool:
        """Whether it may be sent once more; a clock that was set back does not hold it up for ever."""
        if self.state == SENDING and abs(now - self.at) < within_s:
            return False
        return self.state == FAILED or (is_again and self.state != DELIVERED)


class Notices:
    """One site's messages; any number of processes may add to them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "notices.jsonl"
        self._folder = folder

    def begin(self, draft: Delivery, is_again: bool = False, within_s: float = 0.0) -> Delivery | None:
        """Write down that it is about to be sent; what became of it already, where it must not be.

        By itself a message is sent once. A person may have one sent again that failed, or of which nobody knows;
        not one whose sender may still be at it, which takes no longer than `within_s`.

        Raises:
            JournalError: it cannot be written: then it is not sent.
        """
        with self._locked() as descriptor:
            known = self._known(descriptor).get(draft.key)
            if known is not None and not known.may_go(draft.at, is_again, within_s):
                return known
            self._append(descriptor, replace(draft, state=SENDING, detail=""))
        return None

    def end(self, delivery: Delivery) -> None:
        """Write down what came of it.

        Raises:
            JournalError: it cannot be written.
        """
        with self._locked() as descriptor:
            self._append(descriptor, delivery)

    def all(self) -> tuple[Delivery, ...]:
        """Each as it was written down last, oldest first.

        Raises:
            JournalError: it cannot be read.
        """
        if not self.file.exists():
            return ()
        try:
            with opened(self.file, os.O_RDONLY) as descriptor:
                return tuple(self._known(descriptor).values())
        except OSError as error:
            raise JournalError(f"cannot read {self.file}: {reason(error)}") from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        private_folder(self._folder)
        try:
            with opened(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT) as descriptor:
                lock(descriptor, str(self.file))
                yield descriptor
        except OSError as error:
            raise JournalError(f"cannot write {self.file}: {reason(error)}") from error

    @staticmethod
    def _append(descriptor: int, delivery: Delivery) -> None:
        size = os.fstat(descriptor).st_size
        # A crash may have left half a line.
        start = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
        line = json.dumps(asdict(delivery), separators=(",", ":")).encode("ascii")
        append_synced(descriptor, start + line + b"\n")

    @staticmethod
    def _known(descriptor: int) -> dict[str, Delivery]:
        found: dict[str, Delivery] = {}
        content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        for line in content.split(b"\n"):
            try:
                one = typed(Delivery, line)
            except ValueError:
                continue
            found[one.key] = one
        return found
