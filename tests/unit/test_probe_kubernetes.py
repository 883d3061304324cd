"""The Kubernetes probe: kubectl's rules, logins that misbehave, APIs that do."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from probe_servers import CLOCK, drip, flood, free_port, garbage, hang_up, serving, settings, silence, speaking

from cockpit.clients import kubernetes_login
from cockpit.clients.kubernetes import Cluster
from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.probes import kubernetes as probing
from cockpit.probes.kubernetes import KubernetesProbe, aged, kubernetes, matches, pod, reason, rollout
from cockpit.sandbox.served.certificate import self_signed

LABELS = {"app": "ws-gateway"}


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


EXCEEDED = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "it timed out"}]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (deployed(), ("complete", None)),
        (deployed(paused=True), ("paused", None)),
        (deployed(observedGeneration=2), ("progressing", "the change has not been taken up yet")),
        (deployed(updatedReplicas=1), ("progressing", "1 of 2 new pods created")),
        (deployed(replicas=3), ("progressing", "1 old pod still to stop")),
        (deployed(availableReplicas=1), ("progressing", "1 of 2 pods available")),
        (deployed(availableReplicas=1, conditions=EXCEEDED), ("stalled", "it timed out")),
        (deployed(wanted=0, replicas=0, updatedReplicas=0, availableReplicas=0), ("complete", None)),
    ],
)
def test_rollout_by_kubectls_rule(item: dict[str, Any], expected: tuple[str, str | None]) -> None:
    assert rollout(item) == expected


CRASHED = {"terminated": {"reason": "Error", "exitCode": 1}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (running("a"), None),
        (running("a", state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=CRASHED), "CrashLoopBackOff"),
        (running("a", state={"waiting": {"reason": "ImagePullBackOff"}}), "ImagePullBackOff"),
        (running("a", state={"waiting": {"reason": "ContainerCreating"}}), "ContainerCreating"),
        (running("a", lastState=CRASHED), "Error (exit 1)"),
        (running("a", state=CRASHED), "Error (exit 1)"),
        (running("a", lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}}), "OOMKilled"),
        (running("a", lastState={"terminated": {"reason": "Completed", "exitCode": 0}}), None),
        ({"status": {"reason": "Evicted"}}, "Evicted"),
        ({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}, "Terminating"),
        (
            {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}},
            "Unschedulable",
        ),
        ({"status": {"containerStatuses": [None, 3, {"state": 7}], "conditions": "x"}}, None),
    ],
)
def test_reasons(item: dict[str, Any], expected: str | None) -> None:
    assert reason(item) == expected


def test_pod_facts() -> None:
    found = pod(running("ws-1", restartCount=4), 1577836805.0)
    assert (found.name, found.phase, found.is_ready, found.restarts, found.age_s) == ("ws-1", "Running", True, 4, 5.0)


def test_selectors() -> None:
    assert not matches({}, LABELS)
    assert matches({"matchExpressions": [{"key": "app", "operator": "In", "values": ["ws-gateway"]}]}, LABELS)
    assert not matches({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, LABELS)
    assert matches({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, LABELS)


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


async def test_two_lists_a_tick(tmp_path: Path) -> None:
    seen: list[str] = []
    async with serving(api(seen)) as url:
        one = probe(tmp_path, url, "ws-gateway", "api")
        found = await one.read()
        assert found.version == "v1.31.0" and found.namespace == "trading" and found.absent == ("api",)
        (gateway,) = found.deployments
        assert [pod.name for pod in gateway.pods] == ["ws-a", "ws-b"]
        assert (gateway.desired, gateway.ready, gateway.rollout) == (2, 2, "complete")
        assert gateway.restarted_age_s is not None and gateway.restarted_age_s > 1e8
        seen.clear()
        await one.read()
        await one.close()
    assert len(seen) == 3  # deployments came in two pages
    assert "labelSelector=app+in+%28ws-gateway%29" in seen[2]


BEGAN = 1577836800.0  # 2020-01-01T00:00:00Z


def test_same_answers_later_are_the_same_facts_and_older() -> None:
    cluster = Cluster("v1", "trading", (deployed(),), (running("ws-a"), running("ws-b")))
    first = kubernetes(cluster, ["ws-gateway"], [], BEGAN + 8.0)
    assert aged(first, 2.5) == kubernetes(cluster, ["ws-gateway"], [], BEGAN + 10.5)


def test_what_lies_ahead_of_our_clock_is_not_older_by_what_has_passed() -> None:
    cluster = Cluster("v1", "trading", (deployed(),), (running("ws-a"),))
    assert aged(kubernetes(cluster, ["ws-gateway"], [], BEGAN - 2.0), 2.5) is None


async def test_only_what_changed_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    pods = [running("ws-a"), running("ws-b")]
    monkeypatch.setattr(probing, "kubernetes", lambda *given: counted.append("read") or kubernetes(*given))

    def answer(request: web.Request) -> Any:
        if request.path == "/version":
            return {"gitVersion": "v1.31.0"}
        return {"items": pods if request.path.endswith("/pods") else [deployed()], "metadata": {}}

    async with serving(answer) as url:
        one = probe(tmp_path, url)
        first, second = await one.read(), await one.read()
        assert counted == ["read"]
        assert [len(found.deployments[0].pods) for found in (first, second)] == [2, 2]
        del pods[0]
        third = await one.read()
        await one.close()
    assert [each.name for each in third.deployments[0].pods] == ["ws-b"]
    assert counted == ["read", "read"]


async def said(one: KubernetesProbe) -> str:
    """Why it cannot be read; empty where it can."""
    try:
        await one.read()
    except BackendError as error:
        return str(error)
    return ""


async def failure(one: KubernetesProbe, within_s: float) -> BackendError:
    began = time.monotonic()
    with pytest.raises(BackendError) as caught:
        await one.read()
    assert time.monotonic() - began < within_s
    assert "sesame" not in str(caught.value)
    return caught.value


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """The official client's first import would count against the time limits below."""
    import_module("kubernetes.client.api_client")
    import_module("kubernetes.config.kube_config")


