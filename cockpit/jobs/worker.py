"""`python -m cockpit.jobs.worker FOLDER SETTINGS`: does and proves a job, whatever becomes of the cockpit.

The first worker of a job performs its steps; one that is started later only looks what became of them. A halt was
written before the worker exists, so there it only proves. Its standard input is the job's held lock; the lock ends with
the process.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from actions.kill_switch.intent import Write
from actions.kill_switch.prover import KillSwitchProver
from cockpit.clock import Clock, SystemClock
from cockpit.config import Settings, load
from cockpit.errors import CockpitError, ConfigError, JournalError
from cockpit.jobs.action import action_for, is_struck, is_worked
from cockpit.jobs.letting_go import unlatch, words
from cockpit.jobs.outcomes import ending, pay
from cockpit.jobs.prove import Failure, Prover, Proving
from cockpit.jobs.stillborn import lay_down
from cockpit.jobs.worked import work_through
from cockpit.model.job import Job, Phase
from cockpit.model.latch import Latch
from cockpit.storage.attested import own_text
from cockpit.storage.audit import AuditLog
from cockpit.storage.fold import fold, performed
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.latches import LatchFile
from cockpit.text import clean


def prover_for(settings: Settings, entries: Sequence[Entry], latch: Latch | None = None) -> tuple[Prover, bool]:
    """What proves this journal's act, and whether the act's outcome is known.

    Raises:
        CockpitError: the journal or the configuration does not allow it.
    """
    if settings.redis is None:
        raise ConfigError("no Redis is configured")
    started = next((entry for entry in entries if entry.kind == "step_started"), None)
    last = performed(entries)
    if started is None or last is None:
        raise JournalError("nothing was begun")
    act_ms = last.facts.get("redis_ms")
    venues = [venue.name for venue in settings.venues]
    write = Write.from_facts(started.facts["write"])
    is_latched = latch is not None and latch.wish_ms == write.ts_ms
    prover = KillSwitchProver(settings.redis, write, act_ms, venues, is_latched)
    return prover, last.kind in ("step_done", "step_failed")


def failure_for(settings: Settings, entries: Sequence[Entry]) -> Failure:
    """What is to be said where this journal's act is not proven: the verdict, and what the journal does not say yet."""
    action = action_for(entries[0].facts["action"])
    noted = {entry.facts.get("text") for entry in entries if entry.kind == "note"}

    def failure(error: str, is_known: bool) -> tuple[str, ...]:
        texts = action.failure(settings, error, is_known) if is_struck(action) else ()
        return (*texts[:1], *(text for text in texts[1:] if text not in noted))

    return failure


def work(folder: Path, settings: Settings, clock: Clock) -> Phase:
    """Do, look after or prove the job in this folder.

    Raises:
        CockpitError: the journal cannot be read or written.
    """
    store, state = JobStore(folder.parent), folder.parent.parent
    if not store.is_ours(folder.name):
        raise JournalError(f"{folder} is somebody else's job: it is not done, nor looked after, in our name")
    entries = store.entries(folder.name)
    job = fold(folder.name, entries, is_held=True)
    if job is None:
        raise JournalError(f"{folder} holds no job")
    if job.phase.is_over:
        return job.phase
    action = action_for(job.action)
    if is_worked(action):
        phase = asyncio.run(work_through(store, job, entries, action, settings, clock))
    else:
        latch = None
        with suppress(JournalError):  # the halt itself is proven all the same
            latch = LatchFile(state, settings.redis).read()
        phase = asyncio.run(_prove(store, job, entries, settings, clock, latch))
    ended = store.job(folder.name)
    assert ended is not None
    let_go = None
    if not is_worked(action):
        # Before the audit, which may refuse: a latch that is left would halt trading again, long after its release.
        with suppress(JournalError):  # whoever watches over the latch reads the journal too
            let_go = unlatch(LatchFile(state, settings.redis), store.entries(folder.name))
    log = AuditLog(state)
    log.append(ending(ended, entries[0], clock.now()))
    if let_go is not None:
        log.append(replace(ending(ended, entries[0], clock.now()), kind="unlatched", text=words(let_go)))
    log.sync_head()
    with suppress(JournalError):  # those before us that could not write it
        pay(store, log, [each.id for each in store.jobs() if each.phase.is_over])
    return phase


async def _prove(
    store: JobStore, job: Job, entries: Sequence[Entry], settings: Settings, clock: Clock, latch: Latch | None
) -> Phase:
    prover, is_act_known = prover_for(settings, entries, latch)
    proving = Proving(
        prover,
        [proof.name for proof in job.proofs],
        lambda entry: store.append(job.id, [entry]),
        clock,
        is_act_known,
        failure=failure_for(settings, entries),
    )
    return await proving.run(float(entries[0].facts["deadline_s"]))


def main(arguments: list[str]) -> int:
    """Exit code 0 where the proof came to an end, whatever it said."""
    if len(arguments) != 2:
        print("usage: python -m cockpit.jobs.worker JOB_FOLDER SETTINGS_FILE", file=sys.stderr)
        return 2
    # A closed terminal or an impatient key must not stop a proof.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    folder = Path(arguments[0])
    try:
        settings = load(Path(arguments[1]), own_text(Path(arguments[1])))
        work(folder, settings, SystemClock())
    except CockpitError as error:
        print(error, file=sys.stderr)
        _lay_down(folder, str(error))
        return error.exit_code
    except Exception as error:
        traceback.print_exc()
        _lay_down(folder, f"internal error: {error!r}")
        return 1
    return 0


def _lay_down(folder: Path, why: str) -> None:
    """The job is ours: our standard input is its lock."""
    store = JobStore(folder.parent)
    with suppress(CockpitError):
        if store.is_ours(folder.name):
            lay_down(store, folder.name, SystemClock().now(), clean(f"its worker ended: {why}", 300))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
