"""When a latched halt is let go of: as soon as the journal of a release says that it was read back."""

from __future__ import annotations

from collections.abc import Sequence

from actions.kill_switch.intent import Write
from actions.kill_switch.proofs import READ_BACK
from cockpit.errors import NOT_OURS, JournalError
from cockpit.model.job import Job, StepState
from cockpit.model.latch import Latch
from cockpit.storage.fold import fold
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.latches import LatchFile

RELEASE = "kill_switch.release"


def unlatch(file: LatchFile, entries: Sequence[Entry]) -> Latch | None:
    """Let go of the latch where this journal's release has been read back; the latch that was let go of.

    Raises:
        JournalError: it cannot be removed.
    """
    job = fold("", entries, is_held=True)
    write = None if job is None else _read_back(job, entries)
    return None if write is None else file.clear(write.ts_ms)


def released(store: JobStore, latch: Latch) -> int | None:
    """The `ts` of a release of this very halt that was read back, by the jobs' journals; None where there is none.

    Raises:
        JournalError: they cannot be read.
    """
    for name in store.named(RELEASE):
        job = store.job(name)
        if job is None or not _is_seen(job):
            continue
        entries = store.entries(name)
        write = _read_back(job, entries)
        if write is not None and write.ts_ms >= latch.ts_ms and _where(entries) == latch.where:
            return write.ts_ms
    return None


def words(latch: Latch) -> str:
    """For the audit."""
    return f"the latch of the halt by {latch.by} is let go of: its release was read back"


def _is_seen(job: Job) -> bool:
    return any(proof.name == READ_BACK and proof.state is StepState.DONE for proof in job.proofs)


def _read_back(job: Job, entries: Sequence[Entry]) -> Write | None:
    started = _started(entries)
    if started is None or not _is_seen(job):
        return None
    try:
        write = Write.from_facts(started.facts["write"])
    except NOT_OURS as error:
        raise JournalError("what was released cannot be read in the journal") from error
    return None if write.enabled else write


def _started(entries: Sequence[Entry]) -> Entry | None:
    return next((entry for entry in entries if entry.kind == "step_started" and "write" in entry.facts), None)


def _where(entries: Sequence[Entry]) -> object:
    started = _started(entries)
    return None if started is None else started.facts.get("where")
