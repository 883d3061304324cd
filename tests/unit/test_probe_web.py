"""JSON over HTTP from servers that misbehave in every way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from probe_servers import drip, flood, free_port, garbage, hang_up, serving, silence, speaking

from cockpit.clients.web import Trust, Web
from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.sandbox.served.certificate import self_signed
from tests.patience import PATIENCE_S

TIMEOUT_S = 0.6


async def failure(port: int, timeout_s: float = PATIENCE_S) -> BackendError:
    client = Web(f"http://user:secret@127.0.0.1:{port}", name="Grafana", timeout_s=timeout_s, max_bytes=1 << 20)
    await client.ready()
    async with asyncio.timeout(2 * PATIENCE_S):
        with pytest.raises(BackendError) as caught:
            await client.get_json("/x")
    await client.close()
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


async def test_black_hole() -> None:
    async with speaking(silence) as port:
        error = await failure(port, TIMEOUT_S)
    assert isinstance(error, TimedOut)
    assert str(error) == "Grafana did not answer within 0.6 s"


async def test_drip_is_bounded_in_total() -> None:
    async with speaking(drip) as port:
        assert isinstance(await failure(port, TIMEOUT_S), TimedOut)


async def test_flood_is_capped() -> None:
    async with speaking(flood) as port:
        assert str(await failure(port)) == "answered more than 1 MB"


async def test_garbage() -> None:
    async with speaking(garbage) as port:
        assert "does not speak HTTP" in str(await failure(port))


async def test_hang_up() -> None:
    async with speaking(hang_up) as port:
        assert str(await failure(port)) == "Grafana hung up without an answer"


async def test_refused() -> None:
    port = free_port()
    error = await failure(port)
    assert isinstance(error, Unreachable)
    assert str(error) == f"cannot reach http://127.0.0.1:{port}: connection refused"


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Refused, "401: Grafana refuses the credentials: Invalid API key"),
        (403, Refused, "403: the credentials lack a permission: Invalid API key"),
        (500, BackendError, "answered 500 Internal Server Error: Invalid API key"),
        (302, BackendError, "answered 302: it sends us elsewhere, where we do not follow"),
    ],
)
async def test_statuses(status: int, kind: type[BackendError], words: str) -> None:
    def answer(request: web.Request) -> web.Response:
        return web.json_response({"message": "Invalid API key"}, status=status, headers={"Location": "/login"})

    async with serving(answer) as url:
        error = await failure(int(url.rpartition(":")[2]))
    assert type(error) is kind
    assert str(error) == words


async def test_not_json_and_too_deep() -> None:
    async with serving(lambda request: web.Response(text="<html>login\x1b[31m")) as url:
        assert str(await failure(int(url.rpartition(":")[2]))) == "answered 200, but not JSON: <html>login␛[31m"
    async with serving(lambda request: web.Response(text="[" * 200_000)) as url:
        assert "not JSON" in str(await failure(int(url.rpartition(":")[2])))


async def test_compression_is_not_unpacked() -> None:
    import gzip

    bomb = gzip.compress(b" " * (50 << 20))
    answer = web.Response
    async with serving(lambda request: answer(body=bomb, headers={"Content-Encoding": "gzip"})) as url:
        assert "not JSON" in str(await failure(int(url.rpartition(":")[2])))


async def test_tls_is_verified_and_a_private_authority_can_be_named(tmp_path: Path) -> None:
    made = self_signed()
    (tmp_path / "ca.pem").write_text(made.certificate)
    async with serving(lambda request: {"ok": 1}, tls=made.context()) as url:
        stranger = Web(url, name="Grafana", timeout_s=PATIENCE_S)
        with pytest.raises(Unreachable, match="its certificate is not trusted: self-signed certificate"):
            await stranger.get_json("/")
        friend = Web(url, name="Grafana", timeout_s=PATIENCE_S, trust=Trust(ca=tmp_path / "ca.pem"))
        assert await friend.get_json("/") == {"ok": 1}
        plain = Web(url.replace("https", "http"), name="Grafana", timeout_s=PATIENCE_S)
        with pytest.raises(BackendError):
            await plain.get_json("/")
        for client in (stranger, friend, plain):
            await client.close()
    async with serving(lambda request: {}) as url:
        with pytest.raises(Unreachable, match="does not speak TLS as we do"):
            await Web(url.replace("http", "https"), name="Grafana", timeout_s=PATIENCE_S).get_json("/")
    with pytest.raises(BackendError, match="cannot load the certificates for Grafana: "):
        await Web(
            url.replace("http", "https"), name="Grafana", timeout_s=PATIENCE_S, trust=Trust(ca=tmp_path / "x")
        ).get("/")


def test_asking_loads_no_library_for_http() -> None:
    script = (
        "import asyncio, sys\n"
        "from cockpit.clients.web import Web\n"
        "asyncio.run(Web('https://x', name='x', timeout_s=9).ready())\n"
        "assert not {'httpx', 'rich', 'click', 'textual'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr


async def test_a_connection_is_kept_while_they_keep_it() -> None:
    peers = []

    def answer(request: web.Request) -> web.Response:
        peers.append(request.transport.get_extra_info("peername") if request.transport else None)
        return web.json_response({}, headers={"Connection": "close"} if request.path == "/last" else {})

    async with serving(answer) as url:
        client = Web(url, name="Grafana", timeout_s=PATIENCE_S)
        for path in ("/", "/", "/last", "/"):
            assert await client.get_json(path) == {}
        with pytest.raises(BackendError, match="Grafana: a header holds characters that cannot be sent"):
            await client.get("/", headers={"Authorization": "secret\r\nX: y"})
        await client.close()
    assert peers[0] == peers[1] == peers[2] != peers[3]


async def test_the_same_answer_is_the_same_objects_and_another_is_not() -> None:
    bodies = iter(('[{"at": 1}]', '[{"at": 1}]', '[{"at": 2}]', "[", '[{"at": 2}]'))
    async with serving(lambda _: web.Response(text=next(bodies))) as url:
        client = Web(url, name="Grafana", timeout_s=TIMEOUT_S)
        first, second, third = [await client.get_json("/x") for _ in range(3)]
        with pytest.raises(BackendError):
            await client.get_json("/x")
        assert await client.get_json("/x") == [{"at": 2}]
        await client.close()
    assert first is second
    assert third == [{"at": 2}]