async def test_black_hole_does_not_pile_up_threads(tmp_path: Path) -> None:
    import threading

    async with speaking(silence) as port:
        one = probe(tmp_path, f"http://127.0.0.1:{port}", timeout_s=0.6)
        before = threading.active_count()
        for _ in range(4):
            assert isinstance(await failure(one, 1.0), TimedOut)
        assert threading.active_count() <= before + 1
    await one.close()


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (drip, "did not answer within 0.8 s"),
        (hang_up, "hung up without a whole answer"),
        (garbage, "does not speak HTTP"),
    ],
)
async def test_odd_servers(tmp_path: Path, say: Any, words: str) -> None:
    async with speaking(say) as port:
        assert words in str(await failure(probe(tmp_path, f"http://127.0.0.1:{port}", timeout_s=0.8), 1.3))


async def test_flood(tmp_path: Path) -> None:
    async with speaking(flood) as port:
        assert "answered more than 32 MB" in str(await failure(probe(tmp_path, f"http://127.0.0.1:{port}"), 3.0))


def answers(connection: int, then: Any = None) -> Any:
    """Answers so many requests of a connection as a cluster does, then otherwise; the next connection, all of them."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connection
        left, connection = connection, -1
        while left != 0:
            asked = await reader.readuntil(b"\r\n\r\n")
            items = [running("ws-a")] if b"/pods" in asked else [deployed()]
            found = {"gitVersion": "v1.31.0"} if b"/version" in asked else {"items": items, "metadata": {}}
            body = json.dumps(found).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
            left -= 1
        if then is not None:
            await then(reader, writer)

    return say


async def test_only_the_first_answer_goes_through_the_clients_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubernetes.client.api_client import ApiClient

    asked: list[str] = []
    original = ApiClient.call_api
    monkeypatch.setattr(
        ApiClient, "call_api", lambda *given, **more: asked.append(given[2]) or original(*given, **more)
    )
    async with speaking(answers(-1)) as port:
        one = probe(tmp_path, f"http://127.0.0.1:{port}")
        for _ in range(3):
            assert [each.name for each in (await one.read()).deployments] == ["ws-gateway"]
        await one.close()
    assert [url.rpartition("/")[2] for url in asked] == ["version"]


async def test_a_connection_that_was_closed_meanwhile_is_opened_anew(tmp_path: Path) -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with speaking(answers(3, close)) as port:
        one = probe(tmp_path, f"http://127.0.0.1:{port}")
        for _ in range(3):
            assert (await one.read()).deployments
        await one.close()


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (silence, "did not answer within 0.8 s"),
        (drip, "did not answer within 0.8 s"),
        (garbage, "does not speak HTTP"),
        (flood, "answered more than 32 MB"),
    ],
)
async def test_a_server_that_is_odd_only_later(tmp_path: Path, say: Any, words: str) -> None:
    async with speaking(answers(3, say)) as port:
        one = probe(tmp_path, f"http://127.0.0.1:{port}", timeout_s=0.8)
        assert (await one.read()).deployments
        assert words in str(await failure(one, 1.3))
        async with asyncio.timeout(10.0):  # the call that was given up may take a moment to end
            while "earlier call" in await said(one):
                await asyncio.sleep(0.01)
        assert await said(one) == "", "on another connection"
        await one.close()


async def test_refused_then_up(tmp_path: Path) -> None:
    port = free_port()
    one = probe(tmp_path, f"https://127.0.0.1:{port}")
    error = await failure(one, 2)
    assert isinstance(error, Unreachable)
    assert str(error) == f"cannot reach https://127.0.0.1:{port}: connection refused"
    async with serving(api([])) as url:
        kubeconfig(tmp_path, url)  # it moved; the next tick logs in anew
        assert (await one.read()).deployments
    await one.close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"message": "Unauthorized"}, "401: the token is refused"),
        (403, {"message": "pods is forbidden"}, "403: pods is forbidden"),
        (500, {"message": "etcd is down"}, "answered 500: etcd is down"),
        (200, [1], "answered something else than a Kubernetes API does"),
        (200, "<html>", "may not be a Kubernetes API"),
        (302, {}, "answered 302: it sends us elsewhere"),
    ],
)
async def test_statuses(tmp_path: Path, status: int, body: Any, words: str) -> None:
    def answer(request: web.Request) -> web.Response:
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status, headers={"Location": "/elsewhere"})

    async with serving(answer) as url:
        assert words in str(await failure(probe(tmp_path, url), 2))


async def test_untrusted_certificate(tmp_path: Path) -> None:
    async with serving(api([]), tls=self_signed().context()) as url:
        error = await failure(probe(tmp_path, url), 2)
    assert isinstance(error, Unreachable)
    assert str(error) == f"cannot reach {url}: its certificate is not trusted: self-signed certificate"


def plugin(folder: Path, script: str) -> dict[str, Any]:
    file = folder / "login"
    file.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{script}\n")
    file.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "args": ["x"]}}


async def test_login_program(tmp_path: Path) -> None:
    script = (
        "assert sys.stdin.read() == '' and sys.argv[1] == 'x'\n"
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert asked['spec']['interactive'] is False\n"
        "print(json.dumps({'apiVersion': asked['apiVersion'], 'status': {'token': 'sesame'}}))"
    )
    async with serving(api([])) as url:
        one = probe(tmp_path, url, **plugin(tmp_path, script))
        assert (await one.read()).deployments
        await one.close()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("sys.stderr.write('session expired, run aws sso login'); sys.exit(3)", "failed with 3: session expired, run"),
        ("print('Password: sesame')", "printed no credential"),
        ("print(json.dumps({'status': {}}))", "gave neither a token nor a certificate"),
        ("time.sleep(60)", "did not end within 0.3 s"),
    ],
)
async def test_login_program_that_fails(
    tmp_path: Path, script: str, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if "sleep" in script:
        monkeypatch.setattr(kubernetes_login, "PLUGIN_TIMEOUT_S", 0.3)
    error = await failure(probe(tmp_path, "http://127.0.0.1:1", **plugin(tmp_path, script)), 2)
    assert isinstance(error, Refused) and words in str(error)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("status", [None, 401])
async def test_login_program_is_not_run_again_at_once(tmp_path: Path, status: int | None) -> None:
    script = f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\n" + (
        "print(json.dumps({'status': {'token': 'sesame'}}))" if status else "sys.exit(1)"
    )

    async with serving(lambda request: web.json_response({}, status=status or 200)) as url:
        one = probe(tmp_path, url, **plugin(tmp_path, script))
        said = {str(await failure(one, 2)) for _ in range(3)}
        assert len(said) == 1 and (tmp_path / "runs").read_text() == "x"
        one._api._refused_until = 0.0
        await failure(one, 2)
        assert (tmp_path / "runs").read_text() == "xx"
        await one.close()


@pytest.mark.parametrize("content", ["", "[1, 2]", "a: [", "clusters: sesame", "token: 'sesame", "contexts: [{}]"])
async def test_broken_kubeconfig(tmp_path: Path, content: str) -> None:
    one = probe(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "kubeconfig").write_text(content)
    assert "kubeconfig" in str(await failure(one, 2))
    (tmp_path / "kubeconfig").unlink()
    assert "is not there" in str(await failure(one, 2))


async def test_no_kubeconfig_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    one = KubernetesProbe(settings(kubernetes={}), CLOCK)
    assert "there is no kubeconfig at" in str(await failure(one, 2))


def test_exit_is_not_delayed_and_no_model_is_loaded(tmp_path: Path) -> None:
    """A hung API server must not keep the process from ending, and 50 MB of models must stay on disk."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        file = kubeconfig(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}")
        script = (
            "import asyncio, json, sys, time\n"
            "from cockpit.clock import SystemClock\n"
            "from cockpit.config import Settings\n"
            "from cockpit.parts import parsed\n"
            "from cockpit.errors import TimedOut\n"
            "from cockpit.probes.kubernetes import KubernetesProbe\n"
            "assert 'kubernetes' not in sys.modules and 'yaml' in sys.modules\n"
            f"part = {{'kubeconfig': {str(file)!r}, 'timeout_s': 1.0}}\n"
            "probe = KubernetesProbe(parsed(Settings, {'site': 't', 'root': '/', 'kubernetes': part}), SystemClock())\n"
            "async def main():\n"
            "    for _ in range(3):\n"
            "        try:\n"
            "            await probe.read()\n"
            "        except TimedOut:\n"
            "            pass\n"
            "asyncio.run(main())\n"
            "models = [name for name in sys.modules if name.startswith('kubernetes.client.models.')]\n"
            "print(json.dumps([len(models), time.time()]))\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
        ended_at = time.time()
    assert done.returncode == 0, done.stderr
    models, finished_at = json.loads(done.stdout)
    assert models == 0
    assert ended_at - finished_at < 5.0
