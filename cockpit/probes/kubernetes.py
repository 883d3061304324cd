"""Reads the deployments, their rollouts and their pods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cockpit.clients.kubernetes import Cluster, KubernetesApi
from cockpit.clients.kubernetes_history import changes, revision, template_id
from cockpit.clients.kubernetes_words import all_deployments
from cockpit.clients.moments import age_s
from cockpit.clients.parts import Json, part, parts
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.backends import Deployment, Kubernetes, Pod, Previous
from cockpit.text import clean

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
STARTING = ("ContainerCreating", "PodInitializing")
"""What a healthy container waits for; anything else that it waits for is worth more than its last death."""


class KubernetesProbe:
    """Two lists a tick."""

    name = "kubernetes"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if settings.kubernetes is None:
            raise ConfigError("kubernetes is not configured")
        cluster = settings.kubernetes
        self._clock = clock
        self._required = cluster.deployments
        self._names = all_deployments(cluster)
        self._api = KubernetesApi(cluster, clock)
        self._before: tuple[Cluster, Kubernetes, float] | None = None
        self.interval_s = settings.interval_s
        self.deadline_s = cluster.timeout_s + 0.5

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether there is a cluster to ask."""
        return settings.kubernetes is not None

    async def read(self) -> Kubernetes:
        """The deployments as they are now.

        Raises:
            BackendError: the cluster did not answer, or refused.
        """
        cluster = await self._api.read(self._names)
        now, before = self._clock.now(), self._before
        found = None
        if before is not None and before[0] == cluster:
            found = aged(before[1], now - before[2])
        if found is None:
            found = kubernetes(cluster, self._names, self._required, now)
        self._before = cluster, found, now
        return found

    def late(self) -> str:
        """Why what is on its way is late; empty where nothing is known."""
        return self._api.late()

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._api.awaits()

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def kubernetes(cluster: Cluster, names: Iterable[str], required: Iterable[str], now: float) -> Kubernetes:
    """The cluster's answers as facts, in the configuration's order."""
    found = {str(part(item, "metadata").get("name")): item for item in cluster.deployments}
    return Kubernetes(
        version=clean(cluster.version, 40),
        namespace=clean(cluster.namespace, 63),
        deployments=tuple(
            _with_history(deployment(found[name], cluster.pods, now), found[name], cluster)
            for name in names
            if name in found
        ),
        absent=tuple(clean(name, 80) for name in required if name not in found),
        server=clean(cluster.server, 120),
    )


def aged(before: Kubernetes, by_s: float) -> Kubernetes | None:
    """The same so much later; None where an age has to be counted anew: one of 0 may lie ahead of our clock.

    Nearly every tick brings the same answers, byte for byte, and reading them takes ten times as long.
    """
    pods = [one for each in before.deployments for one in each.pods]
    ages = [age for one in pods for age in (one.age_s, one.unready_age_s)]
    ages += [age for one in before.deployments for age in (one.restarted_age_s, one.unavailable_age_s)]
    if by_s < 0 or 0.0 in ages:
        return None
    return replace(before, deployments=tuple(_aged(each, by_s) for each in before.deployments))


def _aged(one: Deployment, by_s: float) -> Deployment:
    return replace(
        one,
        restarted_age_s=_plus(one.restarted_age_s, by_s),
        unavailable_age_s=_plus(one.unavailable_age_s, by_s),
        pods=tuple(
            replace(each, age_s=_plus(each.age_s, by_s), unready_age_s=_plus(each.unready_age_s, by_s))
            for each in one.pods
        ),
    )


def _plus(age: float | None, by_s: float) -> float | None:
    return None if age is None else age + by_s


def _with_history(one: Deployment, item: Json, cluster: Cluster) -> Deployment:
    """With what undoing its rollout would change."""
    then = cluster.previous.get(str(part(item, "metadata").get("name")))
    previous = None if then is None else Previous(revision(then), template_id(then), changes(item, then))
    number = revision(item) or None
    return replace(
        one,
        revision=number,
        template_id=template_id(item),
        previous=previous,
        history_error=cluster.history_error,
    )


