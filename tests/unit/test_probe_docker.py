"""The Docker probe over a unix socket and TCP."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from probe_servers import CLOCK, free_port, serving, settings

from cockpit.clients.docker import INSPECTED_S, connect
from cockpit.config import DockerPart
from cockpit.errors import BackendError
from cockpit.probes.docker import DockerProbe

ROWS = [
    {"Names": ["/redis-exporter"], "State": "running", "Status": "Up 3 hours"},
    {"Names": ["/redis"], "State": "running", "Status": "Up 2 minutes (healthy)"},
    {"Names": ["/pg"], "State": "exited", "Status": "Exited (137) 4 seconds ago"},
    {"Names": ["/gone"], "State": "removing", "Status": "Removal In Progress"},
]
INSPECTIONS: dict[str, Any] = {
    "redis": {"Status": "running", "Pid": 4711, "ExitCode": 0, "StartedAt": "2020-01-02T03:04:05.123456789Z"},
    "pg": {"Status": "exited", "Pid": 0, "ExitCode": 137, "StartedAt": "0001-01-01T00:00:00Z"},
}


def engine(request: web.Request) -> Any:
    """No path carries a version."""
    if request.path == "/version":
        return {"Version": "28.2.2"}
    if request.path == "/containers/json":
        assert request.query["all"] == "1"
        return ROWS
    name = request.path.split("/")[2]
    if name not in INSPECTIONS:
        return web.json_response({"message": f"No such container: {name}"}, status=404)
    return {"State": INSPECTIONS[name]}


def probe(url: str, *names: str) -> DockerProbe:
    return DockerProbe(settings(docker={"url": url, "containers": names or ["redis"], "timeout_s": 1.0}), CLOCK)


async def test_containers_over_the_socket(tmp_path: Path) -> None:
    socket = str(tmp_path / "docker.sock")
    async with serving(engine, socket):
        one = probe(f"unix://{socket}", "redis", "pg", "gone", "nope")
        found = await one.read()
        assert await one.read()
        await one.close()
    redis, pg, gone, nope = found.containers
    assert found.version == "28.2.2"
    assert (redis.state, redis.status, redis.pid, redis.exit_code) == ("running", "Up 2 minutes (healthy)", 4711, None)
    assert redis.started_age_s is not None and redis.started_age_s > 1e8
    assert (pg.state, pg.status, pg.pid, pg.exit_code) == ("exited", "Exited (137) 4 seconds ago", None, 137)
    assert pg.started_age_s is None
    assert gone.state == nope.state == "absent"


async def test_over_tcp_and_errors() -> None:
    async with serving(engine) as url:
        one = probe(url.replace("http", "tcp"))
        assert (await one.read()).containers[0].pid == 4711
        await one.close()
    async with serving(lambda request: web.json_response({"message": "disk full"}, status=500)) as url:
        with pytest.raises(BackendError, match="answered 500 Internal Server Error: disk full"):
            await probe(url).read()
    for odd in ({"a": 1}, [1, None], "text"):
        async with serving(lambda request, odd=odd: odd) as url:
            try:
                assert (await probe(url).read()).containers[0].state == "absent"
            except BackendError as error:
                assert "something else" in str(error)


async def test_no_socket_and_no_server(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"cannot reach .*/docker.sock: there is no such socket"):
        await probe(f"unix://{tmp_path}/docker.sock").read()
    port = free_port()
    with pytest.raises(BackendError, match=f"cannot reach http://127.0.0.1:{port}: connection refused"):
        await probe(f"tcp://127.0.0.1:{port}").read()
    (tmp_path / "plain").touch()
    with pytest.raises(BackendError, match="connection refused"):
        await probe(f"unix://{tmp_path}/plain").read()
    if os.geteuid() == 0:
        return
    (tmp_path / "plain").chmod(0)
    with pytest.raises(BackendError, match="no permission"):
        await probe(f"unix://{tmp_path}/plain").read()


def test_certificates_make_tcp_speak_tls(tmp_path: Path) -> None:
    assert connect(DockerPart(url="tcp://h:2376", certificates=tmp_path)).place == "https://h:2376"
    assert connect(DockerPart(url="tcp://h:2375")).place == "http://h:2375"
    assert connect(DockerPart()).place == "/var/run/docker.sock"


class SetClock:
    """Shows what it is told to."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


async def pids(*looks: tuple[float, str, int]) -> tuple[list[int | None], int]:
    """What looks at these seconds find of a container with this status and process, and how often it is inspected."""
    asked: list[str] = []
    clock, status, pid = SetClock(0.0), "", 0

    def answer(request: web.Request) -> Any:
        asked.append(request.path)
        if request.path == "/containers/json":
            return [{"Names": ["/redis"], "State": "running", "Status": status}]
        return {"Version": "28.2.2"} if request.path == "/version" else {"State": {"Status": "running", "Pid": pid}}

    found = []
    async with serving(answer) as url:
        part = {"url": url.replace("http", "tcp"), "containers": ["redis"], "timeout_s": 1.0}
        one = DockerProbe(settings(docker=part), clock)
        for look in looks:
            clock.at, status, pid = look
            found.append((await one.read()).containers[0].pid)
        await one.close()
    return found, asked.count("/containers/redis/json")


@pytest.mark.parametrize(
    ("statuses", "inspections"),
    [
        (("Up 2 minutes", "Up 2 minutes", "Up 2 minutes"), 1),
        (("Up 2 minutes", "Up 1 second", "Up 1 second"), 3),
        (("Up Less than a second", "Up Less than a second"), 2),
        (("Up 2 minutes", "Up 2 minutes (unhealthy)"), 2),
        (("Exited (1) 5 minutes ago", "Exited (1) 5 minutes ago"), 2),
    ],
)
async def test_only_a_container_that_cannot_be_another_by_now_is_not_inspected_again(
    statuses: tuple[str, ...], inspections: int
) -> None:
    found = await pids(*((float(at), status, 4711) for at, status in enumerate(statuses)))
    assert found == ([4711] * len(statuses), inspections)


@pytest.mark.parametrize("later_s", [125.0, INSPECTED_S, -3600.0], ids=["rarely", "at the limit", "clock set back"])
async def test_one_that_was_started_anew_between_two_looks_is_seen(later_s: float) -> None:
    assert await pids((0.0, "Up 2 minutes", 4711), (later_s, "Up 2 minutes", 4712)) == ([4711, 4712], 2)


async def test_however_often_it_is_looked_at_an_inspection_gets_no_older() -> None:
    looks = [(at * INSPECTED_S / 4, "Up 2 hours", 4711) for at in range(9)]
    assert await pids(*looks) == ([4711] * 9, 3)
