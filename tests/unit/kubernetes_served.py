"""What a cluster answers, and a probe that asks a server of the test's."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from probe_servers import CLOCK, settings

from cockpit.errors import BackendError
from cockpit.probes.kubernetes import KubernetesProbe
from tests.patience import PATIENCE_S


def deployed(name: str = "ws-gateway", wanted: int = 2, paused: bool = False, **status: Any) -> dict[str, Any]:
    counts = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 3}
    notes = {"kubectl.kubernetes.io/restartedAt": "2020-01-01T00:00:00Z"}
    return {
        "metadata": {"name": name, "generation": 3},
        "spec": {
            "replicas": wanted, "paused": paused, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"annotations": notes}},
        },
        "status": counts | status,
    }  # fmt: skip


def running(name: str, app: str = "ws-gateway", **container: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"app": app, "pod-template-hash": "x"}},
        "status": {
            "phase": "Running", "startTime": "2020-01-01T00:00:00Z",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 0, "state": {"running": {}}, **container}],
        },
    }  # fmt: skip


def load_client() -> None:
    """The official client's first import would count against the limits of `failure`."""
    import_module("kubernetes.client.api_client")
    import_module("kubernetes.config.kube_config")


def kubeconfig(folder: Path, server: str, **user: Any) -> Path:
    file = folder / "kubeconfig"
    content = {
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user or {"token": "sesame"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u", "namespace": "trading"}}],
    }
    file.write_text(yaml.safe_dump(content))
    return file


def probe(folder: Path, server: str, *names: str, timeout_s: float = 2.5, **user: Any) -> KubernetesProbe:
    load_client()
    part = {
        "kubeconfig": str(kubeconfig(folder, server, **user)),
        "timeout_s": timeout_s,
        "deployments": names or ["ws-gateway"],
        "trading_deployments": ["ws-gateway", "router"],
    }
    return KubernetesProbe(settings(kubernetes=part), CLOCK)


def api(seen: list[str]) -> Any:
    def answer(request: web.Request) -> Any:
        seen.append(request.path_qs)
        assert request.headers["Authorization"] == "Bearer sesame"
        if request.path == "/version":
            return {"gitVersion": "v1.31.0"}
        assert "/namespaces/trading/" in request.path
        if request.path.endswith("/pods"):
            return {"items": [running("ws-b"), running("ws-a"), running("other", app="x")], "metadata": {}}
        if "continue" not in request.query:
            return {"items": [deployed("noise"), deployed()], "metadata": {"continue": "more"}}
        return {"items": [deployed("last")], "metadata": {}}

    return answer


async def failure(one: KubernetesProbe) -> BackendError:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(BackendError) as caught:
            await one.read()
    assert "sesame" not in str(caught.value)
    return caught.value
