"""What a step would do now, under everything that this site asks for before it: the one place where plans are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from cockpit.alerting.force import in_force
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import Rejected
from cockpit.jobs.action import Action, action_for, is_struck
from cockpit.jobs.incident_check import incident_checks
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.past import usual_time
from cockpit.jobs.rows import as_its_row_says, with_fixed
from cockpit.jobs.seconds import with_second
from cockpit.model.action import ActionSpec
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import Job
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.snapshot import Snapshot
from cockpit.storage.targets import Targets
from cockpit.text import clean


class Planner:
    """Makes the plans of one site; it changes nothing and never waits."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        actions: tuple[ActionSpec, ...],
        targets: Targets,
        minutes: Minutes,
        present: Callable[[], tuple[Job, ...]],
        why_nobody_can: Callable[[], str | None],
    ) -> None:
        """`present` answers the jobs as last read; `why_nobody_can`, why no second person could approve anything."""
        self._settings = settings
        self._clock = clock
        self.actions = actions
        """The rows of this site's runbook."""
        self._targets = targets
        self._minutes = minutes
        self._present = present
        self._why_nobody_can = why_nobody_can

    def plan(self, row: ActionSpec, parameters: Mapping[str, str], snapshot: Snapshot, operator: Operator) -> Plan:
        """The row's plan for this operator, judged on this snapshot.

        Raises:
            Rejected: there is no such action, it is for something else than these parameters, or a file that decides
                about it cannot be looked at.
        """
        action, now = action_for(row.id), self._clock.now()
        settings = in_force(self._settings, snapshot.alerting.value)
        try:
            plan = action.plan(settings, operator, with_fixed(row, parameters), snapshot, now)
        except OSError as error:
            raise Rejected(f"{row.step} cannot be planned: {clean(error.filename or '')}: {error.strerror}") from error
        plan = as_its_row_says(plan, row, snapshot, now)
        checks = (
            *plan.checks,
            *self._target_checks(action, plan),
            *incident_checks(plan, snapshot),
            *self._journal_checks(action, plan),
        )
        usually_s, usually = usual_time(self._present(), plan)
        plan = replace(plan, checks=checks, usually=usually, usually_s=usually_s)
        plan = with_second(self._settings, plan)
        return replace(plan, why_nobody=self._why_nobody_can() or "") if plan.needs_second else plan

    def _target_checks(self, action: Action, plan: Plan) -> tuple[Check, ...]:
        """Only where somebody works on what is locked; the lock that is taken later is what decides."""
        if plan.danger is Danger.OBSERVE or (is_struck(action) and plan.danger is Danger.PROTECT):
            return ()
        names = plan.locks if is_struck(action) else plan.held
        holders = {name: self._targets.holder(name) for name in names}
        return tuple(Check(f"{name} free", Verdict.FAIL, one.words) for name, one in holders.items() if one is not None)

    def _journal_checks(self, action: Action, plan: Plan) -> tuple[Check, ...]:
        """Only where the last try to write failed."""
        error = self._minutes.error
        if error is None:
            return ()
        if is_struck(action) and plan.danger is Danger.PROTECT:
            return (Check("journal", Verdict.WARN, f"{error}; it is done all the same, and written later"),)
        return (Check("journal", Verdict.FAIL, error),)
