"""A halt that disappears is told until somebody engages again or says that it was released."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.catalogue import ACTIONS
from cockpit.headless.status_text import as_text
from cockpit.model.finding import Assessment
from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.latch import Latch
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.states import KillSwitch
from cockpit.model.world import World
from cockpit.severity.judge import assess
from cockpit.severity.sections import from_actions
from cockpit.severity.standing import NOTHING, Memory
from tests.unit.healthy import NOW, SETTINGS, dead, snapshot
from widgets.line import plain
from widgets.panels.findings import SHORT, advice, short_advice
from widgets.topline import worst_finding
from widgets.trading import told
from widgets.view import View

ENGAGED = KillSwitch(True, True, "IBKR is down", "asha", NOW - 60)
MISSING = KillSwitch(False, False)
DEAD = dead(NOW + 5, value=ENGAGED)
GONE = "THE HALT IS GONE: was engaged by asha"


def job(action: str, at: float, state: StepState = StepState.DONE, phase: Phase = Phase.DONE, **more: Any) -> Job:
    fields: dict[str, Any] = {"target": "policy:kill_switch", "world": World.SANDBOX, "ended_at": at + 1, **more}
    return Job(str(at), f"kill_switch.{action}", "", digest="", by="asha", phase=phase, submitted_at=at,
               steps=(JobStep("set", state),), **fields)  # fmt: skip


def run(*moments: tuple[float, Any], jobs: tuple[Job, ...] = ()) -> list[Assessment]:
    memory: Memory = NOTHING
    seen = []
    for at, switch in moments:
        now = replace(snapshot(NOW + at, kill_switch=switch), jobs=jobs)
        assessment, memory = assess(now, SETTINGS, memory)
        seen.append(assessment)
    return seen


def gone(assessment: Assessment) -> list[str]:
    return [one.summary for one in assessment.findings if one.rule == "kill_switch_gone"]


@pytest.mark.parametrize(
    "left",
    [MISSING, KillSwitch(False, True), replace(ENGAGED, is_engaged=False), KillSwitch(False, True, "", "bo", NOW - 90)],
    ids=["key missing", "key empty", "only the flag is off", "an older key came back"],
)
def test_a_lost_halt_is_p1_until_engaged_again(left: KillSwitch) -> None:
    again = KillSwitch(True, True, "again", "bo", NOW + 90)
    seen = run((0, ENGAGED), (5, DEAD), (10, left), (60, left), (90, again), (92, again))
    assert [gone(one) for one in seen] == [[], [], [GONE], [GONE], [], []]
    assert (seen[2].severity, seen[2].panel("risk"), seen[3].severity) == (Severity.P1,) * 3
    assert next(one.section for one in seen[2].findings) == "3.1"


def test_the_risk_managers_halt_is_missed_too() -> None:
    _, seen = run((0, replace(ENGAGED, by="risk-manager")), (5, MISSING))
    finding = next(one for one in seen.findings if one.rule == "kill_switch_gone")
    assert (finding.summary, finding.section) == ("THE HALT IS GONE: was engaged by risk-manager", "3.5")


@pytest.mark.parametrize("since", [NOW - 60, None])
def test_a_release_that_says_by_whom_and_when_is_no_loss(since: float | None) -> None:
    released = KillSwitch(False, True, "", "bo", NOW + 4)
    seen = run((0, replace(ENGAGED, since=since)), (5, released), (7, released), (9, MISSING))
    assert [gone(one) for one in seen] == [[], [], [], []]
    assert seen[2].severity is Severity.OK


def test_a_release_of_ours_is_no_loss_whatever_became_of_the_key() -> None:
    seen = run((0, ENGAGED), (5, MISSING), jobs=(job("release", NOW + 3),))
    assert gone(seen[1]) == []


@pytest.mark.parametrize(
    ("jobs", "is_told"),
    [
        ((job("engage", NOW - 500),), True),
        ((job("engage", NOW - 500, phase=Phase.IN_DOUBT),), True),
        ((job("engage", NOW - 100), job("release", NOW - 500)), True),
        ((job("release", NOW - 100), job("engage", NOW - 500)), False),
        ((job("release", NOW - 100, StepState.FAILED, Phase.FAILED), job("engage", NOW - 500)), True),
        ((job("engage", NOW - 500, StepState.FAILED, Phase.FAILED),), False),
        ((job("engage", NOW - 500, StepState.UNKNOWN, Phase.IN_DOUBT),), False),
        ((job("engage", NOW - 500, world=World.LIVE),), False),
        ((job("engage", NOW - 500, target="another:key"),), False),
        ((job("engage", NOW - 1, phase=Phase.VERIFYING, ended_at=None),), False),
        ((job("engage", NOW - 1),), False),
        ((), False),
    ],
)
def test_a_cockpit_started_later_knows_it_from_the_journal(jobs: tuple[Job, ...], is_told: bool) -> None:
    (seen,) = run((0, MISSING), jobs=jobs)
    assert gone(seen) == ([GONE] if is_told else [])


def test_it_stands_beside_the_word() -> None:
    for jobs, words in (((), "the kill switch's key is missing"), ((job("engage", NOW - 500),), GONE)):
        now = replace(snapshot(kill_switch=Sample.good(MISSING, NOW, 0.01)), jobs=jobs)
        shown = replace(now, assessment=assess(now, SETTINGS)[0])
        assert words in plain(told(View(shown, NOW, SETTINGS), (), 80)[0])


@pytest.mark.parametrize(("by", "pressed"), [("asha", "Space b"), ("risk-manager", "Space b u")])
def test_a_halt_says_the_whole_key_of_its_release(by: str, pressed: str) -> None:
    """The section that answers a breach of risk has none."""
    now = snapshot(NOW, kill_switch=replace(ENGAGED, by=by))
    assessment, _ = assess(now, SETTINGS, NOTHING, from_actions(ACTIONS))
    (found,) = assessment.findings
    assert (found.release, found.pressed) == ("Space b u", pressed)
    assert plain(advice(found)).startswith("› Space b u releases 3.")
    view = View(replace(now, assessment=assessment), NOW, SETTINGS)
    assert plain(worst_finding(view)).endswith(f"› {pressed}")
    assert plain(short_advice(found)) == "› Space b u".ljust(SHORT)
    assert "Space b u releases" in as_text(view.snapshot, SETTINGS)


LATCH = Latch("redis", "asha", "IBKR is down", int((NOW - 60) * 1000), is_held=True)
RESTORED = replace(LATCH, losses=1, restored_at=NOW - 30)
OUTSIDE = KillSwitch(False, True, "", "bo", NOW - 5)


def latched(switch: KillSwitch, latch: Latch | None, *jobs: Job) -> list[str]:
    now = replace(snapshot(NOW, kill_switch=switch), latch=latch, jobs=jobs)
    assessment, _ = assess(now, SETTINGS, NOTHING)
    found = [one for one in assessment.findings if one.rule in ("kill_switch_latched", "kill_switch_restored")]
    assert all(one.severity is Severity.P1 and len(one.summary) <= 160 for one in found)
    return [one.summary for one in found]


def test_a_halt_that_was_engaged_again_is_told_as_long_as_it_is_latched() -> None:
    assert latched(ENGAGED, LATCH) == [] and latched(ENGAGED, None) == []
    assert latched(ENGAGED, RESTORED) == ["THE HALT WAS LOST, engaged again at 07:59:30Z"]
    late = replace(RESTORED, losses=0, ts_ms=int((NOW - 30) * 1000), wanted_ms=LATCH.ts_ms)
    assert latched(ENGAGED, late) == ["halted late: Redis took it at 07:59:30Z, wanted since 07:59:00Z"]


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (90, "halted for 30 s, by asha, latched on this host, wanted since 07:59:00Z"),
        (60, "halted for 30 s, by asha, wanted since 07:59:00Z"),
        (40, "for 30 s, wanted since 07:59:00Z"),
    ],
)
def test_a_halt_that_came_late_says_beside_the_word_since_when_it_was_wanted(width: int, words: str) -> None:
    late = replace(RESTORED, losses=0, ts_ms=int((NOW - 30) * 1000), wanted_ms=LATCH.ts_ms)
    switch = KillSwitch(True, True, "IBKR is down", "asha", NOW - 30)
    shown = replace(snapshot(kill_switch=Sample.good(switch, NOW, 0.01)), latch=late)
    assert plain(told(View(shown, NOW, SETTINGS), (), width)[0]) == words


def test_what_a_halt_has_been_through_stands_below_what_is_wrong_now_and_fades() -> None:
    down = dead(NOW, value=None)
    for age_s, severity in ((5.0, Severity.P1), (400.0, Severity.P3)):
        held = replace(RESTORED, restored_at=NOW - age_s)
        now = replace(snapshot(NOW, kill_switch=ENGAGED, postgres=down), latch=held)
        found = assess(now, SETTINGS, NOTHING)[0].findings
        (told,) = [one for one in found if one.rule == "kill_switch_restored"]
        assert told.severity is severity
        assert found[0].panel == "postgres", [one.summary for one in found]


def test_a_halt_that_cannot_be_engaged_again_says_why() -> None:
    trouble = replace(LATCH, trouble="this Redis is a replica: read-only")
    assert latched(MISSING, trouble) == ["HALT NOT IN REDIS, latched here: this Redis is a replica: read-only"]


WISH = replace(LATCH, is_held=False)
WAITS = "HALT WAITING, by asha since 07:59:00Z"


@pytest.mark.parametrize(
    ("switch", "latch", "why"),
    [
        (MISSING, replace(WISH, trouble="OOM"), "OOM"),
        (MISSING, WISH, "tried again and again"),
        (dead(NOW, value=MISSING), WISH, "Redis does not answer"),
        (Sample(), WISH, "Redis does not answer"),
    ],
)
def test_a_halt_that_waits_is_the_first_thing_to_be_read(switch: Any, latch: Latch, why: str) -> None:
    """Above a Redis that is down for longer, and beside the big word."""
    now = replace(snapshot(NOW, kill_switch=switch, postgres=dead(NOW, value=None)), latch=latch)
    found = assess(now, SETTINGS, NOTHING)[0].findings
    assert (found[0].rule, found[0].summary, found[0].severity) == ("halt_waiting", f"{WAITS}: {why}", Severity.P1)
    assert [one.rule for one in found if "kill_switch" in one.rule] == []
    for width, words in ((60, WAITS), (30, "HALT WAITING since 07:59:00Z"), (14, "HALT WAITING")):
        assert plain(told(View(now, NOW, SETTINGS), (), width)[0]) == words


@pytest.mark.parametrize(
    ("switch", "latch"),
    [(ENGAGED, WISH), (OUTSIDE, WISH), (dead(NOW, value=ENGAGED), LATCH), (MISSING, LATCH), (MISSING, None)],
)
def test_what_is_in_force_or_was_or_is_released_does_not_wait(switch: Any, latch: Latch | None) -> None:
    now = replace(snapshot(NOW, kill_switch=switch), latch=latch)
    assert "halt_waiting" not in [one.rule for one in assess(now, SETTINGS, NOTHING)[0].findings]
    assert "WAITING" not in plain(told(View(now, NOW, SETTINGS), (), 80)[0])


def test_a_latch_that_cannot_be_read_is_told_halted_or_not() -> None:
    for switch in (ENGAGED, MISSING):
        unread = replace(snapshot(kill_switch=switch), latch_unread="latch.json is damaged")
        (found,) = [one for one in assess(unread, SETTINGS, NOTHING)[0].findings if one.rule == "latch_unreadable"]
        assert found.severity is Severity.P2 and "latch.json is damaged" in found.summary


def test_a_release_elsewhere_is_told_and_not_fought() -> None:
    assert latched(OUTSIDE, LATCH) == ["released by bo elsewhere, latched here: K, or Space b u"]
    assert latched(OUTSIDE, LATCH, job("release", NOW - 6, phase=Phase.RUNNING)) == []
    assert latched(OUTSIDE, LATCH, job("release", NOW - 6)) == []
    assert latched(OUTSIDE, LATCH, job("release", NOW - 6, phase=Phase.IN_DOUBT)) != []
