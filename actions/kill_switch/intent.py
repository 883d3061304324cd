"""What is written to the kill switch, and the same as an operator reads and types it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions import by_hand
from cockpit.clients.redis_facts import is_true, time_ms
from cockpit.config import RedisPart
from cockpit.model.plan import PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import KillSwitch, SwitchRecord
from cockpit.text import clean

TS_WORDS = "<the moment it is sent, in ms>"
BY_CELLS = 60
"""So much of a name is shown."""


@dataclass(frozen=True, slots=True)
class Halt:
    """The halt that was seen, by whom and of when: only that one is released.

    Where this host keeps a latch and somebody else released already, that release is what was seen.
    """

    by: str
    ts_ms: int
    is_engaged: bool = True

    @classmethod
    def of(cls, switch: KillSwitch) -> Halt:
        """As the key says it, even where that is an earlier change's record: the key is what it is compared with."""
        said = switch.outlived or SwitchRecord(switch.by, switch.since)
        return cls(said.by or "", round((said.since or 0.0) * 1000), switch.is_engaged)

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """For the plan: its digest names the halt."""
        names = ("halted_by", "halted_at_ms") if self.is_engaged else ("released_by", "released_at_ms")
        return ((names[0], self.by), (names[1], str(self.ts_ms)))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Halt | None:
        """As it was confirmed."""
        for verb, is_engaged in (("halted", True), ("released", False)):
            if f"{verb}_at_ms" in parameters:
                return cls(parameters[f"{verb}_by"], int(parameters[f"{verb}_at_ms"]), is_engaged)
        return None

    @property
    def words(self) -> str:
        """For the command."""
        released = "" if self.is_engaged else "released "
        return f"only while it is {released}by {shlex.quote(self.by)} ts {self.ts_ms}"

    def is_in(self, switch: Mapping[str, str]) -> bool:
        """Whether the hash still holds it."""
        by, ts_ms = clean(switch.get("by", ""), BY_CELLS), time_ms(switch.get("ts")) or 0
        return is_true(switch.get("enabled")) is self.is_engaged and (by, ts_ms) == (self.by, self.ts_ms)


@dataclass(frozen=True, slots=True)
class Write:
    """One HSET on the kill switch."""

    enabled: bool
    by: str
    reason: str
    ts_ms: int
    over: Halt | None = None
    """Written only over this halt; None: over anything."""

    @property
    def flag(self) -> str:
        """As it stands in the hash."""
        return "true" if self.enabled else "false"

    def to_facts(self) -> dict[str, Any]:
        """For the journal."""
        over = {} if self.over is None else {"over": dict(self.over.parameters)}
        return {"enabled": self.enabled, "by": self.by, "reason": self.reason, "ts_ms": self.ts_ms, **over}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Write:
        """From the journal."""
        over = Halt.from_parameters(facts.get("over", {}))
        return cls(bool(facts["enabled"]), str(facts["by"]), str(facts["reason"]), int(facts["ts_ms"]), over)

    def command(self, key: str) -> str:
        """As it was sent."""
        reason, by = shlex.quote(self.reason), shlex.quote(self.by)
        command = f"HSET {shlex.quote(key)} enabled {self.flag} reason {reason} by {by} ts {self.ts_ms}"
        return command if self.over is None else f"{command}, {self.over.words}"

    def may_replace(self, switch: Mapping[str, str]) -> bool:
        """Whether it may be written over this; over itself it may, for a second try."""
        return self.over is None or self.over.is_in(switch) or self.is_in(switch)

    def is_in(self, switch: Mapping[str, str]) -> bool:
        """Whether the hash holds exactly this write."""
        mine = {"enabled": self.flag, "by": self.by, "reason": self.reason, "ts": str(self.ts_ms)}
        return all(switch.get(name) == value for name, value in mine.items())


def step(
    meaning: str, redis: RedisPart | None, enabled: bool, reason: str, by: str, over: Halt | None = None
) -> PlanStep:
    """The step of a plan: the exact command, and the runbook's line that does the least of it by hand."""
    key, flag = kill_switch_key(redis), "true" if enabled else "false"
    command = f"HSET {shlex.quote(key)} enabled {flag} reason {reason} by {shlex.quote(by)} ts {TS_WORDS}"
    # A release that does not say by whom and when counts as a loss wherever a halt is latched.
    signed = "" if enabled else f" by {shlex.quote(by)} ts $(date +%s%3N)"
    return PlanStep(
        meaning=meaning,
        command=command if over is None else f"{command}, {over.words}",
        by_hand=f"{by_hand.redis(redis, 'HSET', key, 'enabled', flag)}{signed}",
    )


def kill_switch_key(redis: RedisPart | None) -> str:
    """The hash that holds it."""
    return (RedisPart() if redis is None else redis).kill_switch_key


def stamp_ms(snapshot: Snapshot, now: float) -> int:
    """The `ts` of a write that comes after every change that is known, in Unix milliseconds.

    Clocks step back and differ between hosts, and what is signed earlier than the halt that it answers counts as
    older than it: a release would be undone, a lost halt be taken for released.
    """
    switch, latch = snapshot.kill_switch.value, snapshot.latch
    known = [] if latch is None else [latch.ts_ms]
    if switch is not None:
        said = (switch.since, switch.outlived.since if switch.outlived else None)
        known += [round(since * 1000) for since in said if since is not None]
    return max(int(now * 1000), *(ts_ms + 1 for ts_ms in known)) if known else int(now * 1000)
