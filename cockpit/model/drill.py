"""A drill: one scenario of the runbook played on a sandbox, what has been reached of it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

HALTED_BY = "halted_by"
"""Among a drill's facts: who halted trading, a person or the risk manager."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing that the world must show."""

    name: str
    """detected, halted, recovered, proven, released."""
    when: str
    """What must be seen, in the words of cockpit/drills/goals.py."""
    say: str
    """What the runbook says next, while this is not reached."""
    hints: tuple[str, ...] = ()
    """What is said besides, the longer one waits."""
    after: str = ""
    """The goal that must be reached before this one counts."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is broken, and what has to be reached."""

    name: str
    title: str
    section: str
    sentence: str
    """What happens, for whoever reads the list."""
    fault: str
    """As `cockpit sandbox faults` names it."""
    goals: tuple[Goal, ...]
    every_days: int | None = None
    """How often the runbook asks for it; None where it does not."""
    halts_first: bool = False
    """Whether trading has to be halted before anything is recovered."""
    loses: str = ""
    """What decides how much of the past is lost: dump, where what is put back is as old as that."""
    mends_after: str = ""
    """The goal after which the trouble is over by itself: the market calms down."""


@dataclass(frozen=True, slots=True)
class Met:
    """One goal that was reached."""

    goal: str
    at: float
    """Unix seconds, by the evidence's own time where it has one."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One run of a scenario."""

    id: str
    scenario: str
    title: str
    section: str
    started_at: float
    by: str
    world: str
    site: str
    sandbox: str
    """Its folder."""
    root: str
    """The platform's root in it."""
    config: str
    """The configuration that a cockpit opens it with."""
    incidents: str = ""
    """The folder of its incident."""
    incident: str = ""
    is_own: bool = False
    """Whether the sandbox was started for it, and goes with it."""
    rto_s: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    """How it was before: which feed was primary. And who halted."""
    mets: tuple[Met, ...] = ()
    mended_at: float | None = None
    watched_at: float | None = None
    unwatched_s: float = 0.0
    """So long no cockpit was open on it: what has no time of its own was seen later than it was."""
    ended_at: float | None = None
    ending: str = ""
    """ended, stopped, lost."""
    is_passed: bool = False
    missed: tuple[str, ...] = ()
    """Why it was not passed."""
    left: tuple[str, ...] = ()
    """What of it still stands in the sandbox."""
    rpo_minutes: float | None = None
    rpo_rows: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    @property
    def verdict(self) -> str:
        """In one word."""
        if self.is_running:
            return "running"
        return "PASSED" if self.is_passed else "FAILED" if self.ending == "ended" else self.ending.upper()

    def met(self, goal: str) -> float | None:
        """When that goal was reached."""
        return next((one.at for one in self.mets if one.goal == goal), None)

    def next_goal(self, scenario: Scenario) -> Goal | None:
        """The first that is not reached."""
        return next((goal for goal in scenario.goals if self.met(goal.name) is None), None)

    def waits_since(self) -> float:
        """Since when nothing more has been reached."""
        return max([self.started_at, *(one.at for one in self.mets)])


@dataclass(frozen=True, slots=True)
class Due:
    """One scenario as the schedule has it."""

    scenario: Scenario
    last: Drill | None = None
    """The last one that was played to its end."""
    due_at: float | None = None
    """None where the runbook does not ask for it."""

    def word(self, now: float) -> str:
        """never, due in 3 d, overdue by 2 d, or when you like."""
        if self.due_at is None:
            return "when you like"
        if self.last is None:
            return "never played"
        days = (self.due_at - now) / 86400
        return f"due in {days:.0f} d" if days >= 0 else f"OVERDUE by {-days:.0f} d"

    def is_overdue(self, now: float) -> bool:
        """Whether it should have been played by now."""
        return self.due_at is not None and self.due_at <= now


@dataclass(frozen=True, slots=True)
class Board:
    """All that there is to know of drills."""

    dues: tuple[Due, ...] = ()
    running: Drill | None = None
    history: tuple[Drill, ...] = field(default=())
    """Newest first."""

    def scenario(self, name: str) -> Scenario | None:
        """The scenario of that name."""
        return next((due.scenario for due in self.dues if due.scenario.name == name), None)
