"""A worker that ended without having begun: what it left in its log is said in the job's journal."""

from __future__ import annotations

import os

from cockpit.jobs import journaling
from cockpit.jobs.launch import LOG
from cockpit.jobs.worked import BEGUN, LEFT_BEHIND
from cockpit.model.job import Phase
from cockpit.storage.disk import opened
from cockpit.storage.fold import ENDS, RESOLVED
from cockpit.storage.jobs import JobStore
from cockpit.text import clean

LAST_BYTES = 4096


def last_words(store: JobStore, job_id: str, code: int) -> str:
    """Why a worker, or what should have started it, ended with this code."""
    how = f"by signal {-code}" if code < 0 else f"with {code}"
    return f"its worker ended {how}: {_last_line(store, job_id) or 'it said nothing'}"


def lay_down(store: JobStore, job_id: str, now: float, why: str) -> Phase | None:
    """Under the job's claim: say why; FAILED where nothing was begun, IN_DOUBT where the one who looked ended.

    None where there is nothing to say: it is over, or the next worker will look what became of it.

    Raises:
        JournalError: the journal cannot be read or written.
    """
    entries = store.entries(job_id)
    kinds = {entry.kind for entry in entries}
    if not entries or entries[-1].kind in (*ENDS, RESOLVED):
        return None
    if LEFT_BEHIND in kinds:
        # Not its end: a cockpit that can start a worker may still find out.
        store.append(job_id, [journaling.note(now, f"nobody could look what became of it: {why}")])
        return Phase.IN_DOUBT
    if kinds & {BEGUN, "step_started"}:
        return None
    store.append(job_id, journaling.not_begun(now, f"nothing was done: {why}"))
    return Phase.FAILED


def _last_line(store: JobStore, job_id: str) -> str:
    try:
        with opened(store.folder(job_id) / LOG, os.O_RDONLY) as descriptor:
            size = os.fstat(descriptor).st_size
            end = os.pread(descriptor, LAST_BYTES, max(0, size - LAST_BYTES))
    except OSError:
        return ""
    lines = [line for line in end.decode("utf-8", "replace").splitlines() if line.strip()]
    return clean(lines[-1].strip()) if lines else ""
