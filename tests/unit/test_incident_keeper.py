"""The timeline that writes itself: once, whoever watches, and nothing is lost while the folder refuses."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.clock import SystemClock
from cockpit.errors import JournalError
from cockpit.incidents.keeper import Keeper
from cockpit.incidents.report import steps
from cockpit.incidents.sightings import CLEARED_S, RAISED_S, Sightings
from cockpit.incidents.spans import clock
from cockpit.model.finding import Assessment, Finding
from cockpit.model.incident import Event, Incident
from cockpit.model.job import Job, JobStep, Phase, StepState
from cockpit.model.plan import GLASS
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.storage.drafts import Drafts
from cockpit.storage.incident_text import facts, with_event
from cockpit.storage.incidents import Incidents, Opening

NOW = 1775072652.0
FINDING = Finding("venue_down", "IBKR", Severity.P1, "brokers", "IBKR down", "", "", NOW, "3.1", "Broker outage")
JOB = Job("1", "reroute.away", "Reroute IBKR", "IBKR", World.SANDBOX, "d", "asha@jump1", Phase.RUNNING, NOW - 30)
INCIDENT = Incident("x", "t", Severity.P1, opened_at=NOW, is_drill=False)


def snapshot(at_s: float, *findings: Finding, jobs: tuple[Job, ...] = (), brokers: Severity = Severity.P1) -> Snapshot:
    worst = min((each.severity for each in findings), default=Severity.OK)
    return Snapshot(
        1, NOW + at_s, World.SANDBOX, "s", assessment=Assessment(worst, findings, (("brokers", brokers),)), jobs=jobs
    )


class Watched:
    """Sightings over seconds, with all that they said."""

    def __init__(self, incident: Incident | None = INCIDENT) -> None:
        self.sightings = Sightings()
        self.incident = incident
        self.said: list[tuple[str, float]] = []

    def see(self, seen: Snapshot) -> None:
        due = self.sightings.due(seen, self.incident)
        self.sightings.written(due)
        self.said += [(event.key, event.at - NOW) for event in due]

    def sightings_of(self, finding: Finding) -> Event:
        """The event that tells of it."""
        for at in range(5):
            due = self.sightings.due(snapshot(at, finding), INCIDENT)
        return due[0]

    def during(self, start: int, end: int, *findings: Finding, **more: object) -> None:
        for at in range(start, end):
            self.see(snapshot(at, *findings, **more))  # type: ignore[arg-type]


def test_a_finding_is_told_once_when_it_stands_and_once_when_it_has_gone() -> None:
    watched = Watched()
    watched.during(0, 10, FINDING)
    watched.during(10, 20)
    assert watched.said == [("finding/venue_down/IBKR/P1", 0), ("finding/venue_down/IBKR/cleared", 9)]


def test_what_flaps_or_is_expected_or_small_is_no_news() -> None:
    watched = Watched()
    for at in range(0, 30, 5):
        watched.see(snapshot(at, replace(FINDING, since=NOW + at)))
    watched.during(40, 50, replace(FINDING, is_expected=True, subject="a"), replace(FINDING, severity=Severity.P3))
    assert watched.said == []


def test_a_short_absence_is_no_recovery_and_worse_is_news() -> None:
    watched = Watched()
    mild = replace(FINDING, severity=Severity.P2)
    watched.during(0, 5, mild)
    watched.during(5, 7)
    watched.during(7, 9, mild)
    watched.during(9, 12, FINDING)
    watched.during(12, 15, mild)
    assert [key.rpartition("/")[2] for key, _ in watched.said] == ["P2", "P1"]


def test_what_cannot_be_judged_has_not_gone() -> None:
    watched = Watched()
    watched.during(0, 5, FINDING)
    watched.during(5, 30, brokers=Severity.UNKNOWN)
    assert len(watched.said) == 1
    watched.during(30, 40)
    assert len(watched.said) == 2


def test_what_a_cockpit_before_us_told_is_cleared_by_us() -> None:
    words = "P1 IBKR down: 1100 lost (3.1 Broker outage) › Space b"
    text = with_event("## Timeline\n", Event(NOW - 60, "finding", words, "finding/venue_down/IBKR/P1"))
    watched = Watched(replace(INCIDENT, timeline=facts("x", text).timeline))
    watched.during(0, int(CLEARED_S) + 1)
    (cleared,) = watched.sightings.due(snapshot(CLEARED_S + 1), watched.incident)
    assert cleared.key == "finding/venue_down/IBKR/cleared"
    assert cleared.text == f"IBKR down: over by {clock(NOW)}Z, seen only when a cockpit was open again"


@pytest.mark.parametrize("rule", ["venue_down", "backend_silent"])
def test_what_a_cockpit_before_us_told_is_not_gone_before_its_panel_is_known(rule: str) -> None:
    text = with_event("## Timeline\n", Event(NOW - 60, "finding", "P1 IBKR down", f"finding/{rule}/IBKR/P1"))
    watched = Watched(replace(INCIDENT, timeline=facts("x", text).timeline))
    watched.during(0, 20, brokers=Severity.UNKNOWN)
    assert watched.said == []
    watched.during(20, 30)
    assert watched.said == [(f"finding/{rule}/IBKR/cleared", 20)]


def test_a_subject_of_two_words_is_the_same_in_the_file() -> None:
    finding = replace(FINDING, subject="container redis/0")
    text = with_event("## Timeline\n", Watched().sightings_of(finding))
    watched = Watched(replace(INCIDENT, timeline=facts("x", text).timeline))
    watched.during(0, 10, finding)
    assert watched.said == []
    watched.during(10, 20)
    assert [key for key, _ in watched.said] == ["finding/venue_down/container_redis_0/cleared"]


def test_what_stood_before_it_was_opened_is_told() -> None:
    watched = Watched(None)
    watched.during(0, 20, FINDING)
    assert watched.said == []
    watched.incident = INCIDENT
    watched.see(snapshot(20, FINDING))
    assert watched.said == [("finding/venue_down/IBKR/P1", 0)]


def test_what_is_told_of_a_begin_was_true_then_or_says_when_it_was_seen() -> None:
    sightings = Sightings()
    for at in range(60):
        assert not sightings.due(snapshot(at, replace(FINDING, summary=f"router: oldest {at} s")), None)
    (told,) = sightings.due(snapshot(60, replace(FINDING, summary="router: oldest 60 s")), INCIDENT)
    assert (told.at, told.text) == (NOW, "P1 router: oldest 0 s (3.1 Broker outage)")
    late = Sightings()
    late.due(snapshot(60, replace(FINDING, summary="IBKR down, orders go to zerodha")), INCIDENT)
    (told,) = late.due(snapshot(63, replace(FINDING, summary="IBKR down")), INCIDENT)
    seen = f"as seen at {clock(NOW + 60)}Z"
    assert (told.at, told.text) == (NOW, f"P1 IBKR down, orders go to zerodha (3.1 Broker outage), {seen}")


def test_an_overridden_check_is_told_in_the_timeline_and_in_the_table() -> None:
    job = replace(JOB, overrides=("streams drained", "backup"), reason="agreed: at once")
    told = Sightings().due(snapshot(0, jobs=(job,)), INCIDENT)
    assert told[0].text.endswith(", confirmed by asha@jump1, overriding streams drained, backup: agreed: at once")
    (row,) = steps(replace(INCIDENT, timeline=facts("x", with_event("## Timeline\n", told[0])).timeline))[4:-1]
    assert "| asha@jump1 | overridden: streams drained, backup; agreed: at once |" in row


def test_jobs_are_told_when_confirmed_and_when_ended_with_what_was_proven() -> None:
    watched = Watched()
    old = replace(JOB, id="0", submitted_at=NOW - 5000)
    watched.see(snapshot(0, jobs=(JOB, old)))
    proof = JobStep("filled by the backup", StepState.DONE, "", 2.5)
    done = replace(JOB, phase=Phase.DONE, ended_at=NOW + 4, proofs=(proof,))
    events = watched.sightings.due(snapshot(5, jobs=(done,)), INCIDENT)
    assert [event.text for event in events] == ["Reroute IBKR DONE after 34.0 s; proven: filled by the backup 2.5 s"]
    watched.during(5, 8, jobs=(done,))
    assert [key for key, _ in watched.said] == ["job/1/confirmed", "job/1/done"]


def test_what_was_over_before_the_trouble_began_is_no_part_of_it() -> None:
    def done(number: int, action: str, at_s: float) -> Job:
        times = {"submitted_at": NOW + at_s, "ended_at": NOW + at_s + 2}
        return replace(JOB, id=str(number), action=action, phase=Phase.DONE, **times)

    steps = ("reroute.away", "kill_switch.engage", "kill_switch.release", "kill_switch.engage")
    jobs = tuple(done(number, action, number * 10 - 60) for number, action in enumerate(steps))
    during = done(4, "reroute.back", -1)
    told = Sightings().due(snapshot(5, jobs=(*jobs, during)), INCIDENT)
    halt_that_stands, under_way = "job/3/done", "job/4/done"
    assert [event.key for event in told if event.key.endswith("done")] == [halt_that_stands, under_way]
    told = Sightings().due(snapshot(5, jobs=jobs[:3]), INCIDENT)
    assert told == ()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    made = Keeper(Incidents(tmp_path / "incidents", "asha@jump1"), Drafts(tmp_path / "state" / "drafts"), SystemClock())
    made.start()
    yield made
    made.stop(10)


def until(condition: Callable[[], object]) -> None:
    ends_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def opened(keeper: Keeper) -> str:
    return keeper.tell(lambda: keeper.incidents.open(Opening("x", Severity.P1, "## Timeline\n"))).result(30).id


def test_two_cockpits_write_each_event_once(keeper: Keeper, tmp_path: Path) -> None:
    other = Keeper(Incidents(keeper.incidents.folder, "ben@jump2"), Drafts(tmp_path / "ben"), SystemClock())
    other.start()
    name = opened(keeper)
    at = SystemClock().now()
    seen = replace(FINDING, since=at - 10)
    for each, after in itertools.product((keeper, other), (0.0, RAISED_S + 0.5)):
        each.hear(replace(snapshot(0, seen, jobs=(replace(JOB, submitted_at=at),)), taken_at=at + after))
        each.tell(each._look).result(30)

    def keys() -> list[str]:
        return sorted(entry.key for entry in keeper.incidents.find(name).timeline if entry.key)

    wanted = ["finding/venue_down/IBKR/P1", "incident/opened", "job/1/confirmed"]
    until(lambda: keys() == wanted)
    other.record(Event(at, "approval", "by ben", "approval/1"))
    keeper.record(Event(at, "approval", "by ben", "approval/1"))
    other.stop(10)
    until(lambda: keys() == ["approval/1", *wanted])


def test_nothing_is_written_while_none_is_open(keeper: Keeper) -> None:
    keeper.hear(snapshot(0, replace(FINDING, since=NOW - 10)))
    with pytest.raises(JournalError, match="no incident is open"):
        keeper.note("x").result(30)
    assert keeper.open_now().value == ()


def test_who_acted_alone_before_it_was_opened_is_reviewed_with_it(keeper: Keeper) -> None:
    now = time.time()
    alone = replace(JOB, submitted_at=now - 30, notes=(f"{GLASS}: done by asha@jump1 alone",))
    keeper.hear(replace(snapshot(0, jobs=(alone,)), taken_at=now))
    name = opened(keeper)
    until(lambda: keeper.incidents.find(name).break_glass == ("asha@jump1",))


def test_a_note_waits_in_the_state_folder_while_the_folder_refuses(keeper: Keeper) -> None:
    name = opened(keeper)
    lock = keeper.incidents.folder / ".cockpit" / "lock"
    lock.unlink()
    lock.mkdir()
    kept = keeper.note("not to be lost").result(30)
    assert Path(kept).is_file()
    until(lambda: keeper.error)
    lock.rmdir()
    until(lambda: "not to be lost" in keeper.incidents.text(name))
    until(lambda: not list(keeper.drafts.folder.glob("notes*")))
    assert keeper.incidents.text(name).count("not to be lost") == 1


def test_a_note_that_cannot_be_paid_keeps_no_other_waiting(keeper: Keeper) -> None:
    name = opened(keeper)
    keeper.drafts.keep_note("2026-01-01-0000-P1-gone", "of an incident that is gone", NOW)
    file = keeper.drafts.keep_note(name, "of the open one", NOW + 1)
    with file.open("ab") as torn:
        torn.write(b'{"name": "x", "te')
    until(lambda: "of the open one" in keeper.incidents.text(name))
    until(lambda: "a note waits" in keeper.error)
    (waiting,) = keeper.drafts.folder.glob("notes.*.waiting")
    assert "of an incident that is gone" in waiting.read_text()


def test_what_is_no_note_is_kept_aside(keeper: Keeper) -> None:
    name = opened(keeper)
    file = keeper.drafts.keep_note(name, "whole", NOW)
    with file.open("ab") as torn:
        torn.write(b'{"name": "x", "te')
    until(lambda: list(keeper.drafts.folder.glob("notes.*.unread")))
    assert "whole" in keeper.incidents.text(name)
    (kept,) = keeper.drafts.folder.glob("notes.*.unread")
    assert b'{"name": "x", "te' in kept.read_bytes()


def test_no_file_ends_the_thread_that_writes_the_notes(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    name = opened(keeper)

    def broken() -> tuple[Incident, ...]:
        raise KeyError("maybe")

    with monkeypatch.context() as patch:
        patch.setattr(keeper.incidents, "all", broken)
        keeper.tell(lambda: None).result(30)
        until(lambda: keeper.open_now().error)
    until(lambda: not keeper.open_now().error)
    assert keeper.note("goes on").result(30) == name


def test_whoever_gives_up_waiting_ends_nothing_but_that(keeper: Keeper) -> None:
    opened(keeper)
    held, release = threading.Event(), threading.Event()
    keeper.tell(lambda: held.set() or release.wait(30))
    assert held.wait(30)
    given_up = keeper.tell(lambda: 1)
    assert given_up.cancel()
    release.set()
    assert keeper.tell(lambda: 2).result(30) == 2
