"""The audit's form on disk: one canonical JSON object a line, each with the hash of the line before and its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from cockpit.errors import NOT_OURS
from cockpit.model.audit import AuditRecord, Operator
from cockpit.storage.journal import FAR_S

GENESIS = "0" * 64
"""`prev` of the first record."""
HEAD_BYTES = 160


def chained(draft: AuditRecord, prev: str) -> AuditRecord:
    """The record as it follows the one with hash `prev`."""
    follower = replace(draft, prev=prev, hash="")
    return replace(follower, hash=_hash(follower))


def to_line(record: AuditRecord) -> bytes:
    """The record as the file holds it, with its newline."""
    return _canonical(asdict(record)) + b"\n"


def from_line(body: bytes) -> AuditRecord | None:
    """The record in a line without its newline; None where it is not exactly what to_line() wrote."""
    try:
        fields: dict[str, Any] = json.loads(body)
        record = AuditRecord(**{**fields, "who": Operator(**fields["who"])})
        # Byte for byte: JSON can say the same in many ways, the journal in one.
        return record if _is_sound(record) and _canonical(asdict(record)) == body else None
    except NOT_OURS:
        return None


def _is_sound(record: AuditRecord) -> bool:
    """Whether it can be shown: by hand, for there are many of them."""
    who = record.who
    texts = (record.kind, record.world, record.site, record.ref, record.text, record.prev, record.hash)
    names = (who.login, who.user, who.host, who.tty or "", who.ssh_from or "")
    is_said = all(type(each) is str for each in (*texts, *names))
    return is_said and type(record.at) in (int, float) and 0 <= record.at < FAR_S


def is_intact(record: AuditRecord) -> bool:
    """Whether the record's hash is that of its contents."""
    return record.hash == _hash(record)


def _hash(record: AuditRecord) -> str:
    fields = asdict(record)
    del fields["hash"]
    return hashlib.sha256(_canonical(fields)).hexdigest()


def _canonical(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True, slots=True)
class Head:
    """How far the journal reached when it was last written; kept beside it, so that a cut end is seen."""

    lines: int
    size_bytes: int
    hash: str

    def to_bytes(self) -> bytes:
        """Always of the same length, so that it is overwritten in place in one write."""
        return _canonical(asdict(self)).ljust(HEAD_BYTES - 1) + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> Head | None:
        """The head in the file; None where it cannot be read."""
        try:
            fields = json.loads(content)
            head = cls(**fields)
        except NOT_OURS:
            return None
        is_sound = isinstance(head.lines, int) and isinstance(head.size_bytes, int) and isinstance(head.hash, str)
        return head if is_sound else None
