"""Every message that left, or was to leave: written before it is sent, so that none is sent twice by itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cockpit.errors import JournalError
from cockpit.storage.disk import append_synced, lock, opened, private_folder, reason, sync_folder
from cockpit.storage.typed import typed

SENDING, DELIVERED, FAILED, UNKNOWN = "sending", "delivered", "failed", "unknown"
DAY_S = 86_400.0
KEPT_S, OPEN_KEPT_S = 7 * DAY_S, 30 * DAY_S
"""What arrived, and what may not have: a job, which alone could send it once more by itself, is over much sooner."""


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

    def is_over(self, now: float) -> bool:
        """Whether nobody asks for it any more."""
        return now - self.at > (OPEN_KEPT_S if self.is_open else KEPT_S)

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
            all_known = self._known(descriptor)
            known = all_known.get(draft.key)
            if known is not None and not known.may_go(draft.at, is_again, within_s):
                return known
            begun = replace(draft, state=SENDING, detail="")
            self._append(descriptor, begun)
            # Once a day is enough; and a file that cannot be made shorter keeps no message from going out.
            if any(one.is_over(draft.at - DAY_S) for one in all_known.values()):
                with suppress(OSError):
                    self._shorten({**all_known, draft.key: begun}.values(), draft.at)
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
            while True:
                with opened(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT) as descriptor:
                    lock(descriptor, str(self.file))
                    if self._is_current(descriptor):
                        yield descriptor
                        return
        except OSError as error:
            raise JournalError(f"cannot write {self.file}: {reason(error)}") from error

    def _is_current(self, descriptor: int) -> bool:
        """Whether nobody has put a shorter one in its place while we waited."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), self.file.stat())
        return False

    def _shorten(self, known: Iterable[Delivery], now: float) -> None:
        kept = b"".join(_line(one) for one in known if not one.is_over(now))
        draft = self.file.with_name(f"{self.file.name}.new")
        with opened(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as descriptor:
            append_synced(descriptor, kept)
        draft.replace(self.file)
        sync_folder(self._folder)

    @staticmethod
    def _append(descriptor: int, delivery: Delivery) -> None:
        size = os.fstat(descriptor).st_size
        # A crash may have left half a line.
        start = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
        append_synced(descriptor, start + _line(delivery))

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


def _line(delivery: Delivery) -> bytes:
    return json.dumps(asdict(delivery), separators=(",", ":")).encode("ascii") + b"\n"
