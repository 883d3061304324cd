"""Scale a deployment: the server changes the number only if it still is what was confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actions.by_hand import kubectl
from actions.checks import FAIL, PASS, WARN
from actions.rollout.cluster import (
    carries_orders,
    cluster_of,
    deployment,
    deployments,
    missing,
    orders_check,
    ready_check,
)
from actions.step import Result, Stage, Step
from cockpit.clients.kubernetes_write import scale_deployment
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.choice import NONE_CHOSEN, Choice
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot

ID = "rollout.scale"
EVIDENCE = frozenset({"kubernetes"})
DEADLINE_S = 120.0
MOST = 100
ASKED = "it asks for that many pods"
READY = "that many pods are ready, and no others"
DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What scaling would do now."""
    name = parameters.get("deployment") or _only(settings, parameters) or NONE_CHOSEN
    found, to = deployment(snapshot, name), parameters.get("to") or "(no number)"
    current = "unknown" if found is None else str(found.desired)
    cluster = cluster_of(settings, snapshot)
    only_if = () if found is None else (f"--current-replicas={current}",)
    by_hand = kubectl(settings, "scale", f"deploy/{name}", *only_if, f"--replicas={to}")
    back = "" if found is None else f": {kubectl(settings, 'scale', f'deploy/{name}', f'--replicas={current}')}"
    return Plan(
        action=ID,
        title=f"Scale {name} from {current} to {to}",
        sentence=f"{name} is to run {to} pods, {current} now. Namespace {cluster['namespace']} on {cluster['server']}.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=(("deployment", name), ("to", to), ("from", current), *cluster.items()),
        steps=(
            PlanStep(
                f"{name} told to run {to} pods",
                f"PATCH apps/v1 deployments/{name}: spec.replicas = {to} if it is {current}",
                by_hand,
            ),
        ),
        checks=tuple(_checks(settings, name, to, snapshot, now)),
        impact=tuple(_impact(settings, name, to, snapshot)),
        proofs=(ASKED, READY),
        proof_deadline_s=DEADLINE_S,
        undo=f"scale it back to what it was{back}",
        phrase=name,
        prepared_at=now,
    )


def choices(parameter: str, settings: Settings, snapshot: Snapshot, chosen: Mapping[str, str]) -> tuple[Choice, ...]:
    """The configured deployments, those that carry orders where trading is to be stopped; then numbers."""
    if parameter == "deployment":
        found_all = deployments(settings, snapshot)
        return tuple(one for one in found_all if chosen.get("to") != "0" or carries_orders(settings, one.value))
    found = deployment(snapshot, chosen.get("deployment", ""))
    present = found.desired if found is not None else None
    # Nothing comes last: it is not to be taken by an Enter too many.
    numbers = (*range(1, max(5, 2 * (present or 0) + 1)), 0)
    return tuple(
        Choice("to", str(number), "as it is" if number == present else "stops it" if number == 0 else "")
        for number in numbers
    )


def _only(settings: Settings, parameters: Mapping[str, str]) -> str | None:
    """What carries the orders, where that is one deployment and it is to be stopped."""
    part = settings.kubernetes
    if part is None or parameters.get("to") != "0" or len(part.order_deployments) != 1:
        return None
    return part.order_deployments[0]


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one patch."""
    return (_Scale(),)


class _Scale(Step):
    deadline_s = 20.0

    def before(self, stage: Stage) -> dict[str, Any]:
        """The number that the server must find."""
        found = deployment(stage.snapshot, stage.plan.target)
        return {"replicas": None if found is None else found.desired}

    async def perform(self, stage: Stage) -> Result:
        """One PATCH."""
        if stage.settings.kubernetes is None:
            raise ConfigError("no Kubernetes is configured")
        asked = dict(stage.plan.parameters)
        current, to = int(asked["from"]), int(asked["to"])
        await scale_deployment(stage.settings.kubernetes, stage.plan.target, current, to, asked["server"])
        return Result(DONE, f"from {current} to {to}")

    def probe(self, stage: Stage) -> Result:
        """What the deployment asks for now."""
        sample, asked = stage.snapshot.kubernetes, dict(stage.plan.parameters)
        found = deployment(stage.snapshot, stage.plan.target)
        if found is None or not sample.is_live(stage.clock.now()):
            return Result(UNKNOWN, sample.error or f"{stage.plan.target} is not there")
        if str(found.desired) == asked["to"]:
            return Result(DONE, f"it asks for {found.desired} pods")
        if str(found.desired) == asked["from"]:
            return Result(FAILED, f"it still asks for {found.desired} pods")
        return Result(UNKNOWN, f"it asks for {found.desired} pods: somebody else has changed it too")


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """What it asks for, and what it has."""
    sample, to = stage.snapshot.kubernetes, int(dict(stage.plan.parameters)["to"])
    found = deployment(stage.snapshot, stage.plan.target)
    if found is None or not sample.is_live(stage.clock.now()):
        why = sample.error or f"{stage.plan.target} is not there"
        return tuple(JobStep(name, UNKNOWN, why) for name in (ASKED, READY))
    is_asked = found.desired == to
    asked = JobStep(ASKED, DONE if is_asked else FAILED, f"it asks for {found.desired}")
    pods = f"{found.ready} ready of {len(found.pods)} pods"
    waiting = ", ".join(f"{pod.name} {pod.reason}" for pod in found.pods if not pod.is_ready and pod.reason)
    is_there = found.ready == to and len(found.pods) == to and found.rollout == "complete"
    return (asked, JobStep(READY, DONE if is_there else RUNNING, "; ".join(filter(None, (pods, waiting)))))


def _checks(settings: Settings, name: str, to: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    stopping = tuple(missing(settings, name, snapshot, now))
    yield from stopping
    if not (to.isdecimal() and to.isascii() and int(to) <= MOST):
        yield Check("to", FAIL, f"choose how many pods, 0 to {MOST}")
        return
    found = deployment(snapshot, name)
    if found is None or any(check.blocks for check in stopping):
        return
    age_s = snapshot.kubernetes.age_s(now)
    is_other = found.desired != int(to)
    yield Check("number", PASS if is_other else FAIL, f"{found.desired} now, {to} then", age_s)
    yield ready_check(found, age_s)
    if found.rollout != "complete":
        yield Check("rollout", WARN, f"{found.rollout}: {found.message or 'not over'}", age_s)
    if carries_orders(settings, name) and int(to) > max(1, found.desired):
        words = f"{name} carries the orders: a second one may send the same orders again"
        yield Check("orders", FAIL, words, age_s, is_overridable=True)
    else:
        yield from orders_check(settings, name)


def _impact(settings: Settings, name: str, to: str, snapshot: Snapshot) -> Iterator[str]:
    found = deployment(snapshot, name)
    if found is None or not to.isdecimal():
        yield "how many pods change is unknown"
        return
    change = int(to) - found.desired
    yield f"{abs(change)} pods {'are added' if change >= 0 else 'end'}; {found.ready} are ready now"
    if to == "0":
        yield "NOTHING of it runs then" + (": no order goes out" if carries_orders(settings, name) else "")
