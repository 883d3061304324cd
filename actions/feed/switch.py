"""Switch the primary feed to the backup in registry.yaml, or back: the two names change places, nothing else moves."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actions.checks import FAIL, PASS, WARN, evidence_error, world_check
from actions.feed.scalars import replaced
from actions.step import Result, Stage, Step
from cockpit.clients.registry_write import content_of, keep, kept_name, rewrite, why_not
from cockpit.config import Settings
from cockpit.errors import BackendError, ConfigError
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

ID = "feed.switch"
EVIDENCE = frozenset({"registry", "feeds"})
DEADLINE_S = 15.0
READ_BACK = "registry reads back"
TICKS = "ticks arrive from it"
DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


@dataclass(frozen=True, slots=True)
class Change:
    """What would be written."""

    before: bytes
    after: bytes
    error: str = ""

    @property
    def diff(self) -> tuple[str, ...]:
        """The lines that differ, as they were and as they will be."""
        old, new = (side.decode("utf-8", "replace").splitlines() for side in (self.before, self.after))
        lines = difflib.unified_diff(old, new, n=0, lineterm="")
        return tuple(clean(line, 120) for line in list(lines)[2:] if not line.startswith("@@"))


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What switching would do now; reads the file, for its very bytes are what is confirmed."""
    file = settings.below_root(settings.feeds.registry)
    registry = snapshot.registry.value
    old = registry.primary if registry else "unknown"
    new = parameters.get("to") or (registry.backup if registry else "unknown")
    change = _change(settings, file, new, old)
    kept = kept_name(file, change.before)
    return Plan(
        action=ID,
        title=f"Switch the feed to {new} in {file.name}",
        sentence=f"Makes {new} the primary feed and {old} the backup in {file.name}; pods read it when they start.",
        world=settings.world,
        site=settings.site,
        target=file.name,
        danger=Danger.DISRUPT,
        parameters=(("file", str(file)), ("to", new)),
        steps=(
            PlanStep(f"{file.name} kept", f"copy to {kept.name}", shlex.join(["cp", "-p", str(file), str(kept)])),
            PlanStep(f"{file.name} changed", _write_words(settings, new, old, change), shlex.join(["vi", str(file)])),
        ),
        checks=tuple(_checks(settings, file, new, change, snapshot, now)),
        impact=tuple(_impact(settings, old, new, change)),
        proofs=(READ_BACK, TICKS),
        proof_deadline_s=DEADLINE_S,
        undo=f"the same step again switches back; the old file is kept as {kept.name}",
        phrase=file.name,
        prepared_at=now,
    )


def _write_words(settings: Settings, new: str, old: str, change: Change) -> str:
    """The exact content that is confirmed, by its digest."""
    paths = settings.feeds.primary_path, settings.feeds.backup_path
    file, digest = settings.below_root(settings.feeds.registry), hashlib.sha256(change.after).hexdigest()[:12]
    return f"{file}: {paths[0]}: {new}, {paths[1]}: {old} (sha256 {digest}…)"


def steps(plan: Plan) -> tuple[Step, ...]:
    """Keep the old file, then write the new one."""
    return (_Keep(), _Write())


class _Keep(Step):
    def before(self, stage: Stage) -> dict[str, Any]:
        """Which feeds change places."""
        registry = stage.snapshot.registry.value
        if registry is None:
            raise ConfigError("the registry was not read")
        return {"old": registry.primary, "new": dict(stage.plan.parameters)["to"]}

    async def perform(self, stage: Stage) -> Result:
        """The copy."""
        file = stage.settings.below_root(stage.settings.feeds.registry)
        content = await asyncio.to_thread(content_of, file)
        return Result(DONE, (await asyncio.to_thread(keep, file, content)).name)

    def probe(self, stage: Stage) -> Result:
        """A copy more or less harms nobody; the registry itself is untouched."""
        return Result(FAILED, "the registry is untouched")


class _Write(Step):
    async def perform(self, stage: Stage) -> Result:
        """The new content, made from what the file holds at this moment."""
        settings, facts = stage.settings, stage.facts
        file = settings.below_root(settings.feeds.registry)
        change = await asyncio.to_thread(_change, settings, file, str(facts["new"]), str(facts["old"]))
        if change.error:
            raise ConfigError(change.error)
        if hashlib.sha256(change.after).hexdigest()[:12] not in stage.plan.steps[1].command:
            return Result(FAILED, "the file was changed by somebody else meanwhile")
        await asyncio.to_thread(rewrite, file, change.before, change.after)
        return Result(DONE, " ".join(change.diff))

    def probe(self, stage: Stage) -> Result:
        """What the registry says now."""
        sample = stage.snapshot.registry
        if sample.value is None or not sample.is_live(stage.clock.now()):
            return Result(UNKNOWN, sample.error or "the registry was not read")
        if sample.value.primary == stage.facts.get("new"):
            return Result(DONE, f"the registry names {sample.value.primary}")
        return Result(FAILED, f"the registry still names {sample.value.primary}")


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """The registry says it, and prices come from it; what follows from it is said too."""
    return (_read_back(stage), _ticks(stage))


