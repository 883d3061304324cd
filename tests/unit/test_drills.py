"""Drills without a sandbox: where they may be played, when goals count, how they are scored, timed and reported."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from msgspec import structs

from cockpit.config import Settings
from cockpit.drills import director as director_module
from cockpit.drills import place
from cockpit.drills.coach import said
from cockpit.drills.director import Director, _dumped, _lost_minutes
from cockpit.drills.goals import met_at
from cockpit.drills.report import report
from cockpit.drills.scenarios import scenario, scenarios
from cockpit.drills.schedule import DAY_S, schedule
from cockpit.drills.scoring import missed
from cockpit.errors import Rejected
from cockpit.model.drill import Drill, Met
from cockpit.model.finding import Assessment, Finding
from cockpit.model.job import Job, Phase
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.states import KillSwitch, Registry
from cockpit.model.world import World
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout, Ports
from cockpit.storage.drills import Drills
from tests.unit.healthy import NOW, SETTINGS, snapshot, venue, venues

BROKER = scenario("broker-failover")
assert BROKER is not None


def a_drill(*mets: Met, **changes: object) -> Drill:
    whole = Drill(
        "20270115-080000-broker-failover", "broker-failover", BROKER.title, "3.1", NOW - 60, "asha@jump1", "SANDBOX",
        "sandbox", "/tmp/x", "/tmp/x/platform", "/tmp/x/cockpit.yaml", "/tmp/x/incidents",
        "2027-01-15-0800-P1-drill", rto_s=900.0,
        facts=(("primary", "yahoo"),), mets=mets,
    )  # fmt: skip
    return replace(whole, **changes)  # type: ignore[arg-type]


ALL = tuple(Met(goal.name, NOW - 50 + at * 5) for at, goal in enumerate(BROKER.goals))


def test_the_runbooks_three_drills_are_there_with_their_cadence() -> None:
    asked = {one.section: one.every_days for one in scenarios() if one.every_days}
    assert asked == {"3.5": 31, "3.1": 92, "3.2": 183}
    assert {one.section for one in scenarios()} == {"3.1", "3.2", "3.3", "3.4", "3.5"}


@pytest.mark.parametrize("world", [World.LIVE, World.PAPER, World.REPLAY, World.SANDBOX])
def test_nothing_is_played_where_no_sandbox_runs(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not on a platform that only says of itself that it is one."""
    launched: list[object] = []
    injected: list[object] = []

    def up(*given: object) -> None:
        launched.append(given)
        raise Rejected("no sandbox today")

    monkeypatch.setattr(launcher, "up", up)
    monkeypatch.setattr(launcher, "down", lambda *_: False)
    monkeypatch.setattr(launcher, "inject", lambda *given: injected.append(given))
    real = structs.replace(SETTINGS, world=world, root=tmp_path / "platform")
    assert place.sandbox_of(real) is None
    director = Director(real, _Clock(), "asha", tmp_path / "drills")
    with pytest.raises(Rejected, match="no sandbox today"):
        director.start("kill-switch", snapshot(), lambda _: None)
    assert launched and not injected, "one of its own is started, and nothing is done to this platform"
    assert not (tmp_path / "platform").exists()


