"""Whether Redis would take a halt now and keep it: the one judgement that the light, the checks and the proof share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cockpit.model.verdict import Verdict

if TYPE_CHECKING:
    from cockpit.model.redis_server import RedisServer

FLUSHED = ("always", "everysec")
"""With these the append-only file is on the disk at the latest after seconds; with `no` whenever the system likes."""


class Persistence(Protocol):
    """What is known of how a Redis keeps its data; None = not known."""

    @property
    def is_aof_on(self) -> bool | None:
        """Whether there is an append-only file."""

    @property
    def is_aof_ok(self) -> bool | None:
        """Whether it can be written."""

    @property
    def appendfsync(self) -> str | None:
        """How often it is flushed: always, everysec, no."""

    @property
    def is_save_on(self) -> bool | None:
        """Whether there are save points."""

    @property
    def is_save_ok(self) -> bool | None:
        """Whether the last of them worked."""

    @property
    def replicas(self) -> int | None:
        """How many replicas are connected."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """An answer, and why."""

    verdict: Verdict
    words: str

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be said against it."""
        return self.verdict is Verdict.PASS


def is_flushed(redis: Persistence) -> bool:
    """Whether each write is in the append-only file, and flushed, within seconds."""
    return bool(redis.is_aof_on and redis.is_aof_ok) and redis.appendfsync in FLUSHED


def durable(redis: Persistence) -> Judgement:
    """Whether a halt that is written now survives a crash a few seconds later; nothing here forbids to write it."""
    if is_flushed(redis):
        return Judgement(Verdict.PASS, f"AOF {redis.appendfsync}")
    if redis.replicas:
        return Judgement(Verdict.PASS, f"{redis.replicas} replica{'s' if redis.replicas > 1 else ''}")
    return Judgement(Verdict.WARN, _why_not(redis))


def _why_not(redis: Persistence) -> str:
    if redis.is_aof_on and redis.is_aof_ok is False:
        return "NOT durable: the append-only file fails"
    if redis.is_aof_on and redis.is_aof_ok and redis.appendfsync is not None:
        return f"NOT durable: the append-only file is never flushed on purpose (appendfsync {redis.appendfsync})"
    if redis.is_aof_on:
        return "not known to be durable: how the append-only file is kept cannot be read"
    if redis.is_save_on and redis.is_save_ok:
        return "NOT durable: only save points, a crash before the next one forgets the halt"
    if redis.is_aof_on is None or redis.is_save_on is None:
        return "not known to be durable: how it is kept cannot be read"
    return "NOT durable: a crash of Redis forgets the halt, and trading starts again"


def writable(redis: RedisServer, full_fraction: float) -> Judgement:
    """Whether Redis would take a write of its role now."""
    if redis.refuses_writes:
        return Judgement(Verdict.FAIL, "MISCONF: it cannot write to its disk, writes are refused")
    if redis.refuses_writes is None:
        return Judgement(Verdict.UNKNOWN, "unknown: its disk failed or cannot be read, writes may be refused (MISCONF)")
    used = redis.used_fraction
    if used is None:
        return Judgement(Verdict.PASS, "no memory limit")
    if used >= 1.0 and redis.policy == "noeviction":
        return Judgement(Verdict.FAIL, "memory is full: writes are refused (OOM)")
    if used >= full_fraction:
        return Judgement(Verdict.WARN, f"memory is full ({used:.0%} of its limit)")
    return Judgement(Verdict.PASS, f"memory at {used:.0%} of its limit")
