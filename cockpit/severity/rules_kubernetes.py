"""Deployments, their rollouts and their pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from cockpit.severity import sections
from cockpit.severity.rule import Hit, View, rule

if TYPE_CHECKING:
    from cockpit.model.backends import Kubernetes, Pod

HARMLESS = frozenset({"ContainerCreating", "PodInitializing", "Completed", "Terminating"})


@rule("kubernetes", panel="kubernetes")
def deployment_unavailable(view: View, kubernetes: Kubernetes) -> Iterator[Hit]:
    """No pod of a deployment is ready."""
    for deployment in kubernetes.deployments:
        if deployment.ready > 0 or (deployment.desired == 0 and not _is_trading(view, deployment.name)):
            continue
        what = "scaled to 0" if deployment.desired == 0 else f"0 of {deployment.desired} pods ready"
        why = next((f": {pod.reason}" for pod in deployment.pods if _is_ill(pod)), "")
        halted = ", orders go nowhere" if _carries_orders(view, deployment.name) else ""
        yield Hit(
            deployment.name,
            _outage(view, deployment.name),
            f"{deployment.name} {what}{halted}{why}",
            f"{deployment.ready} ready",
            f"{deployment.desired} ready",
            section=section(view, deployment.name),
            since=view.ago(deployment.unavailable_age_s),
        )


@rule("kubernetes", panel="kubernetes")
def deployment_absent(view: View, kubernetes: Kubernetes) -> Iterator[Hit]:
    """The cluster does not know a configured deployment."""
    for name in kubernetes.absent:
        summary = f"deployment {name} does not exist"
        yield Hit(name, _outage(view, name), summary, "absent", "present", section=section(view, name))


@rule("kubernetes", panel="kubernetes")
def rollout_stalled(view: View, kubernetes: Kubernetes) -> Iterator[Hit]:
    """A rollout that will not finish by itself: Kubernetes only says so."""
    for deployment in kubernetes.deployments:
        if deployment.rollout == "stalled":
            ill = next((pod.reason for pod in deployment.pods if _is_ill(pod)), None)
            why = ill or deployment.message
            yield Hit(
                deployment.name,
                _minor(view, deployment.name),
                f"{deployment.name} rollout stalled" + (f": {why}" if why else ""),
                f"{deployment.updated} of {deployment.desired} updated",
                "complete",
                section=section(view, deployment.name),
            )


@rule("kubernetes", panel="kubernetes")
def pod_failing(view: View, kubernetes: Kubernetes) -> Iterator[Hit]:
    """A pod crashes or cannot start while others carry on."""
    for deployment in kubernetes.deployments:
        if deployment.ready == 0 or deployment.rollout == "stalled":
            continue
        ill = [pod for pod in deployment.pods if _is_ill(pod)]
        if ill:
            restarts = sum(pod.restarts for pod in ill)
            yield Hit(
                deployment.name,
                _minor(view, deployment.name),
                f"{deployment.name}: {_pods(len(ill))} {ill[0].reason}, {restarts} restarts",
                f"{deployment.ready} of {deployment.desired} ready",
                f"{deployment.desired} ready",
                section=section(view, deployment.name),
                since=view.ago(max((age for pod in ill if (age := pod.unready_age_s) is not None), default=None)),
            )


@rule("kubernetes", panel="kubernetes", readings=2)
def deployment_short(view: View, kubernetes: Kubernetes) -> Iterator[Hit]:
    """Fewer pods than wanted, and no rollout that would explain it."""
    for deployment in kubernetes.deployments:
        is_short = 0 < deployment.ready < deployment.desired
        if is_short and deployment.rollout == "complete" and not any(map(_is_ill, deployment.pods)):
            yield Hit(
                deployment.name,
                _minor(view, deployment.name),
                f"{deployment.name} {deployment.ready} of {deployment.desired} pods ready",
                f"{deployment.ready} ready",
                f"{deployment.desired} ready",
                section=section(view, deployment.name),
            )


def section(view: View, deployment: str) -> str | None:
    """The runbook section about this deployment: orders are the brokers', all else that trades is market data."""
    if _carries_orders(view, deployment):
        return sections.BROKER
    return sections.FEED if _is_trading(view, deployment) else None


def _is_ill(pod: Pod) -> bool:
    return not pod.is_ready and pod.reason is not None and pod.reason not in HARMLESS


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _carries_orders(view: View, deployment: str) -> bool:
    part = view.settings.kubernetes
    return part is not None and deployment in part.order_deployments


def _is_trading(view: View, deployment: str) -> bool:
    part = view.settings.kubernetes
    return part is not None and deployment in (*part.trading_deployments, *part.order_deployments)


def _outage(view: View, deployment: str) -> Severity:
    if _carries_orders(view, deployment):
        return Severity.P1
    return Severity.P2 if _is_trading(view, deployment) else Severity.P4


def _minor(view: View, deployment: str) -> Severity:
    return Severity.P3 if _is_trading(view, deployment) else Severity.P4


RULES = (deployment_unavailable, deployment_absent, rollout_stalled, pod_failing, deployment_short)
