"""No step is fired on evidence that is missing or old: every action of the runbook, each of its samples."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actions.catalogue import ACTIONS
from actions.script.book import held
from cockpit.clients.kept import MANIFEST, make_folder, stamp, write_file
from cockpit.config import DockerPart, PostgresPart, Settings
from cockpit.jobs.action import action_for, choices_for, is_worked
from cockpit.model.alerting import Alerting, Audience
from cockpit.model.backends import AlertRule, Blocker, Database, LockHolder, Previous, Silence
from cockpit.model.plan import Danger, Plan, Verdict
from cockpit.model.sample import Sample
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.model.states import KillSwitch
from cockpit.sandbox.workers.ledger_file import LedgerFile
from tests.unit.healthy import (
    NOW,
    SETTINGS,
    alerts,
    databases,
    deployment,
    flow,
    group,
    kubernetes,
    postgres,
    snapshot,
    stream,
    venue,
    venues,
)
from tests.unit.test_journal import WHO

SCRIPTS = Path(__file__).parents[2] / "cockpit/sandbox/scripts"
LONG_AGO_S = 60.0
HALTED = KillSwitch(is_engaged=True, is_present=True, by="asha@jump1", reason="test", since=NOW - 60)
DRAINED = replace(flow(incoming=stream("orders.incoming", "incoming", group("risk", lag=0))), in_flight=0)
HOLDER = LockHolder(4712, 5, "app", "psql", "10.0.0.7", "idle in transaction", 30.0, "UPDATE x", False, True)
ASIDE = Database("hedgefund_before_20251125_000000", "hedgefund_user", True, False, 0, 0, 0, 0, None)
OPS = Audience("ops", ("slack",), (), "full")
WAITING = Blocker(4711, (4712,), 20.0, "app", "UPDATE x", "active", "idle in transaction")

MEANT = {
    ("kill_switch.engage", None): "stopping must always be possible",
    ("snapshot.take", "redis"): "the ledger is kept, and the plan says that Redis is not",
    ("redis_container.restart", "redis"): "that it does not answer is why it is restarted",
    ("redis_container.restart", "kill_switch"): "what is not known counts as halted and is engaged after",
    ("redis_container.restart", "flow"): "only for the proof that the groups are there again",
    ("redis_container.restart", "feeds"): "only for the proof that the groups are there again",
    ("container.restart", "postgres"): "only for the proof that it answers again",
    ("reroute.away", "flow"): "only to say what is in flight",
    ("reroute.away", "redis"): "the venues come through it, and they are asked for",
    ("reroute.back", "flow"): "only to say what is in flight",
    ("reroute.back", "redis"): "the venues come through it, and they are asked for",
    ("rollout.restart", "feeds"): "only for the proof that ticks arrive",
    ("rollout.undo", "feeds"): "only for the proof that ticks arrive",
    ("rollout.undo", "registry"): "only for the proof that ticks arrive from the feed that it names",
    ("script.replay", "flow"): "only to say what Redis holds",
    ("script.replay", "risk"): "only to say what differs; the ledger is what counts",
    (
        "pg_restore.restore",
        "postgres",
    ): "that its database is lost is why it is restored; the server itself is asked for",
    ("pg_restore.swap_back", "postgres"): "the database that is there now may be the one that does not work",
    ("pg_dump.take", "dump"): "only for the proof that it is the newest",
    ("kill_switch.release", "feeds"): "prices that are late forbid nothing, and are said",
    ("kill_switch.release", "reach"): "the cockpit's own look only adds to the router's word",
}
"""Where a sample that is missing forbids nothing, and why that is meant."""

RELEASE = frozenset({"kill_switch", "venues", "risk", "flow", "feeds", "redis", "reach"})


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A platform's root with everything that a step looks for in it."""
    root = tmp_path_factory.mktemp("platform")
    for folder in ("backend/ops", "backend/ingestion"):
        (root / folder).mkdir(parents=True)
        for script in SCRIPTS.glob("*.py"):
            shutil.copy(script, root / folder)
    (root / "registry.yaml").write_text("primary_feed: yahoo\nbackup_feed: moneycontrol\n")
    LedgerFile(root / "ledger.db").close()
    with closing(sqlite3.connect(root / "ledger.db")) as ledger:
        ledger.execute("INSERT INTO events VALUES (1, 1, 'x', '{}', '', '')")
        for symbol, qty in held(snapshot()).items():
            ledger.execute("INSERT INTO positions VALUES ('main', ?, ?, 1.0, 0.0)", (symbol, qty))
        ledger.commit()
    folder = make_folder(root / "backups" / "cockpit", stamp(NOW - 60))
    size = write_file(folder / "copy", b"x")
    part = {"file": "copy", "bytes": size, "words": "a copy", "fault": None}
    write_file(folder / MANIFEST, json.dumps({"taken_at": NOW - 60, "ledger": part, "redis": part}).encode())
    # A program that is everywhere stands for Postgres' own: nothing is run here.
    programs = PostgresPart(dump=root / "latest.dump", pg_restore="sh", pg_dump="sh")
    engine = DockerPart(containers=("redis", "postgres"))
    return structs.replace(SETTINGS, root=root, postgres=programs, docker=engine)


