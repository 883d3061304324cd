"""The Kubernetes API, asked by the official Python client and by plain HTTP."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from served_runtimes import Box, SleeperPods, eventually, free_port, serving

from cockpit.sandbox.served.kube_server import KubernetesServer
from tests.patience import PATIENCE_S

NAMES = ("ws-gateway", "trading")
DEPLOYMENT = "/apis/apps/v1/namespaces/trading/deployments/ws-gateway"
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}


class Cluster:
    def __init__(self, server: KubernetesServer, pods: SleeperPods, gate: Box, file: Path) -> None:
        self.server, self.pods, self.gate, self.file = server, pods, gate, file
        self.kubeconfig = yaml.safe_load(file.read_text())

    def api(self) -> client.ApiClient:
        return config.new_client_from_config(str(self.file))

    def http(self, read_s: float = PATIENCE_S) -> httpx.AsyncClient:
        cluster = self.kubeconfig["clusters"][0]["cluster"]
        context = ssl.create_default_context(cadata=_pem(cluster["certificate-authority-data"]))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        token = self.kubeconfig["users"][0]["user"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        timeout = httpx.Timeout(PATIENCE_S, read=read_s)
        return httpx.AsyncClient(base_url=cluster["server"], verify=context, headers=headers, timeout=timeout)


def _pem(text: str) -> str:
    return base64.b64decode(text).decode()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    pods, gate = SleeperPods(), Box()
    server = KubernetesServer(free_port(), "secret-token", pods, gate)
    server.write_kubeconfig(tmp_path / "kubeconfig")
    try:
        async with serving(server):
            await eventually(server.is_available)
            yield Cluster(server, pods, gate, tmp_path / "kubeconfig")
    finally:
        pods.kill_all()


async def test_the_official_client_s_strict_models(cluster: Cluster) -> None:
    def ask() -> None:
        with cluster.api() as api:
            apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
            read = apps.read_namespaced_deployment(*NAMES)
            assert read.status.ready_replicas == 2 and read.metadata.generation == read.status.observed_generation
            assert len(apps.list_namespaced_deployment("trading").items) == 3
            assert len(apps.list_replica_set_for_all_namespaces().items) == 3
            pods = core.list_namespaced_pod("trading", label_selector="app in (api, router)").items
            assert len(pods) == 3 and all(pod.status.container_statuses[0].ready for pod in pods)
            assert core.list_namespaced_event("trading").items and core.list_namespace().items
            assert core.read_namespaced_pod_log(pods[0].metadata.name, "trading") == "up\n"
            assert client.VersionApi(api).get_code().minor == "33"
            assert apps.read_namespaced_deployment_scale(*NAMES).spec.replicas == 2
            attributes = client.V1ResourceAttributes(
                verb="patch", group="apps", resource="deployments", namespace="trading"
            )
            spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
            review = client.V1SelfSubjectAccessReview(spec=spec)
            assert client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed is True
            with pytest.raises(ApiException) as missing:
                apps.read_namespaced_deployment("nats", "trading")
            assert missing.value.status == 404

    await asyncio.to_thread(ask)


async def test_the_official_client_restarts_and_watches(cluster: Cluster) -> None:
    before, is_following = set(cluster.server.pods("ws-gateway")), threading.Event()

    def restart(dry: str | None) -> int:
        body = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
        with cluster.api() as api:
            patched = client.AppsV1Api(api).patch_namespaced_deployment(*NAMES, body, dry_run=dry)
            return int(patched.metadata.generation)

    def follow() -> list[tuple[int, int, int]]:
        seen = []
        with cluster.api() as api:
            lister = client.AppsV1Api(api).list_namespaced_deployment
            for event in watch.Watch().stream(
                lister, "trading", field_selector="metadata.name=ws-gateway", timeout_seconds=60
            ):
                is_following.set()
                status, meta = event["object"].status, event["object"].metadata
                seen.append((status.observed_generation, status.updated_replicas or 0, status.replicas or 0))
                if meta.generation == 2 == status.observed_generation and seen[-1][1:] == (2, 2):
                    break
        return seen

    assert await asyncio.to_thread(restart, "All") == 1
    assert set(cluster.server.pods("ws-gateway")) == before
    following = asyncio.ensure_future(asyncio.to_thread(follow))
    assert await asyncio.to_thread(is_following.wait, PATIENCE_S)
    assert await asyncio.to_thread(restart, None) == 2
    seen = await following
    assert seen[-1] == (2, 2, 2) and max(total for *_, total in seen) == 3, seen
    assert not set(cluster.server.pods("ws-gateway")) & before


async def test_what_is_wrong_is_said(cluster: Cluster) -> None:
    async with cluster.http() as http:
        old = (await http.get(DEPLOYMENT)).json()
        stale = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 1}}
        assert (await http.patch(DEPLOYMENT, json=stale, headers=STRATEGIC)).status_code == 409
        assert (await http.put(DEPLOYMENT, json={**old, "spec": {}})).status_code == 422
        assert (await http.put(DEPLOYMENT, json=old)).json() == old, "nothing changed, so no new version"
        for body, code in ((b"{", 400), (b"[]", 400), (b'{"spec":{"replicas":"x"}}', 422), (b'{"spec":null}', 422)):
            answer = await http.patch(DEPLOYMENT, content=body, headers=STRATEGIC)
            assert (answer.status_code, answer.json()["kind"]) == (code, "Status"), body
        containers = {"spec": {"template": {"spec": {"containers": [{"name": "spy", "image": "x"}]}}}}
        assert (await http.patch(DEPLOYMENT, json=containers, headers=STRATEGIC)).status_code == 422
        assert (await http.patch(DEPLOYMENT, content=b"{}", headers={"Content-Type": "text/plain"})).status_code == 415
        for spec in (
            {"template": {"metadata": {"annotations": {"a": 1}}}},
            {"template": {"spec": {"containers": [1]}}},
            {"template": {"spec": {"terminationGracePeriodSeconds": -1}}},
            {"strategy": {"rollingUpdate": [1]}},
            {"strategy": {"rollingUpdate": {"maxSurge": "much"}}},
            {"selector": {"matchLabels": {"app": "other"}}},
            {"replicas": -1},
        ):
            assert (await http.patch(DEPLOYMENT, json={"spec": spec}, headers=STRATEGIC)).status_code == 422, spec
        assert (await http.get(DEPLOYMENT)).json() == old
        assert (await http.get(DEPLOYMENT.replace("trading", "other"))).status_code == 404
        assert (await http.delete(DEPLOYMENT)).status_code == 403
        assert (await http.get("/api/v1/secrets")).status_code == 404
        assert (await http.get("/api/v1/pods?labelSelector=a%20b%20c")).status_code == 400
        assert (await http.get("/api/v1/pods?watch=true&resourceVersion=x")).status_code == 400
        assert (await http.get("/readyz", headers={"Authorization": "none"})).text == "ok"
        assert (await http.get("/api", headers={"Authorization": "none"})).status_code == 401
        old_watch = await http.get("/api/v1/pods?watch=true&resourceVersion=1&timeoutSeconds=1")
        assert json.loads(old_watch.text.splitlines()[0])["object"]["code"] == 410


async def test_the_gate(cluster: Cluster) -> None:
    async with cluster.http() as http:
        cluster.gate.value = "error"
        assert (await http.get(DEPLOYMENT)).status_code == 503
    cluster.gate.value = "blackhole"
    async with cluster.http(0.4) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(DEPLOYMENT)
        cluster.gate.value = "down"
        with pytest.raises(httpx.TransportError):
            await http.get(DEPLOYMENT)

    async def refused() -> bool:
        async with cluster.http() as http:
            try:
                await http.get(DEPLOYMENT)
            except httpx.ConnectError as problem:
                return "refused" in str(problem) or "failed" in str(problem)
            except httpx.HTTPError:
                return False
        return False

    await eventually(refused)
    assert len(cluster.pods.alive()) == 5, "pods live on without their API"
    cluster.gate.value = "open"

    async def answered() -> bool:
        async with cluster.http() as http:
            try:
                return (await http.get(DEPLOYMENT)).status_code == 200
            except httpx.HTTPError:
                return False

    await eventually(answered)


async def test_a_killed_process_is_restarted_in_place(cluster: Cluster) -> None:
    name, _, _, process = next(entry for entry in cluster.pods.started if entry[1] == "router")
    process.kill()

    async def restarted() -> bool:
        async with cluster.http() as http:
            pod = (await http.get(f"/api/v1/namespaces/trading/pods/{name}")).json()
        (status,) = pod["status"]["containerStatuses"]
        ended = status["lastState"].get("terminated", {})
        return status["restartCount"] == 1 and ended.get("exitCode") == 137 and status["ready"]

    await eventually(restarted)
    assert cluster.server.pods("router") == [name]


async def test_old_changes_are_forgotten(cluster: Cluster) -> None:
    store = cluster.server._store
    for round_ in range(700):
        note = {"note": str(round_)}
        store.edit("deployments", "trading", "api", lambda item, note=note: item["metadata"].update(annotations=note))
    assert len(store._changes) <= 500 and store.since(1001) is None


async def test_stopping_right_after_a_change(tmp_path: Path) -> None:
    for _ in range(3):
        pods = SleeperPods()
        server = KubernetesServer(free_port(), "t", pods, Box())
        await server.start()
        await eventually(server.is_available)  # the controller is waiting now
        server.set_image("api", "registry.sandbox.invalid/api:1.4.3")
        await asyncio.wait_for(server._controller.stop(), PATIENCE_S)
        await server._endpoint.stop()
        assert pods.alive() == []
