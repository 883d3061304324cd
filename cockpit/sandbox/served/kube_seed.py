"""What the cluster runs: three deployments of the platform, and which images its registry has."""

from __future__ import annotations

import re

from cockpit.sandbox.served.kube_kinds import Json

NAMESPACE = "trading"
REGISTRY = "registry.sandbox.invalid"
TAG = "1.4.2"
# Short against Kubernetes' 600 s, so that a rollout that hangs says so within a drill.
PROGRESS_DEADLINE_S = 20
GRACE_S = 5
MOST_REPLICAS = 6
"""Each replica is a real process on the user's machine."""

_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
# Two routers at once would both send the same orders, so the old one ends before the new one starts.
_RECREATE = {"type": "Recreate"}

DEPLOYMENTS: tuple[tuple[str, int, Json], ...] = (
    ("ws-gateway", 2, _ROLLING),
    ("router", 1, _RECREATE),
    ("api", 2, _ROLLING),
)
_TAG = re.compile(r"^\d+\.\d+\.\d+$")


def namespace() -> Json:
    """Return the namespace that everything is in."""
    labels = {"kubernetes.io/metadata.name": NAMESPACE}
    return {"metadata": {"name": NAMESPACE, "labels": labels}, "spec": {}, "status": {"phase": "Active"}}


def deployment(name: str, replicas: int, strategy: Json) -> Json:
    """Return a deployment of one of the platform's workers."""
    labels = {"app": name}
    container = {
        "name": name,
        "image": f"{REGISTRY}/{name}:{TAG}",
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": "PLATFORM_COMPONENT", "value": name}],
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {
            "containers": [container],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": GRACE_S,
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {},
        },
    }
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels, "annotations": {}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template,
            "strategy": strategy,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": PROGRESS_DEADLINE_S,
        },
        "status": {},
    }


def has_image(image: str) -> bool:
    """Say whether the registry has an image: the platform's own, in any released version.

    >>> has_image("registry.sandbox.invalid/router:1.5.0"), has_image("registry.sandbox.invalid/router:does-not-exist")
    (True, False)
    """
    repository, _, tag = image.rpartition(":")
    return repository in {f"{REGISTRY}/{name}" for name, _, _ in DEPLOYMENTS} and _TAG.match(tag) is not None
