"""Since when a finding stands: what was seen to begin, what others saw before, what the platform says; never more."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actions.runbook import Runbook
from cockpit.headless.status_text import as_text
from cockpit.model.backends import AlertRule
from cockpit.model.finding import Assessment, Finding, Seen, Since
from cockpit.model.snapshot import Snapshot
from cockpit.observe.lookout import make_judge
from cockpit.observe.recall import EVERY_S, Recall
from cockpit.probes.docker import container
from cockpit.probes.kubernetes import pod
from cockpit.severity.judge import assess
from cockpit.severity.silence import REDIS_FIELDS
from cockpit.severity.standing import LOST_S, NOTHING, Memory
from cockpit.storage import seen
from tests.unit.healthy import NOW, SETTINGS, alerts, dead, docker, heartbeats, risk, snapshot, values, venue, venues

ILL: dict[str, Any] = {"risk": risk(var_99=3e6)}
DEAD: dict[str, Any] = {name: dead(age_s=None) for name in REDIS_FIELDS}
SITE = "SANDBOX test"
KEY = ("var_over", "VaR 99")


def fresh(at: float, **changed: Any) -> Snapshot:
    """A snapshot whose dead samples were tried at that moment."""
    return snapshot(NOW + at, **changed)


def run(*moments: tuple[float, dict[str, Any]], memory: Memory = NOTHING) -> list[Assessment]:
    seen_there = []
    for at, changed in moments:
        assessment, memory = assess(fresh(at, **changed), SETTINGS, memory)
        seen_there.append(assessment)
    return seen_there


def only(assessment: Assessment) -> tuple[float, Since]:
    (finding,) = assessment.findings
    return finding.since - NOW, finding.since_is


class Cockpit:
    """One that watches, from when it is opened."""

    def __init__(self, folder: Path, is_kept: bool = True) -> None:
        self.recall = Recall(folder, SITE, is_kept)
        self.recall.start()
        assert self.recall._loading is not None
        self.recall._loading.result(30)
        self.judge = make_judge(SETTINGS, Runbook(()), self.recall)

    def look(self, at: float, **changed: Any) -> Assessment:
        assessment, _ = self.judge(fresh(at, **changed))
        if self.recall._writing is not None:
            self.recall._writing.result(30)
        return assessment


def test_what_was_there_at_the_first_look_may_be_older() -> None:
    first, later = run((0, ILL), (20, ILL))
    assert only(first) == only(later) == (0, Since.OR_EARLIER)
    _, begun = run((0, {}), (20, ILL))
    assert only(begun) == (20, Since.EXACT)
    text = as_text(fresh(20), SETTINGS)
    assert "20 s" not in text
    assert " 20 s+ " in as_text(replace(fresh(20), assessment=later), SETTINGS)


def test_what_begins_while_nobody_could_look_may_be_older() -> None:
    silent = DEAD | {"docker": docker()}
    *_, after = run((0, {}), (5, silent), (60, ILL))
    assert (60, Since.OR_EARLIER) in [(one.since - NOW, one.since_is) for one in after.findings]


def test_a_cockpit_that_is_opened_again_knows_since_when(tmp_path: Path) -> None:
    first = Cockpit(tmp_path)
    first.look(0)
    for at in (10, 20, 1200):
        assert only(first.look(at, **ILL)) == (10, Since.EXACT)
    assert only(Cockpit(tmp_path).look(1210, **ILL)) == (10, Since.EXACT), "both watched, or nearly"
    assert only(Cockpit(tmp_path).look(1500, **ILL)) == (10, Since.WITH_A_GAP), "the line had dropped for minutes"
    assert only(Cockpit(tmp_path).look(1500 + 2 * LOST_S, **ILL)) == (1500 + 2 * LOST_S, Since.OR_EARLIER)
    assert stat.S_IMODE((tmp_path / seen.FILE).stat().st_mode) == 0o600


def test_what_was_over_meanwhile_begins_anew(tmp_path: Path) -> None:
    first = Cockpit(tmp_path)
    first.look(0, **ILL)
    second = Cockpit(tmp_path)
    assert second.look(5).findings == ()
    assert only(second.look(6, **ILL)) == (6, Since.EXACT), "this one saw that it was not there"
    third = Cockpit(tmp_path)
    third.look(20)
    third.look(20 + EVERY_S)
    assert only(Cockpit(tmp_path).look(30, **ILL)) == (30, Since.OR_EARLIER), "and told those that come later"


def test_what_was_over_for_a_moment_begins_anew_for_others_too(tmp_path: Path) -> None:
    """Too short to be written down as gone."""
    first = Cockpit(tmp_path)
    first.look(0)
    first.look(10, **ILL)
    first.look(20, **ILL)
    for at in (21, 23):
        first.look(at)
    for at in (24, 20 + EVERY_S):
        assert only(first.look(at, **ILL)) == (24, Since.EXACT)
    assert only(Cockpit(tmp_path).look(26, **ILL)) == (24, Since.EXACT)


def test_a_silent_backend_is_remembered_and_one_that_answered_meanwhile_is_not(tmp_path: Path) -> None:
    Cockpit(tmp_path).look(0, **DEAD)
    assert only(Cockpit(tmp_path).look(60, **DEAD)) == (0, Since.WITH_A_GAP)
    between = Cockpit(tmp_path)
    between.look(70)
    between.look(70 + EVERY_S)
    assert only(Cockpit(tmp_path).look(80, **DEAD)) == (80, Since.OR_EARLIER)


def test_what_nobody_can_look_at_is_not_seen_again(tmp_path: Path) -> None:
    first = Cockpit(tmp_path)
    first.look(0, **ILL)
    silent = DEAD | {"risk": dead(NOW + 500, 500.0, value=risk(var_99=3e6))}
    first.look(500, **silent)
    assert seen.read_seen(tmp_path, SITE)[KEY].seen_at == NOW
    assert seen.read_seen(tmp_path, SITE)["backend_silent", "Redis"].seen_at == NOW + 500


def test_a_single_look_writes_nothing(tmp_path: Path) -> None:
    Cockpit(tmp_path, is_kept=False).look(0, **ILL)
    Cockpit(tmp_path).look(0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", ["", "[", "null", '[["a"]]', '[["SANDBOX test","var_over","VaR 99",1e999,"exact",0]]']
)
def test_a_damaged_file_is_no_past(tmp_path: Path, content: str) -> None:
    (tmp_path / seen.FILE).write_text(content)
    cockpit = Cockpit(tmp_path)
    assert only(cockpit.look(0, **ILL)) == (0, Since.OR_EARLIER)
    assert seen.read_seen(tmp_path, SITE)[KEY].since == NOW


def test_platforms_are_kept_apart_and_a_folder_that_refuses_hurts_nobody(tmp_path: Path) -> None:
    other = {KEY: Seen(1.0, Since.EXACT, NOW)}
    seen.change_seen(tmp_path, "LIVE hf-1", lambda known: {**known, **other})
    assert only(Cockpit(tmp_path).look(5, **ILL)) == (5, Since.OR_EARLIER)
    assert seen.read_seen(tmp_path, "LIVE hf-1") == other
    Cockpit(tmp_path / "gone").look(5, **ILL)
    assert not (tmp_path / "gone").exists(), "a sandbox that has ended"
    (tmp_path / "file").touch()
    broken = Recall(tmp_path / "file", SITE, is_kept=True)
    broken.start()
    judge = make_judge(SETTINGS, Runbook(()), broken)
    assert judge(fresh(0, **ILL))[0].findings
    assert judge(fresh(10, **ILL))[0].findings


def test_the_platform_itself_says_since_when() -> None:
    stopped = docker(redis="exited")
    stopped = replace(stopped, containers=tuple(replace(one, stopped_age_s=1200.0) for one in stopped.containers))
    findings = {one.rule: one for one in run((0, DEAD | {"docker": stopped}))[0].findings}
    for name in ("backend_silent", "redis_container"):
        found = findings[name]
        assert (round(found.since - NOW), found.since_is) == (-1200, Since.EXACT)
    said = values()["heartbeats"], heartbeats(risk=600.0)
    assert only(run((0, {"heartbeats": said[1]}))[0]) == (-600, Since.EXACT)
    nodata = tuple(AlertRule(name, "nodata", "warn", since_s, None) for name, since_s in (("a", 90.0), ("b", 20.0)))
    assert only(run((0, {"alerts": alerts(*nodata)}))[0]) == (-90, Since.EXACT)
    late = venues(venue("IBKR", age_s=300.0), venue("ZERODHA"), venue("PAPER"))
    assert only(run((0, {"venues": late}))[0]) == (-300, Since.EXACT)


def test_what_the_platform_says_later_is_taken_up() -> None:
    """Docker answers after Redis was found silent."""
    stopped = docker(redis="exited")
    stopped = replace(stopped, containers=tuple(replace(one, stopped_age_s=60.0) for one in stopped.containers))
    _, after = run((0, DEAD), (1, DEAD | {"docker": stopped}))
    (silence,) = (one for one in after.findings if one.rule == "backend_silent")
    assert (round(silence.since - NOW), silence.since_is) == (-59, Since.EXACT)


def test_ends_and_lost_readiness_are_read() -> None:
    ended = {"Status": "exited", "FinishedAt": "2027-01-15T07:59:00Z"}
    assert container("redis", ({}, {"State": ended}), NOW).stopped_age_s == 60.0
    assert container("redis", ({}, {"State": ended | {"Status": "running"}}), NOW).stopped_age_s is None
    condition = {"type": "Ready", "status": "False", "lastTransitionTime": "2027-01-15T07:58:00Z"}
    assert pod({"status": {"conditions": [condition]}}, NOW).unready_age_s == 120.0
    assert pod({"status": {"conditions": [condition | {"status": "True"}]}}, NOW).unready_age_s is None


def test_a_finding_says_what_is_known_of_its_beginning() -> None:
    from widgets.panels.findings import lasted

    found: Finding = run((0, ILL))[0].findings[0]
    assert [lasted(replace(found, since_is=one), NOW + 1200) for one in Since] == ["20 m", "20 m+", "~20 m"]
