"""Whether a write to Redis survives a crash: what INFO and CONFIG promise, and the proof for one write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.clients.redis_facts import Fields, config_fields, info_fields, number, whole
from cockpit.clients.resp import Command, Reply
from cockpit.model.keeping import is_flushed
from cockpit.text import clean

QUESTIONS: tuple[Command, ...] = (("INFO",), ("CONFIG", "GET", "appendfsync"), ("CONFIG", "GET", "save"))
EVERYSEC_S = 2.0
"""appendfsync everysec starts a flush within a second and may postpone it by another while one is running."""


@dataclass(frozen=True, slots=True)
class Durability:
    """What a write to this Redis survives."""

    version: tuple[int, ...]
    is_aof_on: bool
    is_aof_ok: bool
    is_aof_flushed: bool
    """Nothing waits to be written or flushed now."""
    appendfsync: str | None
    """always, everysec, no; None where CONFIG may not be read."""
    is_save_on: bool | None
    is_save_ok: bool
    save_covers_until: float
    """Unix seconds: the newest snapshot holds everything up to here."""
    unsaved_changes: int
    role: str
    replicas: int

    @property
    def words(self) -> str:
        """One line: AOF everysec, save points, 1 replica."""
        parts = [f"AOF {self.appendfsync or 'on'}"] if self.is_aof_on else []
        parts += ["save points"] if self.is_save_on else []
        parts += [f"{self.replicas} replica{'s' if self.replicas > 1 else ''}"] if self.replicas else []
        return ", ".join(parts) or "memory only: a crash loses it"

    @property
    def can_last(self) -> bool:
        """Whether anything at all is written to disk, as far as is known."""
        return self.is_aof_on or self.is_save_on is not False

    @property
    def has_waitaof(self) -> bool:
        """Whether WAITAOF can be asked: Redis 7.2 with an append-only file."""
        return self.is_aof_on and self.version >= (7, 2)


def durability_of(replies: Sequence[Reply]) -> Durability:
    """The answers to QUESTIONS."""
    info = info_fields(replies[0])
    config = config_fields(replies[1:])
    save = config.get("save")
    return Durability(
        version=version_of(info),
        is_aof_on=info.get("aof_enabled") == "1",
        is_aof_ok=info.get("aof_last_write_status", "ok") == "ok",
        is_aof_flushed=info.get("aof_buffer_length") == "0" and info.get("aof_pending_bio_fsync") == "0",
        appendfsync=config.get("appendfsync"),
        is_save_on=None if save is None else bool(save.strip()),
        is_save_ok=info.get("rdb_last_bgsave_status") == "ok",
        save_covers_until=_save_covers_until(info),
        unsaved_changes=whole(info.get("rdb_changes_since_last_save")) or 0,
        role=clean(info.get("role", "unknown"), 20),
        replicas=whole(info.get("connected_slaves")) or 0,
    )


def _save_covers_until(info: Fields) -> float:
    """A snapshot holds what was there when its child was forked, not when it ended."""
    ended = number(info.get("rdb_last_save_time")) or 0.0
    return ended - max(0.0, number(info.get("rdb_last_bgsave_time_sec")) or 0.0)


def version_of(info: Fields) -> tuple[int, ...]:
    """The server's version, empty where it does not say.

    >>> version_of({"redis_version": "7.2.4"})
    (7, 2, 4)
    """
    parts = info.get("redis_version", "").split(".")
    return tuple(int(part) for part in parts[:3]) if all(part.isdecimal() for part in parts) else ()


def proof_of(durability: Durability, written_at: float, now: float) -> str | None:
    """Why a write of that moment survives a crash, by Redis' clock; None while nothing proves it."""
    if is_flushed(durability):
        if durability.appendfsync == "always":
            # The server answers only after the flush.
            return "flushed to the append-only file (always)"
        if durability.is_aof_flushed and now - written_at >= EVERYSEC_S:
            return "flushed to the append-only file (every second)"
    if durability.is_save_ok and durability.save_covers_until > written_at:
        return "in the newest snapshot"
    return None
