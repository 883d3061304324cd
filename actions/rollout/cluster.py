"""What every step on a deployment shares: which cluster, the deployment as it was read, the rule of a rollout's end."""

from __future__ import annotations

from collections.abc import Iterator

from actions.checks import FAIL, PASS, WARN, evidence_error, world_check
from cockpit.clients.kubernetes_words import all_deployments
from cockpit.config import Settings
from cockpit.model.backends import Deployment
from cockpit.model.choice import NONE_CHOSEN, Choice
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check
from cockpit.model.snapshot import Snapshot

COMPLETE = "rollout complete"


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


def names(settings: Settings) -> tuple[str, ...]:
    """The configured deployments."""
    part = settings.kubernetes
    return () if part is None else all_deployments(part)


def deployments(settings: Settings, snapshot: Snapshot) -> tuple[Choice, ...]:
    """Each of them, with how it stands; those that are ill first."""
    found = {name: deployment(snapshot, name) for name in names(settings)}
    ordered = sorted(found.items(), key=lambda one: not _is_ill(one[1]))
    return tuple(Choice("deployment", name, _stands(one)) for name, one in ordered)


def _is_ill(found: Deployment | None) -> bool:
    return found is None or found.ready < found.desired or found.rollout == "stalled"


def _stands(found: Deployment | None) -> str:
    if found is None:
        return "not seen"
    return f"{found.ready} of {found.desired} pods ready, rollout {found.rollout}"


def carries_orders(settings: Settings, name: str) -> bool:
    """Whether trading stands still without it."""
    return settings.kubernetes is not None and name in settings.kubernetes.order_deployments


def missing(settings: Settings, name: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """What stands against any step on it from the start."""
    yield from world_check(settings.world)
    if settings.kubernetes is None:
        yield Check("Kubernetes", FAIL, "no Kubernetes is configured")
        return
    if name == NONE_CHOSEN:
        yield Check("deployment", FAIL, f"choose one of {', '.join(names(settings))}")
        return
    if name not in names(settings):
        yield Check("deployment", FAIL, f"{name} is not among the configured deployments {', '.join(names(settings))}")
        return
    unknown = evidence_error("Kubernetes answers", snapshot.kubernetes, now)
    if unknown is not None:
        yield unknown
    elif deployment(snapshot, name) is None:
        yield Check(f"deploy/{name}", FAIL, "there is no such deployment", snapshot.kubernetes.age_s(now))


def orders_check(settings: Settings, name: str) -> Iterator[Check]:
    """A warning where orders go through it."""
    if carries_orders(settings, name):
        yield Check("orders", WARN, f"{name} carries the orders: trading pauses while its pods change")


def ready_check(found: Deployment, age_s: float | None) -> Check:
    """How many of its pods are ready."""
    ready = f"{found.ready} of {found.desired} pods ready"
    return Check("pods", PASS if found.ready >= found.desired else WARN, ready, age_s)


def complete(found: Deployment) -> JobStep:
    """By the rule of `kubectl rollout status`."""
    counts = f"{found.available} of {found.desired} new pods available"
    if found.rollout == "complete":
        return JobStep(COMPLETE, StepState.DONE, counts)
    if found.rollout in ("stalled", "paused"):
        pods = ", ".join(f"{pod.name} {pod.reason}" for pod in found.pods if not pod.is_ready and pod.reason)
        words = "; ".join(part for part in (found.rollout, found.message, pods) if part)
        return JobStep(COMPLETE, StepState.FAILED, words)
    fraction = found.available / found.desired if found.desired else None
    return JobStep(COMPLETE, StepState.RUNNING, found.message or found.rollout, fraction=fraction)
