"""Whether an audit journal is what was once written: walks the chain and names the first line that is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cockpit.model.audit import AuditRecord
from cockpit.storage.chain import GENESIS, Head, from_line, is_intact

REPAIRED = "repaired"
"""A record that says: the lines before me were cut short by a crash; `ref` is the digest of what is left of them."""
DAMAGED = "damaged"
"""A record that says: when I was written, the journal was no longer what it had been."""
BLIND_SPOT = (
    "not detectable: a journal rewritten as a whole together with its head (there is no secret in it); "
    "keep a copy of the head where its writers cannot reach"
)
_NO_RECORD = "it is not a record of this journal: changed or damaged"


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out."""

    records: int
    lines: int
    size_bytes: int
    last_hash: str
    line: int | None = None
    """The first bad line, counted from 1."""
    problem: str | None = None
    notes: tuple[str, ...] = ()
    leftover: str | None = None
    """The digest of what a crash left at the end."""
    lacks_newline: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None


class Walk:
    """Follows the chain line by line."""

    def __init__(self, head: Head | None) -> None:
        self._head = head
        self._records = 0
        self._lines = 0
        self._size_bytes = 0
        self._prev = GENESIS
        self._at_head: str | None = GENESIS if head is not None and head.lines == 0 else None
        self._problem: tuple[int, str] | None = None
        self._notes: list[str] = []
        self._unread: list[bytes] = []
        self._leftover: str | None = None
        self._lacks_newline = False

    def over(self, lines: Iterable[bytes]) -> Verification:
        """Every line, then the end against the head."""
        for raw in lines:
            self._take(raw)
        self._judge_leftover()
        self._judge_end()
        line, problem = self._problem or (None, None)
        return Verification(
            records=self._records,
            lines=self._lines,
            size_bytes=self._size_bytes,
            last_hash=self._prev,
            line=line,
            problem=problem,
            notes=(*self._notes, BLIND_SPOT),
            leftover=self._leftover,
            lacks_newline=self._lacks_newline,
        )

    def _take(self, raw: bytes) -> None:
        self._lines += 1
        self._size_bytes += len(raw)
        body = raw.removesuffix(b"\n")
        self._lacks_newline = body == raw
        record = from_line(body)
        if record is None:
            self._unread.append(body)
        else:
            self._follow(record)
        if self._head is not None and self._lines == self._head.lines:
            self._at_head = self._prev

    def _follow(self, record: AuditRecord) -> None:
        self._records += 1
        if self._unread:
            first = self._lines - len(self._unread)
            if record.kind == REPAIRED and record.ref == digest(self._unread):
                self._notes.append(f"line {first} was cut short by a crash; line {self._lines} says so")
            else:
                self._blame(first, _NO_RECORD)
            self._unread = []
        if not is_intact(record):
            self._blame(self._lines, "its contents do not have the hash that it bears: changed")
        elif record.prev != self._prev:
            self._blame(self._lines, "it does not follow the line before: a line is missing, was added or moved")
        elif record.kind == DAMAGED:
            self._blame(self._lines, record.text)
        self._prev = record.hash

    def _judge_leftover(self) -> None:
        """Lines past the head that are no records are what a crash left; before it they are damage."""
        if not self._unread:
            return
        first = self._lines - len(self._unread) + 1
        if first > (self._head.lines if self._head is not None else 0):
            self._leftover = digest(self._unread)
            self._notes.append(f"line {first} was cut short by a crash; the next record will say so")
        else:
            self._blame(first, _NO_RECORD)

    def _judge_end(self) -> None:
        head = self._head
        if head is None:
            if self._lines > 1:
                self._blame(self._lines, "its head file is missing or unreadable: its end may be cut")
        elif head.lines > self._lines or head.size_bytes > self._size_bytes:
            text = f"the end is missing: {head.lines} lines were written, {self._lines} are there"
            self._blame(max(1, min(head.lines, self._lines + 1)), text)
        elif self._at_head != head.hash:
            self._blame(head.lines, "it is not the line that the head file names")
        elif head.lines < self._lines - len(self._unread):
            self._notes.append("the head is behind the journal, as a crash between the two writes leaves it")

    def _blame(self, line: int, problem: str) -> None:
        """Only the first counts: what follows a break is broken by it."""
        if self._problem is None:
            self._problem = (line, problem)


def digest(lines: list[bytes]) -> str:
    """What names the remains of lines that are no records."""
    return hashlib.sha256(b"\n".join(lines)).hexdigest()
