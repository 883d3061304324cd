"""From a key to a job: prepares plans, checks confirmations, acts, journals before and after, and has it proven."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import replace
from pathlib import Path

from actions.catalogue import ACTIONS
from actions.kill_switch.intent import Write, stamp_ms
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import JournalError, Rejected
from cockpit.jobs import journaling
from cockpit.jobs.action import Struck, action_for, is_struck
from cockpit.jobs.custody import Custody
from cockpit.jobs.guard import why_refused
from cockpit.jobs.hotline import Hotline
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.planner import Planner
from cockpit.jobs.record import Record
from cockpit.jobs.requests import Requests
from cockpit.jobs.rows import row_for
from cockpit.jobs.scribe import Scribe
from cockpit.jobs.seconds import Seconds
from cockpit.jobs.strike import Outcome
from cockpit.jobs.vigil import Vigil
from cockpit.model.action import ActionSpec
from cockpit.model.audit import Operator
from cockpit.model.job import Job
from cockpit.model.plan import Confirmation, Danger, Plan
from cockpit.model.snapshot import Snapshot
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore, new_job_id
from cockpit.storage.latches import LatchFile
from cockpit.storage.targets import Holder, Targets

PROTECT_WAIT_S = 0.03
"""So long a protective act waits for its intent to be on the disk; then it goes out all the same."""
JOURNAL_WAIT_S = 5.0
"""Any other act waits this long, then it is not done."""
STRIKE_MARGIN_S = 1.0


class Runner:
    """One operator's acts on one site; every function may be called from any thread."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        operator: Operator,
        state_folder: Path,
        *,
        store: JobStore | None = None,
        log: AuditLog | None = None,
        actions: tuple[ActionSpec, ...] = ACTIONS,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._operator = operator
        self._store = store or JobStore(state_folder / "jobs")
        self._guard = threading.Lock()
        self._hotline: Hotline | None = None
        self._targets = Targets(state_folder / "targets")
        self._previewed: set[str] = set()
        self._scribe = Scribe()
        audit = log or AuditLog(state_folder)
        # A scribe of its own: the intent goes into both, and a halt waits for the slower, not for the sum.
        self._auditor = Scribe()
        self._minutes = Minutes(audit, self._auditor, clock, operator, settings.world, settings.site)
        self.requests = Requests(self._store, self._minutes, operator, clock)
        """To stop a job, to take somebody's word for one."""
        self.seconds = Seconds(settings, state_folder, clock, operator, self._minutes)
        self._latch_file = LatchFile(state_folder, settings.redis)
        self.vigil = Vigil(self._latch_file, settings.redis, clock, self._minutes, self._store)
        self._custody = Custody(self._store, self._scribe, self._minutes, settings, clock)
        self.planner = Planner(
            settings, clock, actions, self._targets, self._minutes, self._custody.present, self.seconds.why_nobody_can
        )

    def start(self) -> None:
        """Open the connection that a halt will use; prepare() does it too, but then it is not warm yet."""
        if self._settings.redis is not None:
            self._line()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Let go of everything; what workers prove goes on without us."""
        ends_at = self._clock.monotonic() + timeout_s
        for scribe in (self._scribe, self._auditor):
            with contextlib.suppress(TooLate):
                scribe.tell(lambda: None).result(max(0.0, ends_at - self._clock.monotonic()))
        with self._guard:
            hotline, self._hotline = self._hotline, None
        if hotline is not None:
            hotline.close(max(0.05, ends_at - self._clock.monotonic()))

    @property
    def error(self) -> str:
        """What is wrong with the line that a halt will use, and with what is owed to the disk; empty if nothing."""
        hotline = self._hotline
        return "" if hotline is None else hotline.error

    def note(self, kind: str, text: str) -> None:
        """Have something in the audit that is no job: opened, closed."""
        self._minutes.write(kind, text)

    def prepare(self, name: str, parameters: Mapping[str, str], snapshot: Snapshot, is_shown: bool = True) -> Plan:
        """What the step would do now, judged on this snapshot; it changes nothing and never waits.

        A plan that nobody is shown, only asked for whether it would be refused, is not in the audit.

        Raises:
            Rejected: there is no such step, or it is for something else than these parameters.
        """
        self.start()
        row = row_for(self.planner.actions, name)
        plan = self.planner.plan(row, parameters, snapshot, self._operator)
        if not is_shown:
            # What is to be chosen in its dialog is no reason not to open it.
            return replace(plan, checks=tuple(check for check in plan.checks if check.name not in row.asks))
        with self._guard:
            is_new = plan.digest not in self._previewed
            self._previewed.add(plan.digest)
        if is_new:
            self._minutes.write("previewed", f"{plan.title}: {_commands(plan)}", plan.digest)
        return plan

    def submit(self, plan: Plan, confirmation: Confirmation, snapshot: Snapshot) -> Job:
        """Do what was confirmed: a halt at once, anything else by a worker.

        It returns once Redis has answered, or the worker has begun; the rest goes on by itself.

        Raises:
            Rejected: the confirmation is not enough, or a check forbids it by the newest snapshot.
            JournalError: its intent cannot be written, and it is no protective act.
        """
        pressed_at = self._clock.monotonic()
        action = action_for(plan.action)
        live = self._live(plan, snapshot)
        refusal = why_refused(plan, live, confirmation, self.seconds.why_not)
        if refusal is not None:
            self._minutes.write("refused", f"{plan.title}: {refusal}", plan.digest)
            raise Rejected(refusal)
        if not is_struck(action):
            return self._delegate(live, confirmation)
        job_id = new_job_id(self._clock.now(), live.action)
        # A halt waits for nobody; whatever else is written at once, nobody may be at work on.
        locks = () if live.danger is Danger.PROTECT else live.locks
        with self._targets.held(locks, Holder(job_id, self._operator.label, live.title)):
            ts_ms = stamp_ms(snapshot, self._clock.now())
            return self._do_at_once(action, live, confirmation, job_id, ts_ms, pressed_at)

    def _do_at_once(
        self, action: Struck, live: Plan, confirmation: Confirmation, job_id: str, ts_ms: int, pressed_at: float
    ) -> Job:
        """The write itself, between its intent and its outcome."""
        now = self._clock.now()
        write = action.write(self._operator, live, confirmation, ts_ms)
        record = Record(self._store, self._scribe, job_id)
        self.seconds.take(live, confirmation, record.id)
        latched = [self.vigil.keep(write)] if write.enabled else []
        where = self._latch_file.where
        noted = record.write(*journaling.intent(live, confirmation, self._operator, write, where, now))
        said = self._minutes.write("confirmed", _confirmed(live, confirmation), record.id)
        self.seconds.tell_glass(live, confirmation, record.id)
        self._custody.take(record)
        early = self._wait_for_intent(live.danger is Danger.PROTECT, record, said, noted, *latched)
        self._custody.file_plan(record, live)
        outcome = self._strike(write)
        self.vigil.struck(write.enabled and outcome.is_done)
        self._write_down(action, live, record, write, outcome, self._clock.monotonic() - pressed_at, early)
        return record.job()

    def _delegate(self, plan: Plan, confirmation: Confirmation) -> Job:
        """Write down what was confirmed, then let a worker do it."""
        now = self._clock.now()
        record = Record(self._store, self._scribe, new_job_id(now, plan.action))
        entries = journaling.submission(plan, confirmation, self._operator, confirmation.reason or "", now)
        noted = record.write(*entries)
        said = self._minutes.write("confirmed", _confirmed(plan, confirmation), record.id)
        self.seconds.tell_glass(plan, confirmation, record.id)
        self._custody.take(record)
        self._wait_for_intent(False, record, said, noted)
        self._custody.delegate(record, plan)
        return self._custody.job(record.id) or record.job()

    def jobs(self) -> tuple[Job, ...]:
        """Running and recent jobs, newest first, and what else the state folder holds; cheap where nothing changed."""
        self.vigil.read()
        self.seconds.read()
        return self._custody.jobs()

    def present(self) -> tuple[Job, ...]:
        """The same as last read by jobs(), with what this process knows of its own; never waits for a disk."""
        return self._custody.present()

    def job(self, job_id: str) -> Job | None:
        """One job as it stands; None where there is none of that name."""
        return self._custody.job(job_id)

    def _line(self) -> Hotline:
        with self._guard:
            if self._hotline is None:
                if self._settings.redis is None:
                    raise Rejected("no Redis is configured: nothing can be done")
                self._hotline = Hotline(self._settings.redis, self._custody.beat, self.vigil.watch)
            return self._hotline

    def _strike(self, write: Write) -> Outcome:
        """An outcome in any case: a job whose act ended in an error of ours must not stand there as running."""
        assert self._settings.redis is not None
        limit_s = 2 * self._settings.redis.timeout_s + STRIKE_MARGIN_S
        try:
            return self._line().strike(write).result(limit_s)
        except Exception as error:
            return Outcome(False, False, f"whether Redis took it is unknown: {str(error) or type(error).__name__}")

    def _live(self, plan: Plan, snapshot: Snapshot) -> Plan:
        """The plan as it would be made now; a halt that was confirmed goes ahead even where that fails."""
        try:
            row = row_for(self.planner.actions, plan.step or plan.action)
            return self.planner.plan(row, dict(plan.parameters), snapshot, self._operator)
        except Exception:
            if plan.danger is not Danger.PROTECT:
                raise
            return plan

    def _wait_for_intent(self, is_protective: bool, record: Record, *written: Future[None]) -> str:
        """Intent before act; only a halt goes out before a disk that is full or hangs: that is said, else nothing."""
        limit_s = PROTECT_WAIT_S if is_protective else JOURNAL_WAIT_S
        ends_at = time.monotonic() + limit_s
        for future in written:
            try:
                future.result(max(0.0, ends_at - time.monotonic()))
            except Exception as error:
                words = str(error) or f"the disk did not answer in {limit_s * 1000:.0f} ms"
                now = self._clock.now()
                if is_protective:
                    early = f"sent before its intent was on disk ({words})"
                    record.write(journaling.note(now, early))
                    return early
                record.write(*journaling.not_begun(now, f"not done, its intent could not be written: {words}"))
                raise JournalError(f"not done: {words}") from None
        return ""

    def _write_down(
        self, action: Struck, plan: Plan, record: Record, write: Write, outcome: Outcome, took_s: float, early: str
    ) -> None:
        """The outcome in journal and audit, and the proof on its way; nothing here waits for the disk."""
        now = self._clock.now()
        failures: tuple[str, ...] = ()
        if not outcome.is_done:
            failures = action.failure(self._settings, outcome.detail, outcome.is_known)
        saved = record.write(*journaling.outcome(now, outcome, failures, took_s))
        kind = "step_done" if outcome.is_done else "failed" if outcome.is_known else "in_doubt"
        sent = f"{write.command(plan.target)}: {outcome.detail} ({took_s * 1000:.1f} ms after it was confirmed)"
        self._minutes.write(kind, "; ".join(filter(None, (sent, early, *failures))), record.id)
        if outcome.is_known and not outcome.is_done:
            saved.add_done_callback(lambda _: record.release())
            return
        self._line().tell(self._custody.hand_over(record))


def _commands(plan: Plan) -> str:
    return "; ".join(step.command for step in plan.steps)


def _confirmed(plan: Plan, confirmation: Confirmation) -> str:
    """What decides first: a record has an end, and the commands of a long step may reach beyond it."""
    parts = [f"reason: {confirmation.reason}"] if confirmation.reason else []
    parts += [f"typed: {confirmation.typed}"] if confirmation.typed else []
    parts += [f"overridden: {', '.join(confirmation.overrides)}"] if confirmation.overrides else []
    parts += [f"second person: request {confirmation.approval}"] if confirmation.approval else []
    return f"{plan.title}: {'; '.join([*parts, f'plan {plan.digest}', _commands(plan)])}"
