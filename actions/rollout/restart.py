"""Restart a deployment: the patch of `kubectl rollout restart`, proven by the rule of `rollout status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from actions.by_hand import kubectl
from actions.checks import FAIL, PASS, UNKNOWN, WARN
from actions.rollout.cluster import (
    COMPLETE,
    cluster_of,
    complete,
    deployment,
    deployments,
    missing,
    orders_check,
    ready_check,
)
from actions.rollout.ticks import TICKS, ticks
from actions.step import Result, Stage, Step
from cockpit.clients.kubernetes_write import RESTARTED_AT, restart_deployment
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import Deployment
from cockpit.model.choice import NONE_CHOSEN, Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "rollout.restart"
EVIDENCE = frozenset({"kubernetes", "feeds", "registry"})
DEADLINE_S = 120.0

STAMPED = "our restart is the newest"
DONE, RUNNING, FAILED = StepState.DONE, StepState.RUNNING, StepState.FAILED


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What restarting would do now; where none is named, the deployment that takes the feeds in."""
    name = parameters.get("deployment", settings.feeds.deployment) or NONE_CHOSEN
    cluster, is_ingestion = cluster_of(settings, snapshot), name == settings.feeds.deployment
    command = f"PATCH apps/v1 deployments/{name}: spec.template.metadata.annotations.{RESTARTED_AT} = <now>"
    follows = "; each reads the registry anew when it starts" if is_ingestion else ""
    return Plan(
        action=ID,
        title=f"Restart {name}",
        sentence=f"Replaces the pods of {name} as its strategy says{follows}. "
        f"Namespace {cluster['namespace']} on {cluster['server']}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=(("deployment", name), *cluster.items()),
        steps=(
            PlanStep(f"{name} told to restart", command, kubectl(settings, "rollout", "restart", f"deploy/{name}")),
        ),
        checks=tuple(_checks(settings, name, snapshot, now)),
        impact=tuple(_impact(name, snapshot, is_ingestion)),
        proofs=(STAMPED, COMPLETE, TICKS) if is_ingestion else (STAMPED, COMPLETE),
        proof_deadline_s=DEADLINE_S,
        undo=f"{kubectl(settings, 'rollout', 'undo', f'deploy/{name}')} puts the pods before it back",
        phrase=name,
        is_cancellable=True,
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The configured deployments."""
    return deployments(settings, snapshot) if parameter == "deployment" else ()


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one patch."""
    return (_Restart(),)


class _Restart(Step):
    deadline_s = 20.0

    def before(self, stage: Stage) -> dict[str, Any]:
        """The stamp by which our restart is found again."""
        return {"restarted_at": stamp(stage.clock.now())}

    def command(self, stage: Stage) -> str | None:
        """With the stamp."""
        return stage.plan.steps[0].command.replace("<now>", str(stage.facts["restarted_at"]))

    async def perform(self, stage: Stage) -> Result:
        """One PATCH."""
        if stage.settings.kubernetes is None:
            raise ConfigError("no Kubernetes is configured")
        at = str(stage.facts["restarted_at"])
        server = dict(stage.plan.parameters)["server"]
        await restart_deployment(stage.settings.kubernetes, stage.plan.target, at, server)
        return Result(DONE, f"{RESTARTED_AT} {at}")

    def probe(self, stage: Stage) -> Result:
        """Whether the deployment bears our stamp."""
        found = deployment(stage.snapshot, stage.plan.target)
        if found is None or not stage.snapshot.kubernetes.is_live(stage.clock.now()):
            return Result(StepState.UNKNOWN, stage.snapshot.kubernetes.error or f"{stage.plan.target} is not there")
        if _is_ours(stage, found):
            return Result(DONE, f"the deployment bears our stamp {stage.facts['restarted_at']}")
        return Result(FAILED, "the deployment does not bear our stamp: not restarted by this")


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Ours is the newest, it is complete, and prices come in where it takes them in."""
    sample = stage.snapshot.kubernetes
    found = deployment(stage.snapshot, stage.plan.target)
    if found is None or not sample.is_live(stage.clock.now()):
        why = sample.error or f"{stage.plan.target} is not there"
        judged = [JobStep(name, StepState.UNKNOWN, why) for name in (STAMPED, COMPLETE)]
    elif not _is_ours(stage, found):
        # Seen only while it is proven: a later restart or revert by somebody else is theirs.
        theirs = "somebody else has changed the deployment since: look at its history"
        judged = [JobStep(STAMPED, FAILED, theirs), complete(found)]
    else:
        judged = [JobStep(STAMPED, DONE, str(stage.facts["restarted_at"])), complete(found)]
    return (*judged, ticks(stage)) if TICKS in stage.plan.proofs else tuple(judged)


def stamp(now: float) -> str:
    """The moment as RFC 3339, to the microsecond: with kubectl's whole seconds, two restarts could share one stamp.

    >>> stamp(1_700_000_000.25)
    '2023-11-14T22:13:20.250000Z'
    """
    return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _is_ours(stage: Stage, found: Deployment) -> bool:
    return found.restarted_at is not None and found.restarted_at == stage.facts.get("restarted_at")


def _checks(settings: Settings, name: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    stopping = tuple(missing(settings, name, snapshot, now))
    yield from stopping
    found = deployment(snapshot, name)
    if found is None or any(check.blocks for check in stopping):
        return
    age_s = snapshot.kubernetes.age_s(now)
    yield _rollout(found, age_s)
    yield ready_check(found, age_s)
    if name == settings.feeds.deployment:
        yield _follows(snapshot, now)
    yield from orders_check(settings, name)


def _rollout(found: Deployment, age_s: float | None) -> Check:
    name = f"deploy/{found.name}"
    match found.rollout:
        case "complete":
            return Check(name, PASS, "no rollout under way", age_s)
        case "paused":
            return Check(name, FAIL, "its rollout is paused: a restart would not roll out", age_s)
        case "stalled":
            return Check(name, WARN, f"its last rollout is stalled: {found.message}; undo may help, not this", age_s)
    return Check(name, WARN, f"a rollout is under way: {found.message}", age_s)


def _follows(snapshot: Snapshot, now: float) -> Check:
    """What the new pods will follow."""
    sample = snapshot.registry
    if sample.value is None or not sample.is_live(now):
        return Check("registry", UNKNOWN, f"unknown: {sample.error or 'not read yet'}", sample.age_s(now), True)
    active = snapshot.feeds.value.active if snapshot.feeds.value else None
    words = f"the new pods will follow {sample.value.primary}"
    words += f", the present ones follow {active}" if active and active != sample.value.primary else ""
    return Check("registry", PASS, words, sample.age_s(now))


def _impact(name: str, snapshot: Snapshot, is_ingestion: bool) -> Iterator[str]:
    found = deployment(snapshot, name)
    pods = "how many pods is unknown" if found is None else f"{found.desired} pods, {found.ready} ready now"
    yield f"{pods}: replaced as the deployment's strategy says"
    if is_ingestion:
        read = snapshot.feeds.value
        rates = {} if read is None else {one.name: one.tick_rate_per_s for one in read.feeds}
        known = ", ".join(f"{feed} {rate:.0f}/s" for feed, rate in rates.items() if rate is not None)
        yield f"ticks now: {known or 'unknown'}; with a pod still up they go on, else there is a gap"
