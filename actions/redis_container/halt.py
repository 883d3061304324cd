"""Whether trading was halted before the restart: kept in the plan, for Redis may forget it; not known is halted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.model.snapshot import Snapshot

WORDS = ("true", "false", "unknown")


@dataclass(frozen=True, slots=True)
class Halt:
    """The kill switch as it stood before."""

    halted: str
    """true, false or unknown."""
    by: str = ""
    reason: str = ""
    since_ms: int = 0

    @classmethod
    def seen(cls, snapshot: Snapshot, now: float) -> Halt:
        """As it was read last; that it was not engaged counts only while it is read live."""
        switch = snapshot.kill_switch.value
        if switch is None:
            return cls("unknown")
        if not switch.is_engaged:
            return cls("false" if snapshot.kill_switch.is_live(now) else "unknown")
        return cls("true", switch.by or "", switch.reason or "", int((switch.since or 0) * 1000))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str], otherwise: Halt) -> Halt:
        """As it was confirmed; where nothing was, as it was seen."""
        halted = parameters.get("halted", "")
        if halted not in WORDS:
            return otherwise
        since = parameters.get("since_ms", "")
        since_ms = int(since) if since.isdecimal() else 0
        return cls(halted, parameters.get("by", ""), parameters.get("was_because", ""), since_ms)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Halt:
        """As it was journaled right before the restart."""
        halt = facts.get("halt")
        return cls.from_parameters({str(k): str(v) for k, v in (halt or {}).items()}, cls("unknown"))

    def right_before(self, live: Halt) -> Halt:
        """What holds right before the restart, where this was confirmed: released only if it is read so then."""
        if live.halted != "unknown":
            return live
        return self if self.halted == "true" else live

    @property
    def is_put_back(self) -> bool:
        """Whether it is engaged after the restart if it is not then: unsure goes to safety."""
        return self.halted != "false"

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """For the plan, and for the journal."""
        if self.halted != "true":
            return (("halted", self.halted),)
        return (
            ("halted", "true"),
            ("by", self.by),
            ("was_because", self.reason),
            ("since_ms", str(self.since_ms)),
        )
