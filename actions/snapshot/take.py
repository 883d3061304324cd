"""Take a snapshot: the ledger copied and verified, Redis saved and copied, all of it on the disk before it counts."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from actions import by_hand
from actions.checks import FAIL, PASS, WARN, world_check
from actions.snapshot.keeping import CopyLedger, CopyRedis, SaveRedis, WriteDown
from actions.snapshot.kept_check import AGAIN, has_ledger
from actions.step import Stage, Step
from cockpit.clients.kept import MANIFEST, newest
from cockpit.clients.redis_save import named_keys
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "snapshot.take"
EVIDENCE = frozenset({"redis"})
DEADLINE_S = 5.0
WHOLE = "everything is on the disk"
LEDGER = "the ledger's copy is whole"
REDIS = "Redis is kept"
DONE, FAILED, UNKNOWN = StepState.DONE, StepState.FAILED, StepState.UNKNOWN
SPARE_BYTES = 64 << 20


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What is kept: the ledger, and Redis too where it answers."""
    is_redis_kept = _wanted(parameters.get("redis"), settings.redis is not None and snapshot.redis.is_live(now))
    is_ledger_kept = _wanted(parameters.get("ledger"), has_ledger(settings))
    folder = settings.below_root(settings.snapshots.folder)
    return Plan(
        action=ID,
        title="Snapshot Redis and the ledger" if is_redis_kept else "Snapshot the ledger",
        sentence="Keeps copies, so that what a later step loses can be brought back. Changes nothing that trades.",
        world=settings.world,
        site=settings.site,
        target="snapshot",
        danger=Danger.PROTECT,
        parameters=(("ledger", _word(is_ledger_kept)), ("redis", _word(is_redis_kept))),
        steps=tuple(_steps(settings, folder, is_ledger_kept, is_redis_kept)),
        checks=tuple(_checks(settings, folder, is_ledger_kept, is_redis_kept, snapshot, now)),
        impact=tuple(_impact(settings, folder, is_ledger_kept, is_redis_kept, snapshot)),
        proofs=tuple(_proofs(is_ledger_kept, is_redis_kept)),
        proof_deadline_s=DEADLINE_S,
        undo="none needed: the folder may be removed by hand",
        prepared_at=now,
    )


def _wanted(said: str | None, otherwise: bool) -> bool:
    return otherwise if said not in ("yes", "no") else said == "yes"


def _word(is_wanted: bool) -> str:
    return "yes" if is_wanted else "no"


def _steps(settings: Settings, folder: Path, is_ledger_kept: bool, is_redis_kept: bool) -> Iterator[PlanStep]:
    to = folder / "<stamp>"
    if is_ledger_kept:
        ledger = settings.below_root(settings.scripts.ledger)
        line = shlex.join(["sqlite3", str(ledger), f".backup {ledger.name}.copy"])
        yield PlanStep("ledger copied and verified", f"SQLite backup of {ledger} to {to}/ledger.db", line)
    if is_redis_kept:
        yield PlanStep("Redis has saved", "BGSAVE SCHEDULE, awaited", by_hand.redis(settings.redis, "BGSAVE"))
        yield PlanStep("Redis copied", f"its RDB file to {to}/redis.rdb, else DUMP of each named key to redis.keys")
    yield PlanStep("written down", f"{to}/{MANIFEST}: what was kept, with sizes and SHA-256")


def steps(plan: Plan) -> tuple[Step, ...]:
    """Redis last, for what it holds changes fastest; the manifest at the very end."""
    wanted = dict(plan.parameters)
    ledger = (CopyLedger(),) if wanted["ledger"] == "yes" else ()
    redis = (SaveRedis(), CopyRedis()) if wanted["redis"] == "yes" else ()
    return (*ledger, *redis, WriteDown())


def _proofs(is_ledger_kept: bool, is_redis_kept: bool) -> Iterator[str]:
    yield WHOLE
    if is_ledger_kept:
        yield LEDGER
    if is_redis_kept:
        yield REDIS


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """The manifest reads back with every file that it names, and each part says what it is."""
    proofs = {WHOLE: _whole(stage), LEDGER: _ledger(stage), REDIS: _redis(stage)}
    return tuple(proofs[name] for name in stage.plan.proofs)


