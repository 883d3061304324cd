"""Keeps the jobs of this process until a worker or the disk has them, and looks after those that others left behind."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import CockpitError, JournalError
from cockpit.jobs import journaling
from cockpit.jobs.launch import SETTINGS, launch, settings_text
from cockpit.jobs.letting_go import unlatch
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.outcomes import AUDIT_KINDS, pay
from cockpit.jobs.prove import Proving
from cockpit.jobs.record import Record
from cockpit.jobs.scribe import Scribe
from cockpit.jobs.stillborn import last_words, lay_down
from cockpit.jobs.worked import LEFT_BEHIND
from cockpit.jobs.worker import failure_for, prover_for
from cockpit.model.job import Job, Phase
from cockpit.model.plan import Plan
from cockpit.storage.attested import own_text
from cockpit.storage.audit import AuditLog
from cockpit.storage.fold import ENDS, RESOLVED
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.latches import LatchFile
from cockpit.storage.plans import plan_to_json

DISK_WAIT_S = 2.0
"""So long the journal may take to be on the disk before the proof is begun without it."""
LAUNCH_WAIT_S = 5.0
"""So long the disk may take to have the plan before a step that is no halt is given up."""
PAY_S = 5.0
"""So often it is looked whether the audit lacks an outcome that a worker could not write."""
FORGOTTEN_S = 600.0
"""A job left behind longer ago than this can no longer be proven: too much has happened since."""


class Custody:
    """Every job is somewhere: in memory here, with a worker, or ended on the disk."""

    def __init__(self, store: JobStore, scribe: Scribe, minutes: Minutes, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._scribe = scribe
        self._minutes = minutes
        self._settings = settings
        self._clock = clock
        self._guard = threading.Lock()
        self._held: dict[str, Record] = {}
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._looked_after: set[str] = set()
        self._known: tuple[Job, ...] = ()
        self._paid: set[tuple[str, Phase]] = set()
        self._pay_at = clock.monotonic() + PAY_S
        self._paying: Future[None] | None = None

    def take(self, record: Record) -> None:
        """Answer for this job from now on."""
        with self._guard:
            self._held[record.id] = record

    def file_plan(self, record: Record, plan: Plan) -> Future[None]:
        """Put the plan and the configuration beside the journal; nobody waits for it."""
        return self._scribe.tell(lambda: self._file(record, plan))

    def _file(self, record: Record, plan: Plan) -> None:
        if record.claim is None:
            record.save()
        self._store.write(record.id, "plan.json", plan_to_json(plan))
        self._store.write(record.id, SETTINGS, settings_text(self._settings))
        self._store.sync(record.id)

    def delegate(self, record: Record, plan: Plan) -> None:
        """Let a worker do it; nothing has been done yet.

        Raises:
            JournalError: no worker could be started: nothing will be done.
        """
        filed, launched = self.file_plan(record, plan), self._scribe.tell(lambda: self._launch(record))
        try:
            filed.result(LAUNCH_WAIT_S)
            launched.result(LAUNCH_WAIT_S)
        except Exception as error:
            # Whatever the scribe still has to do, no worker is to come of it.
            if not record.keep_here() and _began(launched):
                return
            record.keep_here()
            words = str(error) or "the disk did not answer"
            ended = record.write(*journaling.not_begun(self._clock.now(), f"nothing was done: {words}"))
            ended.add_done_callback(lambda _: record.release())
            raise JournalError(f"nothing was done: {words}") from None

    async def hand_over(self, record: Record) -> None:
        """Let a worker prove it; where the disk does not allow that, prove it in this process."""
        # The scribe keeps the order: the outcome, told before, is written before the worker reads the journal.
        handed = asyncio.wrap_future(self._scribe.tell(lambda: self._launch(record)))
        done, _ = await asyncio.wait({handed}, timeout=DISK_WAIT_S)
        if not (done or record.keep_here()):
            # A worker is starting at this moment: two would write the same journal.
            done, _ = await asyncio.wait({handed})
        if done and all(task.exception() is None for task in done):
            return
        record.keep_here()
        with suppress(CockpitError):
            await self._prove_here(record)

    def _launch(self, record: Record) -> None:
        record.save()
        if record.claim is None or not record.begin_launch():
            return
        try:
            folder, systemd = self._store.folder(record.id), self._settings.jobs.systemd
            self._workers[record.id] = launch(folder, record.claim, systemd)
        except BaseException:
            record.fail_launch()
            raise
        with self._guard:
            self._held.pop(record.id, None)

    async def _prove_here(self, record: Record) -> None:
        job = record.job()
        entries = record.entries()
        prover, is_act_known = prover_for(self._settings, entries)
        names = [proof.name for proof in job.proofs]
        failure = failure_for(self._settings, entries)
        proving = Proving(prover, names, record.write, self._clock, is_act_known, failure=failure)
        phase = await proving.run(float(entries[0].facts["deadline_s"]))
        file = LatchFile(self._store.folder(record.id).parent.parent, self._settings.redis)
        self._scribe.tell(lambda: unlatch(file, record.entries()))
        ended = record.job()
        self._minutes.write(AUDIT_KINDS[phase], f"{ended.title}: {ended.error or 'every proof holds'}", record.id)

    def jobs(self) -> tuple[Job, ...]:
        """All of them, newest first, read from the disk: it may hang, so only one thread asks, again and again."""
        self._reap()
        found = {job.id: job for job in self._store.jobs()}
        with self._guard:
            held = list(self._held.values())
        for record in held:
            found[record.id] = record.job()
        for job in tuple(found.values()):
            if job.phase is Phase.IN_DOUBT:
                self._look_after(job)
        self._known = tuple(sorted(found.values(), key=lambda job: job.id, reverse=True))
        self._settle(self._known)
        return self._known

    def _settle(self, jobs: tuple[Job, ...]) -> None:
        """Have the audit say what the journals of ended jobs say; nobody waits, and what fails is tried again."""
        now = self._clock.monotonic()
        is_paying = self._paying is not None and not self._paying.done()
        if now < self._pay_at or is_paying or self._minutes.owed:
            return
        self._pay_at = now + PAY_S
        ended = {job.id: job.phase for job in jobs if job.phase.is_over and (job.id, job.phase) not in self._paid}
        if ended:
            self._paying = self._minutes.tell(lambda log: self._pay(log, ended))

    def _pay(self, log: AuditLog, ended: Mapping[str, Phase]) -> None:
        self._paid.update((job_id, ended[job_id]) for job_id in pay(self._store, log, ended))

    def _reap(self) -> None:
        """A worker that could not begin says why in its log alone: nobody reads that, so it is said in the journal."""
        for job_id, worker in list(self._workers.items()):
            code = worker.poll()
            if code:
                self._scribe.tell(partial(self._lay_down, job_id, code))
            if code is not None:
                del self._workers[job_id]

    def _lay_down(self, job_id: str, code: int) -> None:
        claim = self._store.claim(job_id)
        if claim is None:
            return
        try:
            why = last_words(self._store, job_id, code)
            phase = lay_down(self._store, job_id, self._clock.now(), why)
        finally:
            claim.release()
        if phase is not None:
            self._minutes.write(AUDIT_KINDS[phase], why, job_id)

    def present(self) -> tuple[Job, ...]:
        """All of them as last read, and those that are here as they stand now; touches no file."""
        with self._guard:
            held = list(self._held.values())
        if not held:
            return self._known
        found = {job.id: job for job in self._known} | {record.id: record.job() for record in held}
        return tuple(sorted(found.values(), key=lambda job: job.id, reverse=True))

    def job(self, job_id: str) -> Job | None:
        """One of them."""
        with self._guard:
            record = self._held.get(job_id)
        return self._store.job(job_id) if record is None else record.job()

    async def beat(self) -> None:
        """What is owed to the disk is tried again, saved jobs are let go of."""
        self._minutes.retry()
        with self._guard:
            held = list(self._held.values())
        for record in held:
            if not record.is_saved:
                self._scribe.tell(record.save)
            elif record.job().phase.is_over:
                record.release()
                with self._guard:
                    self._held.pop(record.id, None)

    def _look_after(self, job: Job) -> None:
        """A job of ours that ended in doubt because its process died: find out, once, without doing it again."""
        if job.id in self._workers or not self._store.is_ours(job.id):
            return
        with self._guard:
            if job.id in self._looked_after or job.id in self._held:
                return
            self._looked_after.add(job.id)
        self._scribe.tell(lambda: self._resume(job))

    def _resume(self, job: Job) -> None:
        claim = self._store.claim(job.id)
        if claim is None:
            with self._guard:
                self._looked_after.discard(job.id)
            return
        try:
            entries = self._store.entries(job.id)
            if not entries or entries[-1].kind in (*ENDS, RESOLVED):
                return
            now = self._clock.now()
            if now - entries[-1].at > FORGOTTEN_S:
                error = f"{job.error}; it is too long ago to find out"
                self._store.append(job.id, [Entry(now, "in_doubt", {"error": error})])
                self._minutes.write("in_doubt", f"{job.title}: {error}", job.id)
                return
            words = "the cockpit ended before this job did; another one looks what became of it"
            self._store.append(job.id, [journaling.note(now, words), Entry(now, LEFT_BEHIND)])
            self._minutes.write("resumed", f"{job.title}: {words}", job.id)
            try:
                own_text(self._store.folder(job.id) / SETTINGS)
            except JournalError:
                self._store.write(job.id, SETTINGS, settings_text(self._settings))
            self._workers[job.id] = launch(self._store.folder(job.id), claim, self._settings.jobs.systemd)
        except JournalError as error:
            self._minutes.write("in_doubt", f"{job.title}: {error}", job.id)
        finally:
            claim.release()


def _began(launched: Future[None]) -> bool:
    """Whether a worker came of a launch that nobody can stop any more; waits for it."""
    return launched.exception() is None
