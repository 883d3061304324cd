"""One line of the audit journal: who did what, chained to the line before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """Who sits at the cockpit, as the kernel and SSH attest it."""

    login: str
    """The login user, also behind sudo."""
    user: str
    """The user the process runs as."""
    host: str
    tty: str | None
    ssh_from: str | None
    """The client's address where the session came over SSH."""

    @property
    def label(self) -> str:
        """asha@jump1"""
        return f"{self.login}@{self.host}"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One event; `prev` is the hash of the record before, `hash` that of this one."""

    at: float
    """Unix seconds."""
    who: Operator
    kind: str
    """previewed, confirmed, step_started, step_done, proven, failed, in_doubt, opened, closed."""
    world: str
    site: str
    ref: str
    """The job or plan digest it belongs to; empty where none."""
    text: str
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest part of the journal."""

    records: tuple[AuditRecord, ...] = ()
    """The newest first."""
    size_bytes: int = 0
    """Of the whole journal."""
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Soundness:
    """What came of walking the whole chain."""

    is_sound: bool
    words: str
    at: float
    """When it was walked, in Unix seconds."""
