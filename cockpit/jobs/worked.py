"""A worker's whole way through one job: take the target, do it or look what became of it, prove it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import CockpitError, JournalError, Rejected
from cockpit.jobs import journaling
from cockpit.jobs.action import Worked, variables_for
from cockpit.jobs.evidence import Evidence
from cockpit.jobs.judged import SnapshotProver
from cockpit.jobs.perform import perform
from cockpit.jobs.prove import Proving
from cockpit.jobs.resolve import program_ended, resolve
from cockpit.jobs.scene import Scene
from cockpit.jobs.seconds import admit
from cockpit.jobs.secrets import revealed
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import Job, Phase, StepState
from cockpit.model.plan import Plan
from cockpit.storage.attested import own_text
from cockpit.storage.audit import AuditLog
from cockpit.storage.cancelling import requested_by
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.output import OutputFile
from cockpit.storage.plans import plan_from_json
from cockpit.storage.targets import Holder, Targets

BEGUN = "working"
LEFT_BEHIND = "left_behind"
"""Somebody else found the job without its worker: from then on it is only looked at."""
PLAN = "plan.json"
WATCH_S = 0.2


async def work_through(
    store: JobStore, job: Job, entries: Sequence[Entry], action: Worked, settings: Settings, clock: Clock
) -> Phase:
    """How the job ended; its journal says the same.

    Raises:
        CockpitError: the journal cannot be read or written.
    """
    folder = store.folder(job.id)
    plan = _plan(folder, job)
    secrets, limits = revealed(settings, variables_for(action, plan)), settings.jobs
    output = OutputFile(folder, secrets, limits.output_max_bytes, limits.disk_free_min_bytes)
    evidence = Evidence(settings, clock, action.EVIDENCE)
    who = Operator(**entries[0].facts["who"])
    log = AuditLog(folder.parent.parent)

    def record(entry: Entry) -> None:
        store.append(job.id, [entry])

    scene = Scene(settings, clock, action, plan, who, evidence, output, record, log, job.id)
    scene.remember(entries)
    scene.reason = str(entries[0].facts.get("reason") or "")
    is_new = not any(entry.kind in (BEGUN, LEFT_BEHIND) for entry in entries)
    try:
        targets = Targets(folder.parent.parent / "targets")
        if is_new:
            refusal = _take(scene, targets, job)
            if refusal is not None:
                return scene.end(Phase.FAILED, f"nothing was done: {refusal}")
        elif not await program_ended(scene, targets, job):
            return scene.end(Phase.IN_DOUBT, "its worker ended, and a program that it started still runs")
        return await _through(scene, folder, job, entries, is_new)
    finally:
        output.close()
        await evidence.close()


def _plan(folder: Path, job: Job) -> Plan:
    """What was confirmed, to the letter.

    Raises:
        JournalError: it is not there, not that plan, or may be somebody else's.
    """
    plan = plan_from_json(own_text(folder / PLAN))
    if (plan.digest, plan.action) != (job.digest, job.action):
        raise JournalError("the plan in the folder is not the one that was confirmed")
    return plan


def _take(scene: Scene, targets: Targets, job: Job) -> str | None:
    """Lock what the plan says; why not, where somebody else has it. Whoever only looks needs no lock."""
    if scene.plan.danger is Danger.OBSERVE:
        return None
    try:
        scene.locks = targets.take_all(scene.plan.held, Holder(job.id, job.by, job.title))
    except Rejected as error:
        return str(error)
    return None


async def _through(scene: Scene, folder: Path, job: Job, entries: Sequence[Entry], is_new: bool) -> Phase:
    scene.tell(BEGUN, pid=os.getpid())
    watching = asyncio.ensure_future(_watch(scene, folder))
    try:
        return await _worked(scene, job, entries, is_new, folder.parent.parent)
    finally:
        watching.cancel()


async def _watch(scene: Scene, folder: Path) -> None:
    """Look for somebody's wish to stop the job."""
    while scene.plan.is_cancellable:
        by = requested_by(folder)
        if by is not None:
            scene.stopped_by = by
            scene.stop.set()
            return
        await asyncio.sleep(WATCH_S)


async def _worked(scene: Scene, job: Job, entries: Sequence[Entry], is_new: bool, state: Path) -> Phase:
    if is_new:
        confirmed = next((entry for entry in entries if entry.kind == "confirmed"), None)
        said = {**(confirmed.facts if confirmed else {}), "reason": scene.reason}
        ended = await perform(
            scene, tuple(said.get("overrides", ())), lambda: _why_not_admitted(scene, state, said, job)
        )
    else:
        ended = await resolve(scene, job)
    if ended is not None:
        return ended
    names = [proof.name for proof in job.proofs]
    proving = Proving(
        SnapshotProver(scene),
        names,
        scene.record,
        scene.clock,
        True,
        StepState.FAILED,
        stopped=lambda: scene.stopped_by,
    )
    return await proving.run(float(entries[0].facts["deadline_s"]))


def _why_not_admitted(scene: Scene, state: Path, confirmed: Mapping[str, Any], job: Job) -> str | None:
    """Why it may not be done for want of a second person; takes the approval where there is one."""
    try:
        by = admit(scene.settings, state, scene.plan, confirmed, job.id, scene.clock.now(), scene.who)
    except CockpitError as error:
        return str(error)
    if by:
        scene.record(journaling.note(scene.clock.now(), f"approved by {by}"))
    return None
