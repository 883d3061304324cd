"""What people ask of jobs that are on their way or ended in doubt: to stop one, to take their word for one."""

from __future__ import annotations

from concurrent.futures import Future

from cockpit.clock import Clock
from cockpit.errors import JournalError, Rejected
from cockpit.jobs.minutes import Minutes
from cockpit.model.audit import Operator
from cockpit.model.job import Job, Phase
from cockpit.storage.cancelling import REQUEST, request_text, requested_by
from cockpit.storage.fold import RESOLVED
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.text import clean

AUDIT_WAIT_S = 5.0


class Requests:
    """One operator's; on the disk and in the audit on return."""

    def __init__(self, store: JobStore, minutes: Minutes, operator: Operator, clock: Clock) -> None:
        self._store = store
        self._minutes = minutes
        self._operator = operator
        self._clock = clock

    def cancel(self, job_id: str) -> Job:
        """Ask the job's worker to stop; the job as it stands then: it stops where that does no harm.

        Raises:
            Rejected: it is over, or may not be stopped half-way.
            JournalError: the wish cannot be written, or the audit of it.
        """
        job = self._job(job_id)
        if job.phase is Phase.IN_DOUBT:
            raise Rejected(f"nobody works on {job.title}: there is nothing to stop")
        if job.phase.is_over:
            raise Rejected(f"{job.title} is over: {job.phase}")
        if not job.is_cancellable:
            raise Rejected(f"{job.title} cannot be stopped half-way without harm: it goes on to its end")
        now, by = self._clock.now(), self._operator.label
        # What the worker looks for decides: where that could not be written, the next press writes it.
        if requested_by(self._store.folder(job.id)) is None:
            self._store.write(job.id, REQUEST, request_text(by, now))
            self._store.append(job.id, [Entry(now, "cancel", {"by": by})])
            written = self._minutes.write("cancel", f"{job.title}: told to stop", job.id)
            self._said(written, "it was told to stop")
        return self._job(job_id)

    def resolve(self, job_id: str, is_done: bool, reason: str) -> Job:
        """Take this person's word for a job in doubt; changes nothing in the world, and says whose word it is.

        Raises:
            Rejected: it is not in doubt, somebody looks what became of it, or there is no reason.
            JournalError: it cannot be written.
        """
        why = clean(reason, 300).strip()
        if not why:
            raise Rejected("a reason is needed: by what is it known?")
        claim = self._store.claim(job_id)
        if claim is None:
            self._job(job_id)
            raise Rejected("somebody works on it, or looks what became of it, at this moment")
        try:
            # Only now: whoever had it may have ended it.
            job = self._job(job_id)
            # Under our own claim, a job that nobody ended looks as if it ran.
            if job.phase.is_over and job.phase is not Phase.IN_DOUBT:
                raise Rejected("it is not in doubt: its journal says how it ended")
            by = self._operator.label
            facts = {"by": by, "is_done": is_done, "reason": why}
            self._store.append(job_id, [Entry(self._clock.now(), RESOLVED, facts)])
        finally:
            claim.release()
        word = "done" if is_done else "not done"
        written = self._minutes.write("resolved", f"{job.title}: {word}, by the word of {by}: {why}", job_id)
        self._said(written, "the word is in its journal")
        return self._job(job_id)

    def _job(self, job_id: str) -> Job:
        job = self._store.job(job_id)
        if job is None:
            raise Rejected(f"there is no job {clean(job_id, 80)}")
        return job

    @staticmethod
    def _said(written: Future[None], what: str) -> None:
        """In the audit too; where not, what was done all the same is not called undone."""
        try:
            written.result(AUDIT_WAIT_S)
        except (JournalError, TimeoutError) as error:
            words = str(error) or "the disk did not answer"
            raise JournalError(f"{what}, but the audit does not say so yet: {words}") from None
