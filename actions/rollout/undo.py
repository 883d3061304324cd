"""Undo a rollout: kubectl's own patch puts back the template before, proven by the rule of `rollout status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actions.by_hand import kubectl
from actions.checks import FAIL, PASS, WARN
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
from cockpit.clients.kubernetes_write import undo_rollout
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.backends import Deployment
from cockpit.model.choice import NONE_CHOSEN, Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "rollout.undo"
EVIDENCE = frozenset({"kubernetes", "feeds", "registry"})
DEADLINE_S = 120.0
BACK = "the template before is in its place"
DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What undoing would do now."""
    name = parameters.get("deployment", settings.feeds.deployment) or NONE_CHOSEN
    found, cluster = deployment(snapshot, name), cluster_of(settings, snapshot)
    before = found.previous if found is not None else None
    at = str(found.revision) if found is not None and found.revision else "unknown"
    to, template = (str(before.revision), before.template_id) if before is not None else ("unknown", "unknown")
    return Plan(
        action=ID,
        title=f"Undo the rollout of {name}",
        sentence=f"Puts the pods of revision {to} back in the place of {at}, one after the other. "
        f"Namespace {cluster['namespace']} on {cluster['server']}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=(("deployment", name), ("from", at), ("to", to), ("template", template), *cluster.items()),
        steps=(
            PlanStep(
                f"{name} told to run revision {to} again",
                f"PATCH apps/v1 deployments/{name}: spec.template = that of revision {to} if it is at {at}",
                kubectl(settings, "rollout", "undo", f"deploy/{name}"),
            ),
        ),
        checks=tuple(_checks(settings, name, snapshot, now)),
        impact=tuple(_impact(found)),
        proofs=(BACK, COMPLETE, TICKS) if name == settings.feeds.deployment else (BACK, COMPLETE),
        proof_deadline_s=DEADLINE_S,
        undo=f"the same again puts revision {at} back: {kubectl(settings, 'rollout', 'undo', f'deploy/{name}')}",
        phrase=name,
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The configured deployments."""
    return deployments(settings, snapshot) if parameter == "deployment" else ()


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one patch."""
    return (_Undo(),)


class _Undo(Step):
    deadline_s = 20.0

    async def perform(self, stage: Stage) -> Result:
        """Read the two revisions once more, and one PATCH."""
        if stage.settings.kubernetes is None:
            raise ConfigError("no Kubernetes is configured")
        asked = dict(stage.plan.parameters)
        at, to = int(asked["from"]), int(asked["to"])
        part, name = stage.settings.kubernetes, stage.plan.target
        await undo_rollout(part, name, at, to, asked["template"], asked["server"])
        return Result(DONE, f"revision {to} in the place of {at}")

    def probe(self, stage: Stage) -> Result:
        """Whose template it has."""
        sample = stage.snapshot.kubernetes
        found = deployment(stage.snapshot, stage.plan.target)
        if found is None or not sample.is_live(stage.clock.now()):
            return Result(UNKNOWN, sample.error or f"{stage.plan.target} is not there")
        if found.template_id == dict(stage.plan.parameters)["template"]:
            return Result(DONE, "the deployment has the template before")
        return Result(FAILED, "the deployment does not have the template before")


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """The template, the rollout, and prices where it takes them in."""
    sample = stage.snapshot.kubernetes
    found = deployment(stage.snapshot, stage.plan.target)
    if found is None or not sample.is_live(stage.clock.now()):
        why = sample.error or f"{stage.plan.target} is not there"
        judged = [JobStep(name, UNKNOWN, why) for name in (BACK, COMPLETE)]
    else:
        is_back = found.template_id == dict(stage.plan.parameters)["template"]
        words = f"revision {found.revision} has it" if is_back else "somebody else has changed it since"
        judged = [JobStep(BACK, DONE if is_back else FAILED, words), complete(found)]
    return (*judged, ticks(stage)) if TICKS in stage.plan.proofs else tuple(judged)


def _checks(settings: Settings, name: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    stopping = tuple(missing(settings, name, snapshot, now))
    yield from stopping
    found = deployment(snapshot, name)
    if found is None or any(check.blocks for check in stopping):
        return
    age_s = snapshot.kubernetes.age_s(now)
    if found.rollout == "paused":
        yield Check("rollout", FAIL, "its rollout is paused: resume it first (kubectl rollout resume)", age_s)
    else:
        words = "no rollout under way" if found.rollout == "complete" else f"{found.rollout}: {found.message or ''}"
        yield Check("rollout", PASS if found.rollout in ("complete", "stalled") else WARN, words, age_s)
    if found.previous is None:
        yield Check("revision before", FAIL, found.history_error or "there is none: nothing to go back to", age_s)
        return
    yield Check("revision before", PASS, f"{found.previous.revision}, now {found.revision}", age_s)
    if not found.previous.changes:
        yield Check("difference", FAIL, "the revision before is the same: nothing would change", age_s)
    yield ready_check(found, age_s)
    yield from orders_check(settings, name)


def _impact(found: Deployment | None) -> Iterator[str]:
    if found is None or found.previous is None:
        yield "what would change is unknown"
        return
    for change in found.previous.changes:
        yield f"changes {change}"
    yield f"{found.desired} pods, {found.ready} ready now: replaced as the deployment's strategy says"
