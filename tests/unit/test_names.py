"""Where the resolver hangs, that is said, and which name it hangs on; a platform that is well costs no lookup."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from cockpit.clients import names, postgres_driver
from cockpit.config import DockerPart, GrafanaPart, PostgresPart, RedisPart, Settings
from cockpit.observe.hosts import host_of

HUNG = "name resolution hangs for db.internal"


def until(holds: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20.0
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.002)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], threading.Event]]:
    """What is looked up, and what lets the resolver answer."""
    monkeypatch.setattr(names, "_lookups", {})
    monkeypatch.setattr(names, "SLOW_S", 0.02)
    looked_up: list[str] = []
    answers = threading.Event()

    def getaddrinfo(host: str, port: object) -> list[object]:
        looked_up.append(host)
        answers.wait(20.0)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield looked_up, answers
    answers.set()
    # None is left for the next test, which would count it as its own.
    until(lambda: all(one.answer.done() for one in names._lookups.values()))


def test_a_resolver_that_hangs_is_named_with_the_name_and_asked_once(asked: tuple[list[str], threading.Event]) -> None:
    looked_up, answers = asked
    assert names.unresolved("db.internal") == "", "not known yet"
    until(lambda: names.unresolved("db.internal") == HUNG)
    until(lambda: looked_up != [])
    names.unresolved("db.internal")
    assert looked_up == ["db.internal"], "one that hangs is not asked again and again"
    answers.set()
    until(lambda: names.unresolved("db.internal") == "")


def test_a_resolver_that_gives_up_has_not_answered(
    asked: tuple[list[str], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, answers = asked
    monkeypatch.setattr(names, "SLOW_S", 0.0)
    names.unresolved("db.internal")
    answers.set()
    until(lambda: all(one.answer.done() for one in names._lookups.values()))
    monkeypatch.setattr(names, "SLOW_S", 20.0)
    answers.clear()
    assert names.unresolved("db.internal") == HUNG == names.unresolved("db.internal"), "from one lookup to the next"
    until(lambda: looked_up == ["db.internal"] * 2)
    answers.set()
    until(lambda: names.unresolved("db.internal") == "")


def test_a_slow_lookup_of_long_ago_says_nothing(asked: tuple[list[str], threading.Event]) -> None:
    answers = asked[1]
    ended: Future[names._Ended] = Future()
    ended.set_result(names._Ended(time.monotonic() - names.LATELY_S, was_slow=True))
    names._lookups["db.internal"] = names._Lookup(ended, 0.0, hung_before=True)
    answers.set()
    assert names.unresolved("db.internal") == ""


async def test_what_takes_long_has_the_resolver_asked_beside_it(asked: tuple[list[str], threading.Event]) -> None:
    looked_up, _ = asked
    with names.suspected("quick.internal", 5.0):
        await asyncio.sleep(0)
    with names.suspected("db.internal", 0.0):
        while not looked_up:
            await asyncio.sleep(0.001)
    assert looked_up == ["db.internal"]


def test_a_name_that_is_resolved_is_not_the_reason(
    asked: tuple[list[str], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, answers = asked
    monkeypatch.setattr(names, "SLOW_S", 20.0)
    answers.set()
    for _ in range(3):
        assert names.unresolved("db.internal") == ""
        until(lambda: all(one.answer.done() for one in names._lookups.values()))
    assert len(looked_up) == 3


@pytest.mark.parametrize("host", ["", "10.0.0.7", "::1", "fe80::1%eth0"])
def test_what_is_no_name_is_not_looked_up(host: str, asked: tuple[list[str], threading.Event]) -> None:
    assert names.unresolved(host) == "" and asked[0] == []


@pytest.mark.parametrize(
    ("source", "part", "host"),
    [
        ("redis", {"redis": RedisPart(url="rediss://ops@cache.internal:6380/0")}, "cache.internal"),
        ("redis", {"redis": RedisPart(url="unix:///run/redis.sock")}, ""),
        ("redis", {"redis": None}, ""),
        ("postgres", {"postgres": PostgresPart(dsn="host=db.internal,db2.internal dbname=x")}, "db.internal"),
        ("databases", {"postgres": PostgresPart(dsn="postgresql://ops@db.internal/x")}, "db.internal"),
        ("postgres", {"postgres": PostgresPart(dsn="host=db.internal hostaddr=10.0.0.7")}, ""),
        ("postgres", {"postgres": PostgresPart(dsn="host=/run/postgresql")}, ""),
        ("postgres", {"postgres": PostgresPart(dsn="dbname=x")}, ""),
        ("alerts", {"grafana": GrafanaPart(url="https://grafana.internal:3000/")}, "grafana.internal"),
        ("docker", {"docker": DockerPart(url="tcp://docker.internal:2376")}, "docker.internal"),
        ("docker", {"docker": DockerPart(url="unix:///var/run/docker.sock")}, ""),
        ("registry", {}, ""),
    ],
)
def test_where_a_source_is(source: str, part: dict[str, object], host: str) -> None:
    postgres_driver.load_driver()
    given: dict[str, object] = {"site": "test", "root": Path("/nowhere"), **part}
    assert host_of(Settings(**given), source) == host  # type: ignore[arg-type]


def test_nobody_waits_for_a_driver_that_is_still_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is the thread that watches everything."""
    importing = threading.Lock()
    monkeypatch.setattr(postgres_driver, "_loading", importing)
    monkeypatch.setattr(postgres_driver, "_loaded", threading.Event(), raising=False)
    settings = Settings(site="test", root=Path("/nowhere"), postgres=PostgresPart(dsn="host=db.internal"))
    said: list[str] = []
    with importing:
        asker = threading.Thread(target=lambda: said.append(host_of(settings, "postgres")), daemon=True)
        asker.start()
        asker.join(5.0)
        assert said == [""]


def test_where_no_thread_can_be_had_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks has just given up on a late backend, and must go on to ask that again."""

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(names, "_lookups", {})
    monkeypatch.setattr(names, "in_daemon_thread", no_thread)
    assert names.unresolved("db.internal") == ""
