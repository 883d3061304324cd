"""A part of the cockpit that fails keeps no other from hearing, and is said where the user looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.clock import SystemClock
from cockpit.drills.desk import DrillDesk
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.notify.herald import Herald
from cockpit.observe.ears import Ears
from cockpit.session import Session
from tests.unit.healthy import SETTINGS, snapshot
from tests.unit.test_lookout import no_redis


def deaf(_: Snapshot) -> None:
    raise ValueError("no room")


def test_one_that_fails_keeps_none_of_the_others_from_hearing() -> None:
    heard: list[Snapshot] = []
    ears = Ears({"incident log": deaf, "drill watch": heard.append, "screen": heard.append}, {})
    ears(snapshot())
    assert len(heard) == 2
    assert ears.failures() == {"incident log": "ValueError: no room"}


def test_what_one_hands_over_to_may_fail_too_and_what_has_healed_is_not_said() -> None:
    errors = {"notice sender": "Slack is away"}
    ears = Ears({"notice sender": lambda _: None}, {"notice sender": lambda: errors["notice sender"]})
    ears(snapshot())
    assert ears.failures() == {"notice sender": "Slack is away"}
    errors["notice sender"] = ""
    assert ears.failures() == {}


class Screen:
    """Hears until something is so."""

    def __init__(self) -> None:
        self.last: Snapshot | None = None
        self._came = threading.Condition()

    def __call__(self, seen: Snapshot) -> None:
        with self._came:
            self.last = seen
            self._came.notify_all()

    def until(self, holds: Callable[[Snapshot], bool]) -> bool:
        with self._came:
            return self._came.wait_for(lambda: self.last is not None and holds(self.last), 20.0)


@pytest.mark.parametrize("name", ["incident log", "drill watch"])
def test_a_session_whose_part_fails_goes_on_and_the_wall_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    session, screen = Session.open(no_redis(tmp_path)), Screen()
    part = {"incident log": session.incidents, "drill watch": session.drills}[name]
    monkeypatch.setattr(part, "hear", deaf)
    session.start(screen)
    try:
        words = f"the cockpit's {name} fails: ValueError: no room"

        def is_said(seen: Snapshot) -> bool:
            found = [one for one in seen.assessment.findings if one.rule == "cockpit_failing"]
            return [(one.summary, one.severity) for one in found] == [(words, Severity.P3)]

        assert screen.until(is_said), screen.last
    finally:
        session.stop(0.5)


def until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(4000):
        if holds():
            return
        waiting.wait(0.005)
    raise AssertionError("it never became so")


def test_a_drill_that_cannot_be_judged_ends_no_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.drills.desk.EVERY_S", 0.005)
    desk = DrillDesk(SETTINGS, SystemClock(), "asha", lambda *_: None, tmp_path)
    watched: list[Snapshot] = []

    class Director:
        def watch(self, seen: Snapshot) -> None:
            watched.append(seen)
            if len(watched) < 3:
                raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(desk, "_director", Director)
    (tmp_path / "running.json").touch()
    desk.hear(snapshot())
    desk.start_watching()
    try:
        until(lambda: desk.error == "a mistake of ours")
        until(lambda: len(watched) > 3 and desk.error == "")
    finally:
        desk.stop_watching()


def test_a_notice_sender_that_fails_says_so_until_it_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    herald, fails = Herald(SETTINGS, tmp_path, lambda *_: None), [True]

    def look() -> None:
        if fails[0]:
            raise OSError("the disk is full")

    monkeypatch.setattr(herald, "look", look)
    monkeypatch.setattr(herald, "_is_wanted", lambda _: True)
    herald.start()
    try:
        herald.hear(snapshot())
        until(lambda: herald.error == "the disk is full")
        fails[0] = False
        herald.hear(snapshot())
        until(lambda: herald.error == "")
    finally:
        herald.stop()
