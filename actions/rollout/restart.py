"""Restart the ingestion workers: the patch of `kubectl rollout restart`, proven by the rule of `rollout status`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from actions.checks import FAIL, PASS, UNKNOWN, WARN, evidence_error, world_check
from actions.step import Result, Stage, Step
from cockpit.clients.kubernetes_write import RESTARTED_AT, restart_deployment
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import Deployment
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "rollout.restart"
EVIDENCE = frozenset({"kubernetes", "feeds", "registry"})
DEADLINE_S = 120.0

STAMPED = "our restart is the newest"
COMPLETE = "rollout complete"
TICKS = "ticks arrive"
DONE, RUNNING, FAILED = StepState.DONE, StepState.RUNNING, StepState.FAILED


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What restarting would do now."""
    name, cluster = settings.feeds.deployment, cluster_of(settings, snapshot)
    command = f"PATCH apps/v1 deployments/{name}: spec.template.metadata.annotations.{RESTARTED_AT} = <now>"
    return Plan(
        action=ID,
        title=f"Restart {name}",
        sentence=f"Replaces the pods of {name} one after the other; each reads the registry anew when it starts. "
        f"Namespace {cluster['namespace']} on {cluster['server']}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=tuple(cluster.items()),
        steps=(PlanStep(f"{name} told to restart", command, _by_hand(settings, name)),),
        checks=tuple(_checks(settings, name, snapshot, now)),
        impact=tuple(_impact(name, snapshot)),
        proofs=(STAMPED, COMPLETE, TICKS),
        proof_deadline_s=DEADLINE_S,
        undo=f"kubectl rollout undo deploy/{name} puts the pods before it back",
        phrase=name,
        is_cancellable=True,
        prepared_at=now,
    )


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
    """Ours is the newest, it is complete, and prices come in."""
    sample = stage.snapshot.kubernetes
    found = deployment(stage.snapshot, stage.plan.target)
    if found is None or not sample.is_live(stage.clock.now()):
        why = sample.error or f"{stage.plan.target} is not there"
        return (*(JobStep(name, StepState.UNKNOWN, why) for name in (STAMPED, COMPLETE)), ticks(stage))
    if not _is_ours(stage, found):
        # Seen only while it is proven: a later restart or revert by somebody else is theirs.
        stamped = JobStep(STAMPED, FAILED, "somebody else has changed the deployment since: look at its history")
    else:
        stamped = JobStep(STAMPED, DONE, str(stage.facts["restarted_at"]))
    return (stamped, _complete(found), ticks(stage))


def _complete(found: Deployment) -> JobStep:
    counts = f"{found.available} of {found.desired} new pods available"
    if found.rollout == "complete":
        return JobStep(COMPLETE, DONE, counts)
    if found.rollout in ("stalled", "paused"):
        pods = ", ".join(f"{pod.name} {pod.reason}" for pod in found.pods if not pod.is_ready and pod.reason)
        return JobStep(COMPLETE, FAILED, "; ".join(part for part in (found.rollout, found.message, pods) if part))
    fraction = found.available / found.desired if found.desired else None
    return JobStep(COMPLETE, RUNNING, found.message or found.rollout, fraction=fraction)


def ticks(stage: Stage) -> JobStep:
    """Ticks of the feed that the registry names arrive, and ingestion says that it follows it."""
    snapshot, now = stage.snapshot, stage.clock.now()
    if snapshot.registry.value is None or snapshot.feeds.value is None or not snapshot.feeds.is_live(now):
        return JobStep(TICKS, StepState.UNKNOWN, snapshot.feeds.error or snapshot.registry.error or "feeds not read")
    primary, feeds = snapshot.registry.value.primary, snapshot.feeds.value
    feed = next((one for one in feeds.feeds if one.name == primary), None)
    if feed is None or feed.newest_age_s is None:
        return JobStep(TICKS, RUNNING, f"no tick of {primary} yet")
    if feeds.active is not None and feeds.active != primary:
        return JobStep(TICKS, RUNNING, f"ingestion still follows {feeds.active}, the registry says {primary}")
    if feed.newest_age_s > stage.settings.thresholds.feed_stalled_s:
        return JobStep(TICKS, RUNNING, f"the newest tick of {primary} is {feed.newest_age_s:.0f} s old")
    return JobStep(TICKS, DONE, f"from {primary}, the newest {feed.newest_age_s:.1f} s old")


def cluster_of(settings: Settings, snapshot: Snapshot) -> dict[str, str]:
    """Which cluster and namespace: part of what is confirmed, for a kubeconfig may name another one a moment later."""
    read, part = snapshot.kubernetes.value, settings.kubernetes
    context = {"context": part.context} if part is not None and part.context else {}
    return {
        "server": (read.server if read is not None else "") or "unknown",
        **context,
        "namespace": (read.namespace if read is not None else "") or "unknown",
    }


def deployment(snapshot: Snapshot, name: str) -> Deployment | None:
    """The deployment as it was read last."""
    found = snapshot.kubernetes.value.deployments if snapshot.kubernetes.value else ()
    return next((one for one in found if one.name == name), None)


def stamp(now: float) -> str:
    """The moment as RFC 3339, to the microsecond: with kubectl's whole seconds, two restarts could share one stamp.

    >>> stamp(1_700_000_000.25)
    '2023-11-14T22:13:20.250000Z'
    """
    return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _is_ours(stage: Stage, found: Deployment) -> bool:
    return found.restarted_at is not None and found.restarted_at == stage.facts.get("restarted_at")


def _checks(settings: Settings, name: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    if settings.kubernetes is None:
        yield Check("Kubernetes", FAIL, "no Kubernetes is configured")
        return
    unknown = evidence_error("Kubernetes answers", snapshot.kubernetes, now)
    if unknown is not None:
        yield unknown
        return
    age_s = snapshot.kubernetes.age_s(now)
    found = deployment(snapshot, name)
    if found is None:
        yield Check(f"deploy/{name}", FAIL, "there is no such deployment", age_s)
        return
    yield _rollout(found, age_s)
    ready = f"{found.ready} of {found.desired} pods ready"
    yield Check("pods", PASS if found.ready >= found.desired else WARN, ready, age_s)
    yield _follows(snapshot, now)


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


def _impact(name: str, snapshot: Snapshot) -> Iterator[str]:
    found = deployment(snapshot, name)
    pods = "how many pods is unknown" if found is None else f"{found.desired} pods, {found.ready} ready now"
    yield f"{pods}: replaced one after the other, as the deployment's strategy says"
    rates = {} if snapshot.feeds.value is None else {f.name: f.tick_rate_per_s for f in snapshot.feeds.value.feeds}
    known = ", ".join(f"{feed} {rate:.0f}/s" for feed, rate in rates.items() if rate is not None)
    yield f"ticks now: {known or 'unknown'}; with a pod still up they go on, else there is a gap"


def _by_hand(settings: Settings, name: str) -> str:
    words = ["kubectl"]
    part = settings.kubernetes
    if part is not None:
        words += ["--kubeconfig", str(part.kubeconfig)] if part.kubeconfig else []
        words += ["--context", part.context] if part.context else []
        words += ["-n", part.namespace] if part.namespace else []
    return shlex.join([*words, "rollout", "restart", f"deploy/{name}"])
