"""What is written to the kill switch, and the same as an operator reads and types it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.model.plan import PlanStep

TS_WORDS = "<the moment it is sent, in ms>"


@dataclass(frozen=True, slots=True)
class Write:
    """One HSET on the kill switch."""

    enabled: bool
    by: str
    reason: str
    ts_ms: int

    @property
    def flag(self) -> str:
        """As it stands in the hash."""
        return "true" if self.enabled else "false"

    def to_facts(self) -> dict[str, Any]:
        """For the journal."""
        return {"enabled": self.enabled, "by": self.by, "reason": self.reason, "ts_ms": self.ts_ms}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Write:
        """From the journal."""
        return cls(bool(facts["enabled"]), str(facts["by"]), str(facts["reason"]), int(facts["ts_ms"]))

    def command(self, key: str) -> str:
        """As it was sent."""
        reason, by = shlex.quote(self.reason), shlex.quote(self.by)
        return f"HSET {shlex.quote(key)} enabled {self.flag} reason {reason} by {by} ts {self.ts_ms}"

    def is_in(self, switch: Mapping[str, str]) -> bool:
        """Whether the hash holds exactly this write."""
        mine = {"enabled": self.flag, "by": self.by, "reason": self.reason, "ts": str(self.ts_ms)}
        return all(switch.get(name) == value for name, value in mine.items())


def step(meaning: str, key: str, enabled: bool, reason: str, by: str) -> PlanStep:
    """The step of a plan: the exact command, and the runbook's line that does the least of it by hand."""
    flag = "true" if enabled else "false"
    return PlanStep(
        meaning=meaning,
        command=f"HSET {shlex.quote(key)} enabled {flag} reason {reason} by {shlex.quote(by)} ts {TS_WORDS}",
        by_hand=f"redis-cli HSET {shlex.quote(key)} enabled {flag}",
    )
