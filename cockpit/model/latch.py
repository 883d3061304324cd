"""The wish to be halted, kept on this host: Redis may forget it, the operator does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.model.states import KillSwitch


class Hold(StrEnum):
    """How the kill switch stands to the latch."""

    HELD = "held"
    LOST = "lost"
    """Not engaged, and nobody said so: a crash, an eviction, an older copy, a hand that left no record."""
    RELEASED = "released"
    """By somebody who wrote by whom and when, later than the halt."""


@dataclass(frozen=True, slots=True)
class Latch:
    """Whose wish it is, why, since when, and what became of it since."""

    where: str
    """The Redis and the key that it is about."""
    by: str
    reason: str
    ts_ms: int
    """As the key says it, or will: what is engaged again is the same halt."""
    is_held: bool = False
    """Whether it has been seen in Redis."""
    losses: int = 0
    restored_at: float | None = None
    """When it was engaged again last, in Unix seconds."""
    trouble: str = ""
    """Why it cannot be engaged again; of this process, not in the file."""
    wanted_ms: int | None = None
    """When it was wished for, where Redis took it only later; None where `ts_ms` is that moment."""

    @property
    def wish_ms(self) -> int:
        """Which wish it is: this stays when the halt comes into force later than it was wished for."""
        return self.ts_ms if self.wanted_ms is None else self.wanted_ms

    def taken_at(self, now: float) -> Latch:
        """As it is engaged now: a halt that was lost keeps its moment, one that never stood counts from this one."""
        now_ms = int(now * 1000)
        return self if self.is_held or now_ms <= self.ts_ms else replace(self, ts_ms=now_ms, wanted_ms=self.wish_ms)

    def hold(self, is_engaged: bool, by: str | None, ts_ms: int | None) -> Hold:
        """How the kill switch stands to it."""
        if is_engaged:
            return Hold.HELD
        return Hold.RELEASED if by and ts_ms is not None and ts_ms > self.ts_ms else Hold.LOST

    def waits(self, switch: KillSwitch | None) -> bool:
        """Whether it never came into force, for all that is known of the kill switch now (None: nothing is)."""
        return not self.is_held and (switch is None or self.hold_of(switch) is Hold.LOST)

    def hold_of(self, switch: KillSwitch) -> Hold:
        """The same of the snapshot's reading: what the key itself says decides, not what was made of it."""
        by, since = (switch.outlived.by, switch.outlived.since) if switch.outlived else (switch.by, switch.since)
        return self.hold(switch.is_engaged, by, None if since is None else round(since * 1000))
