"""A drill on the real sandbox, recovered by hand: each goal is seen in the world; it outlives who began it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from msgspec import structs

from actions.runbook import runbook_for
from cockpit.clock import SystemClock
from cockpit.config import Settings, load
from cockpit.drills.director import Director
from cockpit.errors import Rejected
from cockpit.headless.listening import Ear
from cockpit.model.drill import Drill
from cockpit.observe.lookout import watch
from cockpit.sandbox.layout import Layout
from cockpit.severity.silence import configured
from cockpit.storage.incidents import Incidents
from tests.patience import PATIENCE_S
from tests.sandbox.conftest import Control, wait_until


@contextmanager
def heard(settings: Settings) -> Iterator[Ear]:
    ear = Ear(configured(settings))
    observer = watch(settings, SystemClock(), runbook_for(settings), tuple, ear)
    try:
        yield ear
    finally:
        observer.stop(0.5)


def test_it_is_watched_in_the_world_and_outlives_who_began_it(sandbox: tuple[Layout, Control], tmp_path: Path) -> None:
    layout, control = sandbox
    settings = load(layout.config)
    incidents = structs.replace(settings.incidents, folder=tmp_path / "incidents")
    settings = structs.replace(settings, incidents=incidents)
    said: list[tuple[str, str]] = []

    def director() -> Director:
        """Another cockpit's: all that they share is the disk."""
        return Director(settings, SystemClock(), "asha", tmp_path / "drills", lambda *words: said.append(words))

    assert settings.redis is not None
    client = redis.Redis.from_url(settings.redis.url, socket_timeout=PATIENCE_S)
    with heard(settings) as ear:
        wait_until(lambda: ear.wait_round(0.1))

        def begun() -> Drill | None:
            """Once what another test has broken is no longer seen."""
            with contextlib.suppress(Rejected):
                return director().start("broker-failover", ear.newest, lambda _: None)
            return None

        started = wait_until(begun)
        assert started is not None
        try:
            assert [fault["id"] for fault in control.status()["faults"]] == ["broker-down"]
            incident = Incidents(tmp_path / "incidents").find(started.incident)
            assert incident.is_drill and incident.is_open and incident.section == "3.1"
            with pytest.raises(Rejected, match="runs already"):
                director().start("kill-switch", ear.newest, lambda _: None)

            def reached(goal: str) -> bool:
                drill = director().watch(ear.newest) if ear.newest is not None else None
                return drill is not None and drill.met(goal) is not None

            wait_until(lambda: reached("detected"))
            client.hset("policy:kill_switch", "enabled", "true")
            wait_until(lambda: reached("halted"))
            client.hset("policy:route_override", "IBKR", "paper")
            wait_until(lambda: reached("recovered"))
            client.hset("policy:kill_switch", "enabled", "false")
            wait_until(lambda: reached("released"))
            assert control.status()["faults"] == [], "the broker is back by itself once trading is on"
            newest = ear.newest
            ended = director().stop(newest)
        finally:
            control.clear()
            client.hdel("policy:route_override", "IBKR")
            client.hset("policy:kill_switch", mapping={"enabled": "false", "by": "test"})
            client.close()
    assert (ended.verdict, ended.missed) == ("STOPPED", ("proven: not reached",))
    assert "IBKR goes to paper" in ended.left
    assert not Incidents(tmp_path / "incidents").find(started.incident).is_open
    for folder in (tmp_path / "drills", tmp_path / "incidents" / "drills"):
        assert "| proven | **not reached**" in (folder / f"{ended.id}.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "drills" / f"{ended.id}.json").read_text(encoding="utf-8"))["ending"] == "stopped"
    assert [kind for kind, _ in said] == ["drill_started", "drill_ended"]
    assert director().board().running is None
    with pytest.raises(Rejected, match="is so already"):
        director().start("broker-failover", newest, lambda _: None)
