"""The Kubernetes probe: what it asks each second, and APIs that misbehave, at once or later."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kubernetes_served import api, deployed, failure, kubeconfig, probe, running
from probe_servers import drip, flood, free_port, garbage, hang_up, serving, silence, speaking

from cockpit.errors import BackendError, TimedOut, Unreachable
from cockpit.probes import kubernetes as probing
from cockpit.probes.kubernetes import KubernetesProbe, kubernetes
from cockpit.sandbox.served.certificate import self_signed
from tests.patience import PATIENCE_S


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


def limit_s(words: str) -> float:
    """Short where it is to pass; else a busy machine is given its time."""
    return 2.0 if "did not answer" in words else PATIENCE_S / 2


async def test_black_hole_does_not_pile_up_threads(tmp_path: Path) -> None:
    import threading

    async with speaking(silence) as port:
        one = probe(tmp_path, f"http://127.0.0.1:{port}", timeout_s=0.6)
        before = threading.active_count()
        for _ in range(4):
            assert isinstance(await failure(one), TimedOut)
        assert threading.active_count() <= before + 1
    await one.close()


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (drip, "did not answer within 2 s"),
        (hang_up, "hung up without a whole answer"),
        (garbage, "does not speak HTTP"),
    ],
)
async def test_odd_servers(tmp_path: Path, say: Any, words: str) -> None:
    async with speaking(say) as port:
        assert words in str(await failure(probe(tmp_path, f"http://127.0.0.1:{port}", timeout_s=limit_s(words))))


async def test_flood(tmp_path: Path) -> None:
    async with speaking(flood) as port:
        assert "answered more than 32 MB" in str(
            await failure(probe(tmp_path, f"http://127.0.0.1:{port}", timeout_s=PATIENCE_S / 2))
        )


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
        (silence, "did not answer within 2 s"),
        (drip, "did not answer within 2 s"),
        (garbage, "does not speak HTTP"),
        (flood, "answered more than 32 MB"),
    ],
)
async def test_a_server_that_is_odd_only_later(tmp_path: Path, say: Any, words: str) -> None:
    async with speaking(answers(3, say)) as port:
        one = probe(tmp_path, f"http://127.0.0.1:{port}", timeout_s=limit_s(words))
        assert (await one.read()).deployments
        assert words in str(await failure(one))
        async with asyncio.timeout(PATIENCE_S):  # the call that was given up may take a moment to end
            while "earlier call" in await said(one):
                await asyncio.sleep(0.01)
        assert await said(one) == "", "on another connection"
        await one.close()


async def test_refused_then_up(tmp_path: Path) -> None:
    port = free_port()
    one = probe(tmp_path, f"https://127.0.0.1:{port}")
    error = await failure(one)
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
        assert words in str(await failure(probe(tmp_path, url)))


async def test_untrusted_certificate(tmp_path: Path) -> None:
    async with serving(api([]), tls=self_signed().context()) as url:
        error = await failure(probe(tmp_path, url))
    assert isinstance(error, Unreachable)
    assert str(error) == f"cannot reach {url}: its certificate is not trusted: self-signed certificate"
