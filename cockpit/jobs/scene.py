"""One job in a worker's hands: its plan, its journal, its evidence, and what is known so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from actions.step import Output, Result, Stage, Step
from cockpit.alerting.force import in_force
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import JournalError
from cockpit.jobs.action import Worked
from cockpit.jobs.evidence import Evidence
from cockpit.model.audit import AuditRecord, Operator
from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Plan
from cockpit.model.snapshot import Snapshot
from cockpit.storage.audit import AuditLog
from cockpit.storage.fold import KINDS as END_KINDS
from cockpit.storage.journal import Entry
from cockpit.text import clean

KINDS = {StepState.DONE: "step_done", StepState.FAILED: "step_failed", StepState.UNKNOWN: "step_unknown"}
TELL_S = 1.0
"""Progress is told this often at most: each line waits for the disk."""


class Scene:
    """Everything that performing, looking and proving share."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        action: Worked,
        plan: Plan,
        who: Operator,
        evidence: Evidence,
        output: Output,
        record: Callable[[Entry], object],
        log: AuditLog,
        job_id: str,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.action = action
        self.plan = plan
        self.who = who
        self.evidence = evidence
        self.record = record
        self.locks: tuple[int, ...] = ()
        self.stop = asyncio.Event()
        self.stopped_by = ""
        self.reason = ""
        self.facts: dict[str, Any] = {}
        self._output = output
        self._log = log
        self._job_id = job_id
        self._told_at = float("-inf")

    @property
    def steps(self) -> tuple[Step, ...]:
        """What performs each step of the plan, within the limits of the configuration."""
        steps = self.action.steps(self.plan)
        for step in steps:
            step.fit(self.settings)
        return steps

    def remember(self, entries: Sequence[Entry]) -> None:
        """What the journal says was noted before and after each step."""
        for entry in entries:
            for name in ("before", "facts"):
                noted = entry.facts.get(name)
                if isinstance(noted, dict):
                    self.facts.update(noted)
            if entry.kind == "step_done":
                self.facts["acted_at"] = entry.at

    def stage(self, snapshot: Snapshot, index: int = 0) -> Stage:
        """What step `index` may rely on."""
        return Stage(
            in_force(self.settings, snapshot.alerting.value),
            self.clock,
            self.who,
            self.plan,
            snapshot,
            dict(self.facts),
            self._output,
            lambda words, fraction=None: self._progress(index, words, fraction),
            self.locks,
            self.stop,
            self.reason,
        )

    def tell(self, kind: str, **facts: object) -> None:
        """One line of the journal, on the disk on return."""
        self.record(Entry(self.clock.now(), kind, facts))

    def begin(self, index: int, command: str, before: dict[str, Any]) -> None:
        """The intent of one step."""
        self.facts.update(before)
        self.tell("step_started", step=index, command=command, before=before)
        self._audit("step_started", f"{self.plan.title}: {command}")

    def end_step(self, index: int, result: Result, took_s: float | None = None) -> None:
        """What came of one step."""
        self.facts.update(result.facts)
        detail = clean(result.detail, 300)
        took = {} if took_s is None else {"took_s": round(took_s, 3)}
        self.tell(KINDS[result.state], step=index, detail=detail, facts=dict(result.facts), **took)
        if result.state is StepState.DONE:
            self.facts["acted_at"] = self.clock.now()
        self._audit(KINDS[result.state], f"{self.plan.steps[index].meaning}: {detail}")

    def end(self, phase: Phase, error: str) -> Phase:
        """The job's end."""
        self.tell(END_KINDS[phase], error=clean(error, 600))
        return phase

    def end_cancelled(self, index: int, half_done: str = "") -> Phase:
        """Somebody stopped it before the step `index`, or in the middle of it."""
        names = [step.meaning for step in self.plan.steps]
        done, left = ", ".join(names[:index]) or "nothing", ", ".join(names[index + bool(half_done) :])
        words = f"stopped by {self.stopped_by}; done: {done}"
        words += f"; begun: {names[index]}: {half_done}" if half_done else ""
        return self.end(Phase.CANCELLED, words + (f"; not done: {left}" if left else ""))

    def _progress(self, index: int, words: str, fraction: float | None) -> None:
        now = self.clock.monotonic()
        if now - self._told_at >= TELL_S:
            self._told_at = now
            known = {} if fraction is None else {"fraction": round(min(1.0, max(0.0, fraction)), 4)}
            # A disk that is full must not end the program whose progress this is.
            with suppress(JournalError):
                self.tell("step_progress", step=index, detail=clean(words, 200), **known)

    def _audit(self, kind: str, text: str) -> None:
        """The journal has it already: an audit that cannot be written must not stop a job half-way."""
        plan = self.plan
        draft = AuditRecord(
            round(self.clock.now(), 6),
            self.who,
            kind,
            plan.world.value,
            plan.site,
            self._job_id,
            clean(text, 600),
            "",
            "",
        )
        with suppress(JournalError):
            self._log.append(draft)
