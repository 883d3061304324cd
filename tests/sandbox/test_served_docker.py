"""The Docker Engine API, asked by the real docker program and by httpx."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from served_runtimes import Box, SleeperContainer, beside, eventually, run, serving

from cockpit.sandbox.served.docker_api import DockerServer
from tests.patience import PATIENCE_S

needs_docker = pytest.mark.skipif(shutil.which("docker") is None, reason="no docker program on PATH")


class Engine:
    def __init__(self, path: Path, redis: SleeperContainer, gate: Box) -> None:
        self.path, self.redis, self.gate = path, redis, gate

    async def docker(self, *words: str) -> tuple[int, str, str]:
        return await run("docker", *words, env={"DOCKER_HOST": f"unix://{self.path}", "DOCKER_CONFIG": "/nonexistent"})

    def client(self, read_s: float = PATIENCE_S) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(uds=str(self.path))
        return httpx.AsyncClient(
            transport=transport, base_url="http://docker", timeout=httpx.Timeout(PATIENCE_S, read=read_s)
        )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    redis, gate, path = SleeperContainer(), Box(), beside(tmp_path, "docker")
    await redis.start()
    try:
        async with serving(DockerServer(path, [redis], gate)):
            yield Engine(path, redis, gate)
    finally:
        if redis.process is not None:
            redis.process.kill()
            redis.process.child.wait()
    assert not path.exists()


@needs_docker
async def test_the_real_program_restarts_the_real_process(engine: Engine) -> None:
    code, out, err = await engine.docker("ps")
    assert (code, err) == (0, "")
    assert "redis:6.2.14" in out and "Up" in out
    before = engine.redis.pid
    assert await engine.docker("restart", "redis") == (0, "redis\n", "")
    assert engine.redis.is_running and engine.redis.pid != before
    code, out, _ = await engine.docker("inspect", "redis", "--format", "{{.State.Status}} {{.State.Pid}} {{.Name}}")
    assert (code, out.strip()) == (0, f"running {engine.redis.pid} /redis")
    assert (await engine.docker("logs", "--tail", "1", "redis"))[:2] == (0, "up\n")


@needs_docker
async def test_the_real_program_sees_a_dead_container(engine: Engine) -> None:
    assert (await engine.docker("kill", "redis"))[0] == 0
    assert "redis" not in (await engine.docker("ps"))[1]
    _, out, _ = await engine.docker("ps", "-a", "--filter", "name=redis", "--format", "{{.Names}} {{.Status}}")
    assert out.startswith("redis Exited (137)")
    code, _, err = await engine.docker("kill", "redis")
    assert code == 1 and "is not running" in err
    assert (await engine.docker("start", "redis"))[:2] == (0, "redis\n")
    assert (await engine.docker("stop", "-t", "2", "redis"))[0] == 0 and not engine.redis.is_running
    assert (await engine.docker("wait", "redis"))[1] == "143\n"


@needs_docker
async def test_the_real_program_says_what_is_unknown(engine: Engine) -> None:
    code, _, err = await engine.docker("restart", "nats")
    assert code == 1 and "No such container: nats" in err and "{" not in err
    code, _, err = await engine.docker("inspect", "nats")
    assert code == 1 and "no such object: nats" in err.lower()
    for words in (["version"], ["info"]):
        code, out, _ = await engine.docker(*words)
        assert code == 0 and "28.2.2" in out


async def test_status_codes_and_content_types(engine: Engine) -> None:
    assert stat.S_IMODE(engine.path.stat().st_mode) == 0o600
    async with engine.client() as client:
        ping = await client.head("/_ping")
        assert ping.headers["Api-Version"] == "1.50" and ping.headers["Ostype"] == "linux"
        assert (await client.post("/v1.41/containers/redis/start")).status_code == 304
        missing = await client.post("/containers/nats/restart")
        assert missing.status_code == 404 and missing.headers["Content-Type"] == "application/json"
        before = (await client.get("/containers/redis/json")).json()["State"]
        assert (await client.post("/containers/redis/restart", params={"t": 1})).status_code == 204
        after = (await client.get("/containers/redis/json")).json()["State"]
        assert after["Pid"] != before["Pid"] and after["StartedAt"] > before["StartedAt"]
        assert (await client.post("/containers/redis/stop", params={"t": "x"})).status_code == 400
        assert (await client.post("/containers/redis/kill", params={"signal": "NOPE"})).status_code == 400
        assert (await client.get("/containers/json", params={"filters": "{"})).status_code == 400
        assert (await client.post("/containers/redis/stop")).status_code == 204
        assert (await client.post("/containers/redis/stop")).status_code == 304
        assert (await client.post("/containers/redis/kill")).status_code == 409
        assert (await client.get("/containers/json")).json() == []
        assert (await client.get("/images/json")).status_code == 404


async def test_down_refuses_and_comes_back(engine: Engine) -> None:
    async def refused() -> bool:
        async with engine.client() as client:
            try:
                await client.get("/_ping")
            except httpx.ConnectError:
                return True
            except httpx.HTTPError:
                return False
        return False

    async def answered() -> bool:
        async with engine.client() as client:
            try:
                return (await client.get("/_ping")).status_code == 200
            except httpx.HTTPError:
                return False

    engine.gate.value = "down"
    await eventually(refused)
    engine.gate.value = "open"
    await eventually(answered)


async def test_a_black_hole_holds_callers_and_lets_go(engine: Engine) -> None:
    engine.gate.value = "blackhole"
    async with engine.client(read_s=0.3) as hasty, engine.client() as patient:
        waiting = asyncio.ensure_future(patient.get("/_ping"))
        before = engine.redis.pid
        with pytest.raises(httpx.ReadTimeout):
            await hasty.post("/containers/redis/restart")
        assert not waiting.done()
        engine.gate.value = "open"
        assert (await waiting).status_code == 200
        assert engine.redis.pid == before, "what an impatient caller asked for must not happen later"
    engine.gate.value = "error"
    async with engine.client() as client:
        assert (await client.get("/_ping")).status_code == 500
    engine.gate.value = "blackhole"  # stopping must not wait for held callers
