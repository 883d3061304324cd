"""A step that disturbs trading asks for an open incident; stopping never does, and a broken log strands nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.jobs.incident_check import incident_checks
from cockpit.model.danger import Danger
from cockpit.model.incident import Incident
from cockpit.model.plan import Verdict
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.world import World
from tests.ui import snapshots
from tests.ui.fake_session import halt_plan
from widgets.incident_part import incident_part
from widgets.line import plain
from widgets.view import View

NOW = snapshots.NOW
OPEN = Incident("x", "Redis down", Severity.P1, opened_at=NOW - 60, began_at=NOW - 300, rto_minutes=10)
LATE = replace(OPEN, next_update_at=NOW - 1)
NONE: Sample[tuple[Incident, ...]] = Sample.good((), NOW, 0.0)


def verdicts(danger: Danger, world: World, incidents: Sample[tuple[Incident, ...]]) -> list[tuple[Verdict, bool]]:
    plan = replace(halt_plan(), danger=danger, world=world)
    found = incident_checks(plan, replace(snapshots.healthy(), incidents=incidents))
    return [(check.verdict, check.is_overridable) for check in found]


@pytest.mark.parametrize("world", [World.LIVE, World.PAPER])
@pytest.mark.parametrize("danger", [Danger.DISRUPT, Danger.DANGER])
def test_it_is_asked_for(danger: Danger, world: World) -> None:
    assert verdicts(danger, world, NONE) == [(Verdict.FAIL, True)]
    assert verdicts(danger, world, Sample()) == [(Verdict.UNKNOWN, True)]
    assert verdicts(danger, world, NONE.failed("gone", NOW, 0.0)) == [(Verdict.UNKNOWN, True)]
    assert verdicts(danger, world, Sample.good((OPEN,), NOW, 0.0)) == [(Verdict.PASS, False)]
    assert verdicts(danger, world, Sample.good((OPEN,), NOW - 3600, 0.0)) == [(Verdict.UNKNOWN, True)]
    assert verdicts(danger, world, Sample.good((), NOW - 3600, 0.0)) == [(Verdict.UNKNOWN, True)]


def test_it_is_not_asked_for_where_stopping_or_training() -> None:
    assert verdicts(Danger.PROTECT, World.LIVE, NONE) == verdicts(Danger.OBSERVE, World.LIVE, NONE) == []
    assert verdicts(Danger.DANGER, World.SANDBOX, NONE) == []


@pytest.mark.parametrize(
    ("incidents", "words"),
    [
        (Sample(), ""),
        (replace(NONE, value=None, value_at=None, error="gone"), "incident log cannot be read"),
        (NONE, "no incident"),
        (Sample.good((OPEN,), NOW, 0.0), "P1 Redis down 5 m of 10 m › 3"),
        (
            Sample.good((replace(OPEN, next_update_at=NOW - 1), OPEN), NOW, 0.0),
            "P1 Redis down 5 m of 10 m +1 update due › 3",
        ),
        (Sample.good((replace(OPEN, rto_minutes=None),), NOW, 0.0), "P1 Redis down 5 m › 3"),
    ],
)
def test_the_top_line_says_it(incidents: Sample[tuple[Incident, ...]], words: str) -> None:
    view = View(replace(snapshots.healthy(), incidents=incidents), NOW)
    assert "".join(plain(part) for part in incident_part(view, is_frozen=False, room=60, room_for_title=60)) == words


@pytest.mark.parametrize(
    ("incident", "room", "room_for_title", "words"),
    [
        (OPEN, 60, 28, "P1 Redis do… 5 m of 10 m › 3"),
        (OPEN, 60, 26, "incident P1 5 m of 10 m › 3"),
        (OPEN, 26, 26, "incident P1 5 m of 10 m"),
        (OPEN, 22, 22, "incident 5 m of 10 m"),
        (OPEN, 19, 19, "P1 5 m of 10 m"),
        (replace(OPEN, is_drill=True), 60, 60, "DRILL P1 Redis down 5 m of 10 m › 3"),
        (replace(OPEN, is_drill=True), 21, 21, "DRILL P1 5 m of 10 m"),
    ],
)
def test_the_top_line_says_what_it_is_in_the_room_there_is(
    incident: Incident, room: int, room_for_title: int, words: str
) -> None:
    view = View(replace(snapshots.healthy(), incidents=Sample.good((incident,), NOW, 0.0)), NOW)
    assert "".join(plain(part) for part in incident_part(view, False, room, room_for_title)) == words


@pytest.mark.parametrize(("ran_s", "ink"), [(60, "accent"), (500, "warn"), (601, "crit")])
def test_its_clock_runs_against_the_objective(ran_s: float, ink: str) -> None:
    found = Sample.good((replace(OPEN, began_at=NOW - ran_s, opened_at=NOW - ran_s),), NOW, 0.0)
    view = View(replace(snapshots.healthy(), incidents=found), NOW)
    assert ink in {each for _, each in incident_part(view, is_frozen=False, room=60, room_for_title=0)[0]}
