"""A password, token or login that takes its time: nothing was sent to the backend, so nobody says that it is down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes_served import kubeconfig
from probe_servers import CLOCK, serving, silence, speaking
from test_kubernetes_login import plugin

from cockpit.clients.revealing import Revealing
from cockpit.config import Settings
from cockpit.headless.listening import Ear
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.observe.poller import Poller
from cockpit.observe.sources import sources
from cockpit.parts import parsed
from cockpit.probes.reach import ReachProbe
from cockpit.secret import Secret
from cockpit.severity.silence import silent
from tests.patience import PATIENCE_S

SLOW = "while [ ! -e {} ]; do sleep 0.02; done; echo sesame; echo >> {}"
FIELDS = ("redis", "postgres", "alerts", "kubernetes")


@pytest.fixture(autouse=True)
def opened_in_the_end(tmp_path: Path) -> Iterator[None]:
    """Or a test that fails would leave what it started waiting for ever."""
    yield
    (tmp_path / "open").touch()


def vault(folder: Path) -> dict[str, list[str]]:
    """It answers when the file is there, and counts there."""
    return {"command": ["sh", "-c", SLOW.format(folder / "open", folder / "open")]}


def of_all(folder: Path) -> Settings:
    """Nobody listens at these addresses."""
    login = plugin(folder, f"while not os.path.exists({str(folder / 'open')!r}): time.sleep(0.02)\nsys.exit(3)")
    config = kubeconfig(folder, "http://127.0.0.1:1", **login)
    parts = {
        "redis": {"url": "redis://127.0.0.1:1/0", "password": vault(folder), "timeout_s": 0.2},
        "postgres": {"dsn": "host=127.0.0.1 port=1", "password": vault(folder), "timeout_s": 0.2},
        "grafana": {"url": "http://127.0.0.1:1", "token": vault(folder), "timeout_s": 0.2},
        "kubernetes": {"kubeconfig": str(config), "timeout_s": 0.2},
    }
    return parsed(Settings, {"site": "test", "root": folder, **parts})


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.02)


async def test_what_waits_for_its_secret_is_unknown_and_not_down(tmp_path: Path) -> None:
    settings = of_all(tmp_path)
    poller = Poller(sources(settings, CLOCK), CLOCK, lambda before, after: None)
    polling = asyncio.create_task(poller.run())
    await until(lambda: all(poller.samples[field].error for field in FIELDS))
    for field in FIELDS:
        assert (poller.samples[field].is_asked, poller.samples[field].is_ready) == (False, False)
    snapshot = Snapshot(1, CLOCK.now(), World.SANDBOX, "test", **poller.samples)
    found = {one.subject: one for one in silent(snapshot, settings)}
    named = "Redis", "Postgres", "Grafana", "Kubernetes API"
    assert {found[name].severity for name in named} == {Severity.UNKNOWN}
    assert found["Postgres"].summary == "Postgres is not asked yet: no password from command sh"
    assert "/kubeconfig" in found["Kubernetes API"].summary
    assert set(FIELDS) <= Ear(frozenset(FIELDS))._untried(snapshot), "a look that is not yet complete"

    (tmp_path / "open").touch()
    await until(lambda: all(poller.samples[field].is_ready for field in FIELDS))
    snapshot = Snapshot(2, CLOCK.now(), World.SANDBOX, "test", **poller.samples)
    found = {one.subject: one for one in silent(snapshot, settings)}
    assert (found["Redis"].severity, found["Postgres"].severity) == (Severity.P1, Severity.P1)
    polling.cancel()
    await poller.close()


async def test_a_server_that_was_asked_is_called_silent(tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    async with speaking(silence) as port:
        part = {"url": f"redis://127.0.0.1:{port}/0", "password": vault(tmp_path), "timeout_s": 0.5}
        settings = parsed(Settings, {"site": "test", "root": tmp_path, "redis": part})
        poller = Poller(sources(settings, CLOCK)[:1], CLOCK, lambda before, after: None)
        polling = asyncio.create_task(poller.run())
        await until(lambda: "no answer" in (poller.samples["redis"].error or ""))
        assert poller.samples["redis"].is_asked
        polling.cancel()
        await poller.close()


async def test_a_look_that_outlasts_who_wanted_it_is_there_for_the_next(tmp_path: Path) -> None:
    revealing = Revealing(Secret(command=tuple(vault(tmp_path)["command"])))
    assert revealing.awaits() == ""
    for _ in range(2):
        try:
            async with asyncio.timeout(0.05):
                await revealing.get()
        except TimeoutError:
            assert revealing.awaits()
    (tmp_path / "open").touch()
    async with asyncio.timeout(PATIENCE_S):
        assert await revealing.get() == "sesame"
    assert revealing.awaits() == ""
    assert (tmp_path / "open").read_text() == "\n", "the command ran once"


async def test_a_broker_whose_token_is_late_is_asked_without(tmp_path: Path) -> None:
    asked: list[str | None] = []

    def answer(request: object) -> dict[str, str]:
        asked.append(request.headers.get("Authorization"))  # type: ignore[attr-defined]
        return {"status": "success"}

    async with serving(answer) as url:
        venue = {"name": "ZERODHA", "probe": url, "token": vault(tmp_path)}
        probe = ReachProbe(parsed(Settings, {"site": "test", "root": tmp_path, "venues": [venue]}), CLOCK)
        (reach,) = await probe.read()
        assert (reach.is_up, reach.lacks) == (True, "no token from command sh")
        (tmp_path / "open").touch()
        async with asyncio.timeout(PATIENCE_S):
            while reach.lacks:
                (reach,) = await probe.read()
        assert "token sesame" in asked and asked[0] is None
        await probe.close()