def _read_back(stage: Stage) -> JobStep:
    sample, new = stage.snapshot.registry, stage.facts["new"]
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return JobStep(READ_BACK, UNKNOWN, sample.error or "not read")
    if (sample.value.primary, sample.value.backup) != (new, stage.facts["old"]):
        return JobStep(READ_BACK, FAILED, f"primary {sample.value.primary}, backup {sample.value.backup}")
    name = stage.settings.feeds.deployment
    return JobStep(READ_BACK, DONE, f"NEXT: Space f w restarts {name}, whose pods follow the old feed; primary {new}")


def _ticks(stage: Stage) -> JobStep:
    sample, new = stage.snapshot.feeds, str(stage.facts["new"])
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return JobStep(TICKS, UNKNOWN, sample.error or "not read")
    age_s = next((feed.newest_age_s for feed in sample.value.feeds if feed.name == new), None)
    if age_s is None or age_s > stage.settings.thresholds.feed_stalled_s:
        return JobStep(TICKS, RUNNING, f"{new}: no tick" if age_s is None else f"{new}: the newest {age_s:.0f} s old")
    return JobStep(TICKS, DONE, f"{new}: the newest {age_s:.1f} s old")


def _change(settings: Settings, file: Path, new: str, old: str) -> Change:
    try:
        before = content_of(file)
        text = before.decode("utf-8")
        values = {settings.feeds.primary_path: new, settings.feeds.backup_path: old}
        return Change(before, replaced(text, values).encode("utf-8"))
    except UnicodeDecodeError:
        return Change(before, before, f"{file.name} is not UTF-8 text")
    except ConfigError as error:
        return Change(before, before, f"{file.name}: {error}")
    except BackendError as error:
        return Change(b"", b"", str(error))


def _checks(
    settings: Settings, file: Path, new: str, change: Change, snapshot: Snapshot, now: float
) -> Iterator[Check]:
    yield from world_check(settings.world)
    unknown = evidence_error("registry", snapshot.registry, now)
    if unknown is not None:
        yield unknown
        return
    registry, age_s = snapshot.registry.value, snapshot.registry.age_s(now)
    assert registry is not None
    if change.error:
        yield Check("registry", FAIL, change.error, age_s)
    elif new == registry.primary:
        yield Check("registry", FAIL, f"{new} is the primary feed already", age_s)
    elif new != registry.backup:
        yield Check("registry", FAIL, f"{new} is not its backup feed, {registry.backup} is", age_s)
    else:
        yield Check("registry", PASS, f"primary {registry.primary}, backup {registry.backup}", age_s)
    refused = why_not(file)
    yield Check("file", FAIL, refused) if refused else Check("file", PASS, f"{file.parent} may be written")
    yield _backup(settings, new, snapshot, now)


def _backup(settings: Settings, new: str, snapshot: Snapshot, now: float) -> Check:
    """Whether the one to switch to is any better."""
    name = f"feed {new}"
    unknown = evidence_error(name, snapshot.feeds, now)
    if unknown is not None:
        return unknown
    assert snapshot.feeds.value is not None
    age_s = snapshot.feeds.age_s(now)
    feed = next((one for one in snapshot.feeds.value.feeds if one.name == new), None)
    if feed is None:
        return Check(name, FAIL, "it is not among the feeds that are watched", age_s)
    if feed.newest_age_s is None or feed.newest_age_s > settings.thresholds.feed_stalled_s:
        seen = "no tick at all" if feed.newest_age_s is None else f"its newest tick is {feed.newest_age_s:.0f} s old"
        return Check(name, FAIL, seen, age_s, is_overridable=True)
    lag = feed.lag_p95_ms
    words = f"{feed.tick_rate_per_s or 0:.0f} ticks/s, lag {'unknown' if lag is None else f'{lag:.0f} ms'} (p95)"
    is_late = lag is None or lag > settings.thresholds.feed_lag_ms
    return Check(name, WARN if is_late else PASS, words, age_s)


def _impact(settings: Settings, old: str, new: str, change: Change) -> Iterator[str]:
    yield from change.diff
    changed = sum(line.startswith("+") for line in change.diff)
    yield f"{changed} line{'' if changed == 1 else 's'} of {change.before.count(10) + 1}; every other byte stays"
    yield f"nothing follows {new} before {settings.feeds.deployment} is restarted (Space f w)"