@pytest.mark.parametrize(
    ("way", "is_refused"),
    [
        ("{slack: {webhook_url: 'https://hooks.slack.com/services/T/B/x'}}", True),
        ("{slack: {webhook_url: 'http://127.0.0.1:9/services/T/B/x'}}", False),
        ("{email: {to: [a@b.example], from: c@d.example, smtp: {host: mail.example, port: 25, security: none}}}", True),
        ("{email: {to: [a@b.example], from: c@d.example, smtp: {host: 127.0.0.1, port: 25, security: none}}}", False),
    ],
)
def test_no_drill_begins_where_its_messages_could_leave_the_host(way: str, is_refused: bool, tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(f"routing: {way}\n", encoding="utf-8")
    settings = structs.replace(SETTINGS, root=tmp_path)
    if is_refused:
        with pytest.raises(Rejected, match="real people"):
            place.check_ways_out(settings)
    else:
        place.check_ways_out(settings)


def test_of_two_cockpits_that_begin_a_drill_at_once_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, settings = tmp_path / "drills", structs.replace(SETTINGS, root=tmp_path)
    theirs = a_drill(id="20270115-080000-redis-crash", title="Redis crash", by="ben")
    injected: list[object] = []

    def meanwhile(*_: object) -> tuple[Layout, Settings, bool]:
        Drills(folder).keep(theirs)
        return Layout(tmp_path, Ports(*(1 for _ in fields(Ports)))), settings, False

    monkeypatch.setattr(director_module, "find_place", meanwhile)
    monkeypatch.setattr(launcher, "status", lambda _: {"faults": []})
    monkeypatch.setattr(launcher, "inject", lambda *given: injected.append(given))
    with pytest.raises(Rejected, match="begun by ben"):
        Director(settings, _Clock(), "asha", folder).start("broker-failover", None, lambda _: None)
    assert Drills(folder).running() == theirs and injected == [] and not settings.incidents_folder.exists()


def halted(since: float) -> Sample[KillSwitch]:
    return Sample.good(KillSwitch(True, True, "r", "asha", since), NOW, 0.01)


def test_a_goal_counts_from_its_own_time_and_only_in_its_turn() -> None:
    goals = {goal.name: goal for goal in BROKER.goals}
    fresh = replace(snapshot(), kill_switch=halted(NOW - 30))
    assert met_at(goals["halted"], a_drill(), fresh) == NOW - 30
    assert met_at(goals["halted"], a_drill(), replace(fresh, kill_switch=halted(NOW - 900))) == NOW - 60, "not before"
    assert met_at(goals["halted"], a_drill(), replace(fresh, kill_switch=Sample(error="silent"))) is None
    assert met_at(goals["released"], a_drill(), snapshot()) is None, "nothing is released that was not halted"
    there = a_drill(Met("halted", NOW - 30), Met("recovered", NOW - 20))
    assert met_at(goals["released"], there, snapshot()) is not None
    rerouted = replace(snapshot(), venues=Sample.good(venues(venue("IBKR", override="paper")), NOW, 0.01))
    assert met_at(goals["recovered"], a_drill(), rerouted) == NOW
    assert met_at(goals["recovered"], a_drill(), snapshot()) is None
    verified = Job("1", "order_flow.verify", "t", "flow", World.SANDBOX, "d", "asha", Phase.DONE, NOW - 25, NOW - 24)
    released = a_drill(Met("released", NOW - 30))
    assert met_at(goals["proven"], released, replace(snapshot(), jobs=(verified,))) == NOW - 24
    early = replace(verified, submitted_at=NOW - 40, ended_at=NOW - 39)
    assert met_at(goals["proven"], released, replace(snapshot(), jobs=(early,))) is None, "before its turn"
    down = Finding("venue_down", "IBKR", Severity.P1, "brokers", "IBKR down", "down", "up", NOW - 58)
    seen = replace(snapshot(), assessment=Assessment(Severity.P1, (down,)))
    assert met_at(goals["detected"], a_drill(), seen) == NOW - 58


def test_a_feed_is_switched_once_the_registry_names_another_one_than_before() -> None:
    feeds = scenario("feed-failover")
    assert feeds is not None
    switched = next(goal for goal in feeds.goals if goal.when == "switched")
    other = Sample.good(Registry("moneycontrol", "yahoo", NOW - 5), NOW, 0.01)
    assert met_at(switched, a_drill(), snapshot()) is None
    assert met_at(switched, a_drill(), replace(snapshot(), registry=other)) == NOW - 5


@pytest.mark.parametrize(
    ("drill", "said_of_it"),
    [
        (a_drill(*ALL), ()),
        (a_drill(*ALL[:-1]), ("proven: not reached",)),
        (a_drill(*ALL, rto_s=10.0), ("recovery took 30 s, the objective is 10 s",)),
        (a_drill(*ALL, rto_s=None), ()),
        (a_drill(ALL[0], Met("halted", NOW), *ALL[2:]),
         ("recovered before trading was halted: the runbook halts first",)),
    ],
)  # fmt: skip
def test_passed_is_everything_in_order_and_in_time(drill: Drill, said_of_it: tuple[str, ...]) -> None:
    assert missed(drill, BROKER) == said_of_it


def test_a_restore_loses_what_came_after_the_dump() -> None:
    restoring = scenario("postgres-restore")
    assert restoring is not None
    fresh = snapshot()
    dump = fresh.dump.value
    assert dump is not None and fresh.dump.value_at is not None
    older = replace(fresh, dump=Sample.good(replace(dump, age_s=600.0), NOW - 60, 0.01))
    assert _lost_minutes(restoring, a_drill(facts=_dumped(older))) == 10.0
    assert _lost_minutes(restoring, a_drill(facts=_dumped(None))) is None
    assert _lost_minutes(BROKER, a_drill(facts=_dumped(older))) is None


def test_what_was_stopped_does_not_count_as_played() -> None:
    stopped = a_drill(ended_at=NOW, ending="stopped")
    played = a_drill(*ALL, ended_at=NOW, ending="ended", is_passed=True)
    due = {one.scenario.name: one for one in schedule((stopped,), NOW)}["broker-failover"]
    assert due.is_overdue(NOW) and due.word(NOW) == "never played"
    due = {one.scenario.name: one for one in schedule((played,), NOW)}["broker-failover"]
    assert not due.is_overdue(NOW) and due.word(NOW + 2 * DAY_S) == "due in 90 d"
    assert due.word(NOW + 100 * DAY_S) == "OVERDUE by 8 d"


def test_hints_grow_with_the_waiting() -> None:
    drill = a_drill(ALL[0], Met("halted", NOW))
    assert len(said(drill, BROKER, NOW + 1)) == 1
    assert len(said(drill, BROKER, NOW + 40)) == 2
    assert said(drill, BROKER, NOW + 100)[2].startswith("redis-cli HSET policy:route_override")


def test_who_halted_is_said_once_it_is(tmp_path: Path) -> None:
    """In the drill of the kill switch itself it is nobody at the keys."""
    switch = KillSwitch(is_present=True, is_engaged=True, reason="drawdown", by="risk-manager", since=NOW - 5)
    seen = replace(snapshot(), kill_switch=Sample.good(switch, NOW, 0.01))
    director = Director(SETTINGS, _Clock(), "asha", tmp_path / "drills")
    drill = director._judged(a_drill(ALL[0]), seen)
    assert drill.met("halted") == NOW - 5
    found = scenario(drill.scenario)
    assert found is not None
    assert said(drill, found, NOW)[0] == f"Halted by risk-manager. {found.goals[2].say}"
    assert said(replace(drill, mets=(*drill.mets, Met("recovered", NOW))), found, NOW)[0] == found.goals[3].say


def test_the_report_and_the_state_survive(tmp_path: Path) -> None:
    drills = Drills(tmp_path / "drills")
    drills.keep(a_drill(ALL[0]))
    assert drills.running() == a_drill(ALL[0])
    over = a_drill(*ALL[:3], ended_at=NOW, ending="stopped", missed=("proven: not reached",), unwatched_s=12.0)
    drills.keep(over)
    assert drills.running() is None and drills.ended() == (over,)
    assert {file.stat().st_mode & 0o777 for file in drills.folder.iterdir()} == {0o600}
    text = report(over, BROKER, None, "")
    for words in ("STOPPED", "asha@jump1", "SANDBOX sandbox", "| proven | **not reached**", "For 12 s no cockpit"):
        assert words in text


class _Clock:
    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0