def moments() -> Iterator[tuple[Snapshot, dict[str, str]]]:
    """Days on which one step or another is the right one."""
    halted = {"kill_switch": HALTED, "flow": DRAINED}
    yield snapshot(), {}
    yield snapshot(**halted), {}
    yield snapshot(venues=venues(venue("IBKR", "down"))), {}
    yield snapshot(venues=venues(venue("IBKR", override="zerodha"))), {}
    yield snapshot(postgres=postgres(blocked=(WAITING,), holders=(HOLDER,))), {}
    yield snapshot(databases=databases(found=(*databases().found, ASIDE))), {}
    ws_gateway = deployment("ws-gateway", revision=3, template_id="b", previous=Previous(2, "a", ("image v2 -> v1",)))
    yield snapshot(kubernetes=replace(kubernetes(ws_gateway), server="https://k8s")), {"deployment": "ws-gateway"}
    yield snapshot(), {"deployment": "api", "to": "3"}
    yield snapshot(), {"container": "postgres"}
    firing = AlertRule("Latency", "firing", "warn", 60.0, None)
    yield snapshot(alerts=alerts(firing)), {"alert": "Latency", "minutes": "30"}
    yield (
        snapshot(alerts=alerts(silences=(Silence("s1", "alertname = Latency", "asha", "known", 900.0),))),
        {"silence": "s1"},
    )
    yield snapshot(alerting=Alerting(is_present=True, audiences=(OPS,), has_slack=True)), {}


def planned(settings: Settings, action: str, parameters: dict[str, str], found: Snapshot) -> Plan:
    return action_for(action).plan(settings, WHO, parameters, found, NOW)


def right_moment(settings: Settings, action: str) -> tuple[Snapshot, dict[str, str]] | None:
    return next(((one, given) for one, given in moments() if planned(settings, action, given, one).is_allowed), None)


def evidence_of(action_id: str) -> frozenset[str]:
    action = action_for(action_id)
    return frozenset(action.EVIDENCE) if is_worked(action) else RELEASE


ACTING = sorted({row.id for row in ACTIONS if row.danger is not Danger.OBSERVE})
CASES = [(action, name) for action in ACTING for name in sorted(evidence_of(action))]


def ways(sample: Sample[Any]) -> dict[str, Sample[Any]]:
    """How evidence is no evidence."""
    return {
        "never read": Sample(),
        "old": replace(sample, value_at=NOW - LONG_AGO_S, tried_at=NOW - LONG_AGO_S),
        "failing": sample.failed("connection refused", NOW, 0.01),
        "from the future": replace(sample, value_at=NOW + LONG_AGO_S),
    }


@pytest.mark.parametrize(("action", "name"), CASES)
@pytest.mark.parametrize("way", ["never read", "old", "failing", "from the future"])
def test_without_it_the_step_is_refused(settings: Settings, action: str, name: str, way: str) -> None:
    moment = right_moment(settings, action)
    assert moment is not None, f"{action} is never allowed on these days: give moments() one on which it is"
    found, given = moment
    without = replace(found, **{name: ways(getattr(found, name))[way]})
    plan = planned(settings, action, given, without)
    for check in plan.checks:
        is_old = check.evidence_age_s is not None and check.evidence_age_s >= LONG_AGO_S and check.name != "state kept"
        assert not (is_old and check.verdict is Verdict.PASS), f"passed on old evidence: {check}"
    if (action, name) not in MEANT and (action, None) not in MEANT:
        assert not plan.is_allowed, f"allowed without {name}; if that is meant, say why in MEANT"


def test_what_is_meant_is_still_so(settings: Settings) -> None:
    known = {*CASES, *((action, None) for action in ACTING)}
    assert {pair for pair in MEANT if pair not in known} == set()
    for action, name in MEANT:
        moment = right_moment(settings, action)
        assert moment is not None, action
        if name is not None:
            failing = getattr(moment[0], name).failed("connection refused", NOW, 0.01)
            assert planned(settings, action, moment[1], replace(moment[0], **{name: failing})).is_allowed, (
                action,
                name,
            )


def test_with_nothing_known_only_stopping_is_allowed(settings: Settings) -> None:
    nothing = Snapshot(0, NOW, settings.world, settings.site)
    allowed = {action for action in ACTING if planned(settings, action, {}, nothing).is_allowed}
    assert allowed == {"kill_switch.engage", "snapshot.take"}


def test_the_samples_are_the_snapshots_own() -> None:
    assert {name for _, name in CASES} <= set(PROBES)


def offered(name: str, parameter: str, found: Snapshot) -> list[str]:
    return [one.value for one in choices_for(name, parameter, SETTINGS, found, {})]


def test_where_there_are_several_each_is_offered_with_what_the_plan_would_take_first(settings: Settings) -> None:
    other = replace(HOLDER, pid=4700)
    more = (WAITING, replace(WAITING, pid=4720, blocked_by=(4700,)), replace(WAITING, pid=4721, blocked_by=(4720,)))
    blocked = snapshot(postgres=postgres(blocked=more, holders=(HOLDER, other)))
    assert offered("backend.terminate", "pid", blocked) == ["4700", "4712"]
    assert "backend 4700" in planned(settings, "backend.terminate", {"pid": ""}, blocked).target
    assert planned(settings, "backend.terminate", {"pid": "4712"}, blocked).target == "backend 4712"
    older = replace(ASIDE, name="hedgefund_before_20251124_000000")
    half = replace(ASIDE, name="hedgefund_restore_20251126_000000")
    kept = snapshot(databases=databases(found=(*databases().found, older, ASIDE, half)))
    for action, names in (
        ("pg_restore.swap_back", [ASIDE.name, older.name]),
        ("pg_restore.drop_old", [older.name, ASIDE.name, half.name]),
    ):
        assert offered(action, "database", kept) == names
        for given, taken in (("", names[0]), (names[1], names[1])):
            assert dict(planned(settings, action, {"database": given}, kept).parameters)["database"] == taken
    own = replace(databases().found[0], takes_connections=False)
    assert offered("pg_restore.swap_back", "database", snapshot(databases=databases(found=(own, ASIDE)))) == []