def _whole(stage: Stage) -> JobStep:
    folder = Path(str(stage.facts["folder"]))
    try:
        kept = newest(folder.parent)
    except BackendError as error:
        return JobStep(WHOLE, UNKNOWN, str(error))
    if kept is None or kept.folder.name < folder.name:
        return JobStep(WHOLE, FAILED, f"{folder} is not whole")
    return JobStep(WHOLE, DONE, str(folder))


def _ledger(stage: Stage) -> JobStep:
    said = stage.facts.get("ledger") or {}
    if said.get("fault"):
        return JobStep(LEDGER, FAILED, f"it is kept as it is, but {said['fault']}: replay will refuse it")
    return JobStep(LEDGER, DONE, str(said.get("words")))


def _redis(stage: Stage) -> JobStep:
    said = stage.facts.get("redis") or {}
    return JobStep(REDIS, DONE, str(said.get("words")))


def _checks(
    settings: Settings, folder: Path, is_ledger_kept: bool, is_redis_kept: bool, snapshot: Snapshot, now: float
) -> Iterator[Check]:
    yield from world_check(settings.world)
    if not is_ledger_kept and not is_redis_kept:
        yield Check("something to keep", FAIL, "there is no ledger, and Redis gives nothing")
    if not is_ledger_kept:
        words = f"there is no {settings.below_root(settings.scripts.ledger)}: only Redis is kept"
        yield Check("ledger", WARN, words)
    yield _redis_check(settings, is_redis_kept, snapshot, now)
    yield _folder_check(folder)
    free, needed = _free_bytes(folder), _needed_bytes(settings, is_ledger_kept, is_redis_kept, snapshot)
    words = f"{free >> 20:,} MB free, about {needed >> 20:,} MB needed"
    yield Check("disk", PASS if free > needed + SPARE_BYTES else FAIL, words, is_overridable=True)


def _redis_check(settings: Settings, is_kept: bool, snapshot: Snapshot, now: float) -> Check:
    age_s, redis = snapshot.redis.age_s(now), snapshot.redis.value
    if settings.redis is None:
        return Check("Redis", WARN, "none is configured")
    if not snapshot.redis.is_live(now) or redis is None:
        why = snapshot.redis.error or "not read"
        words = f"{'refuses us' if snapshot.redis.is_denied else 'does not answer'}: {why}"
        if is_kept:
            return Check("Redis", FAIL, words, age_s)
        return Check("Redis", WARN, f"{words}; only the ledger is kept: {AGAIN}", age_s)
    if not is_kept:
        return Check("Redis", WARN, "it answers, and is left out", age_s)
    if redis.is_loading:
        return Check("Redis", FAIL, "it is loading its data", age_s)
    if redis.is_save_ok is False:
        return Check("Redis", WARN, "its last save FAILED: if this one does too, its keys are copied instead", age_s)
    return Check("Redis", PASS, f"answers in {redis.round_trip_ms:.1f} ms", age_s)


def _folder_check(folder: Path) -> Check:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    is_writable = os.access(there, os.W_OK | os.X_OK)
    return Check("folder", PASS if is_writable else FAIL, f"{there} may {'be' if is_writable else 'NOT be'} written")


def _free_bytes(folder: Path) -> int:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free


def _needed_bytes(settings: Settings, is_ledger_kept: bool, is_redis_kept: bool, snapshot: Snapshot) -> int:
    """The ledger as it is; Redis' file is smaller than its memory."""
    redis = snapshot.redis.value
    of_redis = redis.used_bytes if is_redis_kept and redis is not None else 0
    return of_redis + (_ledger_bytes(settings) if is_ledger_kept else 0)


def _ledger_bytes(settings: Settings) -> int:
    ledger = settings.below_root(settings.scripts.ledger)
    return ledger.stat().st_size if ledger.is_file() else 0


def _impact(
    settings: Settings, folder: Path, is_ledger_kept: bool, is_redis_kept: bool, snapshot: Snapshot
) -> Iterator[str]:
    yield f"a new folder in {folder}, for this user alone; nothing there is ever removed by the cockpit"
    if is_ledger_kept:
        yield f"the ledger, {_ledger_bytes(settings) / (1 << 20):,.1f} MB: who writes it goes on meanwhile"
    if is_redis_kept and settings.redis is not None:
        redis = snapshot.redis.value
        if redis is not None:
            yield f"Redis forks to save {redis.used_bytes >> 20:,} MB; clients go on meanwhile"
        count = len(named_keys(settings.redis, settings.feeds.names))
        yield f"if its file cannot be reached from here, its {count} named keys are copied one after the other"