def deployment(item: Json, pods: Iterable[Json], now: float) -> Deployment:
    """One deployment with the pods that its selector matches."""
    spec, status = part(item, "spec"), part(item, "status")
    selector = part(spec, "selector")
    own = [one for one in pods if matches(selector, part(part(one, "metadata"), "labels"))]
    notes = part(part(part(spec, "template"), "metadata"), "annotations")
    state, message = rollout(item)
    desired = spec.get("replicas")
    return Deployment(
        name=clean(part(item, "metadata").get("name"), 80),
        desired=desired if isinstance(desired, int) else 1,
        ready=_count(status, "readyReplicas"),
        updated=_count(status, "updatedReplicas"),
        available=_count(status, "availableReplicas"),
        rollout=state,
        message=message,
        restarted_age_s=age_s(notes.get(RESTARTED_AT), now),
        pods=tuple(sorted((pod(one, now) for one in own), key=lambda found: found.name)),
        restarted_at=clean(stamp, 40) if (stamp := notes.get(RESTARTED_AT)) else None,
        unavailable_age_s=_failing_s(status, "Available", now),
    )


def rollout(item: Json) -> tuple[str, str | None]:
    """The rollout's state by the rule of `kubectl rollout status`, and in words what it waits for."""
    metadata, spec, status = part(item, "metadata"), part(item, "spec"), part(item, "status")
    if spec.get("paused"):
        return "paused", None
    if _count(metadata, "generation") > _count(status, "observedGeneration"):
        return "progressing", "the change has not been taken up yet"
    for condition in parts(status, "conditions"):
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return "stalled", clean(condition.get("message") or "exceeded its progress deadline")
    desired = spec.get("replicas")
    wanted = desired if isinstance(desired, int) else 1
    updated, available = _count(status, "updatedReplicas"), _count(status, "availableReplicas")
    old = _count(status, "replicas") - updated
    if updated < wanted:
        return "progressing", f"{updated} of {wanted} new pods created"
    if old > 0:
        return "progressing", f"{old} old pod{'s' if old > 1 else ''} still to stop"
    if available < updated:
        return "progressing", f"{available} of {updated} pods available"
    return "complete", None


def matches(selector: Json, labels: Json) -> bool:
    """Whether the labels satisfy a label selector; an empty one selects nothing here.

    >>> matches({"matchLabels": {"app": "api"}}, {"app": "api", "tier": "web"})
    True
    >>> matches({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]}, {"app": "api"})
    False
    """
    exact, rules = part(selector, "matchLabels"), parts(selector, "matchExpressions")
    if not exact and not rules:
        return False
    return all(labels.get(key) == value for key, value in exact.items()) and all(_fits(rule, labels) for rule in rules)


def _fits(rule: Json, labels: Json) -> bool:
    key, operator, values = str(rule.get("key")), rule.get("operator"), rule.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) == (operator == "Exists")


def pod(item: Json, now: float) -> Pod:
    """One pod."""
    metadata, status = part(item, "metadata"), part(item, "status")
    containers = parts(status, "containerStatuses")
    conditions = parts(status, "conditions")
    return Pod(
        name=clean(metadata.get("name"), 80),
        phase=clean(status.get("phase") or "Unknown", 20),
        is_ready=any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions),
        restarts=sum(_count(one, "restartCount") for one in containers),
        reason=reason(item),
        age_s=age_s(status.get("startTime") or metadata.get("creationTimestamp"), now),
        unready_age_s=_failing_s(status, "Ready", now),
    )


def _failing_s(status: Json, condition: str, now: float) -> float | None:
    """Seconds since a condition stopped to hold; None while it holds, or where that is not said."""
    for one in parts(status, "conditions"):
        if one.get("type") == condition and one.get("status") == "False":
            return age_s(one.get("lastTransitionTime"), now)
    return None


def reason(item: Json) -> str | None:
    """Why the pod does not run, or what its last container died of; the most telling first."""
    metadata, status = part(item, "metadata"), part(item, "status")
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if status.get("reason"):
        return clean(status["reason"], 60)  # Evicted, NodeLost
    containers = [*parts(status, "initContainerStatuses"), *parts(status, "containerStatuses")]
    waiting = [str(part(part(one, "state"), "waiting").get("reason") or "") for one in containers]
    for word in waiting:
        if word and word not in STARTING:
            return clean(word, 60)
    for moment in ("state", "lastState"):
        for one in containers:
            ended = part(part(one, moment), "terminated")
            if ended and ended.get("reason") != "Completed":
                return _death(ended)
    for condition in parts(status, "conditions"):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return clean(condition.get("reason") or "Unschedulable", 60)
    return clean(next(filter(None, waiting), ""), 60) or None


def _death(ended: Json) -> str:
    word = clean(ended.get("reason") or "Error", 40)
    if word != "Error":
        return word  # OOMKilled, ContainerCannotRun
    return f"Error (signal {ended['signal']})" if ended.get("signal") else f"Error (exit {ended.get('exitCode', '?')})"


def _count(thing: Json, name: str) -> int:
    value = thing.get(name)
    return value if isinstance(value, int) else 0
