"""What the audit says about how a job ended, and what it owes to the jobs' journals where it could not be written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cockpit.errors import NOT_OURS, JournalError
from cockpit.jobs.minutes import late
from cockpit.jobs.worked import BEGUN
from cockpit.model.audit import AuditRecord, Operator
from cockpit.model.job import Job, Phase, StepState
from cockpit.storage.audit import AuditLog
from cockpit.storage.fold import ENDS, fold
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.text import clean

AUDIT_KINDS = {Phase.DONE: "proven", Phase.FAILED: "failed", Phase.IN_DOUBT: "in_doubt", Phase.CANCELLED: "cancelled"}
STEP_CHARACTERS = 600
_STEPS = ("step_done", "step_failed", "step_unknown")


def ending(job: Job, submitted: Entry, now: float) -> AuditRecord:
    """What the audit says about how it ended; in the name of who confirmed it."""
    held = [f"{proof.name} {proof.took_s} s" for proof in job.proofs if proof.state is StepState.DONE]
    text = f"{job.title}: {'; '.join(held) or 'nothing proven'}"
    text = f"{text}. {job.error}" if job.error else text
    return _record(job.id, submitted, now, AUDIT_KINDS[job.phase], text[:900])


def pay(store: JobStore, log: AuditLog, jobs: Iterable[str]) -> frozenset[str]:
    """Write what the audit lacks of those of these jobs that are ours and ended; the ones that are settled by now.

    Whoever holds a job's claim writes about it: two that pay at once do not write the same.

    Raises:
        JournalError: the audit cannot be read or written.
    """
    ids = frozenset(jobs)
    journals = {job_id: _ended(store, job_id) for job_id in sorted(ids) if store.is_ours(job_id)}
    ended = {job_id: entries for job_id, entries in journals.items() if entries}
    known = log.about(ended) if ended else ()
    owing = {job_id for job_id, entries in ended.items() if _owed(job_id, entries, known)}
    busy = {job_id for job_id in owing if not _pay_one(store, log, job_id, ended[job_id])}
    return ids - busy - (journals.keys() - ended.keys())


def _ended(store: JobStore, job_id: str) -> tuple[Entry, ...]:
    """The journal of a job that ended; empty where it did not, or cannot be read."""
    try:
        entries = store.entries(job_id)
    except JournalError:
        return ()
    return entries if any(entry.kind in ENDS for entry in entries) else ()


def _pay_one(store: JobStore, log: AuditLog, job_id: str, entries: Sequence[Entry]) -> bool:
    """False where somebody works on it: they may be about to write it themselves."""
    claim = store.claim(job_id)
    if claim is None:
        return False
    try:
        # Read again under the claim: another process may have paid a moment ago.
        for draft in _owed(job_id, entries, log.about((job_id,))):
            log.append(draft)
        log.sync_head()
    finally:
        claim.release()
    return True


def _owed(job_id: str, entries: Sequence[Entry], known: Sequence[AuditRecord]) -> tuple[AuditRecord, ...]:
    """What the journal says and the audit does not; nothing where this version cannot understand the journal."""
    try:
        return tuple(_lacking(job_id, entries, [record for record in known if record.ref == job_id]))
    except NOT_OURS:
        return ()


def _lacking(job_id: str, entries: Sequence[Entry], said: Sequence[AuditRecord]) -> Iterator[AuditRecord]:
    last = max(index for index, entry in enumerate(entries) if entry.kind in ENDS)
    job = fold(job_id, entries[: last + 1], is_held=True)
    if job is None or not job.action:
        return
    submitted = entries[0]
    # What is written at once, without a worker, is told by who wrote it, in words of its own.
    if any(entry.kind == BEGUN for entry in entries):
        for kind, text, at in _steps(entries[: last + 1]):
            if not any(record.kind == kind and record.text.startswith(text) for record in said):
                yield late(_record(job_id, submitted, at, kind, text))
    if not any(record.kind == AUDIT_KINDS[job.phase] for record in said):
        yield late(ending(job, submitted, entries[last].at))


def _steps(entries: Sequence[Entry]) -> Iterator[tuple[str, str, float]]:
    """The kind, the words and the time of each step's beginning and end, as the worker has them in the audit."""
    submitted = entries[0].facts
    for entry in entries:
        if entry.kind == "step_started":
            yield entry.kind, clean(f"{submitted['title']}: {entry.facts['command']}", STEP_CHARACTERS), entry.at
        elif entry.kind in _STEPS:
            name, detail = submitted["steps"][entry.facts["step"]], entry.facts.get("detail", "")
            yield entry.kind, clean(f"{name}: {detail}", STEP_CHARACTERS), entry.at


def _record(job_id: str, submitted: Entry, at: float, kind: str, text: str) -> AuditRecord:
    facts = submitted.facts
    who, world, site = Operator(**facts["who"]), str(facts["world"]), str(facts["site"])
    return AuditRecord(round(at, 6), who, kind, world, site, job_id, text, "", "")
