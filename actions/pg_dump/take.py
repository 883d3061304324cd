"""Dump Postgres now: into a file of its own, read in full, then made the newest; the one before keeps a name too."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from actions.checks import FAIL, PASS, evidence_error, world_check
from actions.pg_dump.dumping import Put, Read, Write, file_of
from actions.step import Stage, Step
from cockpit.clients.postgres_link import conninfo, database_name
from cockpit.config import PostgresPart, Settings
from cockpit.errors import BackendError
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "pg_dump.take"
EVIDENCE = frozenset({"postgres", "dump"})
DEADLINE_S = 20.0
NEWEST = "it is the newest dump"
SPARE_BYTES = 64 << 20


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What dumping would do now."""
    part = settings.postgres or PostgresPart()
    newest = settings.below_root(part.dump)
    try:
        database, to = database_name(part), conninfo(part, database_name(part))
    except BackendError:
        database, to = "hedgefund", "hedgefund"
    file = file_of(newest, "<stamp>")
    command = shlex.join((part.pg_dump, "-Fc", "-d", to, "-f", str(file)))
    read = shlex.join((part.pg_restore, "-f", "-", str(file)))
    return Plan(
        action=ID,
        title=f"Dump {database}",
        sentence="Writes a dump, reads all of it, and makes it the newest one. Changes nothing in the database.",
        world=settings.world,
        site=settings.site,
        target="dump",
        danger=Danger.PROTECT,
        parameters=(),
        steps=(
            PlanStep("dumped", command, command),
            PlanStep("read in full", read, read.replace(" -f - ", " -f /dev/null ")),
            PlanStep("made the newest", f"link {file} as {newest}", f"ln -f {shlex.quote(str(file))} {newest}"),
        ),
        checks=tuple(_checks(settings, part, newest, snapshot, now)),
        impact=tuple(_impact(newest, snapshot)),
        proofs=(NEWEST,),
        proof_deadline_s=DEADLINE_S,
        undo="none needed: the dump before stays beside it",
        locks=("postgres",),
        is_cancellable=True,
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """Only what was read in full is put in place."""
    return (Write(), Read(), Put())


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """The newest dump is ours, or one that came after it."""
    sample, written_at = stage.snapshot.dump, float(stage.facts.get("written_at", 0.0))
    now = stage.clock.now()
    if sample.value is None or not sample.is_live(now):
        return (JobStep(NEWEST, StepState.UNKNOWN, sample.error or "not read"),)
    if sample.value.identity == stage.facts.get("identity"):
        return (JobStep(NEWEST, StepState.DONE, f"{sample.value.path}, {sample.value.size_bytes:,} bytes"),)
    if now - sample.value.age_s >= written_at - 1.0:
        return (JobStep(NEWEST, StepState.DONE, "a still newer one has taken its place"),)
    return (JobStep(NEWEST, StepState.RUNNING, f"the newest is {sample.value.age_s:.0f} s old"),)


def _checks(settings: Settings, part: PostgresPart, newest: Path, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    if settings.postgres is None:
        yield Check("Postgres answers", FAIL, "no Postgres is configured")
        return
    unknown, server = evidence_error("Postgres answers", snapshot.postgres, now), snapshot.postgres.value
    if unknown is not None or server is None:
        yield unknown or Check("Postgres answers", FAIL, "not read")
        return
    age_s = snapshot.postgres.age_s(now)
    yield Check("Postgres answers", PASS, f"version {server.version}", age_s)
    if server.missing_tables:
        words = f"{', '.join(server.missing_tables)} missing: such a dump must not become the newest"
        yield Check("tables", FAIL, words, age_s)
    if shutil.which(part.pg_dump) is None:
        yield Check("program", FAIL, f"there is no {part.pg_dump}")
    yield _folder(newest.parent, server.size_bytes)


def _folder(folder: Path, needed: int) -> Check:
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check("folder", FAIL, f"{folder} may not be written")
    free = shutil.disk_usage(folder).free
    words = f"{free >> 20:,} MB free in {folder}, at most about {needed >> 20:,} MB needed"
    return Check("folder", PASS if free > needed + SPARE_BYTES else FAIL, words, is_overridable=True)


def _impact(newest: Path, snapshot: Snapshot) -> Iterator[str]:
    dump, server = snapshot.dump.value, snapshot.postgres.value
    yield f"a new file beside {newest.name}, of which it becomes another name; nothing is removed"
    if server is not None:
        yield f"reads {server.size_bytes >> 20:,} MB; clients go on, only DROP and ALTER TABLE wait"
    if dump is not None:
        yield f"the newest dump now is {dump.age_s:.0f} s old"
