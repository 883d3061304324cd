"""Whoever waits for evidence without a screen is told for whose, from the first second on, and waits for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.headless import planning
from cockpit.headless.listening import Ear
from cockpit.headless.planning import heard, known
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.sample import Sample
from tests.unit.healthy import NOW, snapshot
from tests.unit.test_confirm import PLAN


def test_what_is_waited_for_is_said_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SILENT_S", 0.01)
    ear, said = Ear(frozenset({"feeds", "risk", "reach"})), list[str]()

    def say(words: str) -> None:
        said.append(words)
        if len(said) == 1:
            ear(snapshot(reach=Sample()))
        elif len(said) == 2:
            ear(snapshot(NOW))
        else:
            ear(snapshot(NOW + 1))

    heard(ear, 30.0, say)
    assert said == [
        "still waiting for Redis, broker probe",
        "still waiting for broker probe",
        "still waiting for Redis",
    ], "the second reading of the feeds"


def test_what_is_never_asked_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ear = Ear(frozenset({"risk"}))
    ear(snapshot(postgres=Sample(), kubernetes=Sample(), reach=Sample()))
    heard(ear, 30.0, pytest.fail)


def test_it_gives_up_in_time() -> None:
    heard(Ear(frozenset({"risk"})), 0.0, pytest.fail)


def test_a_check_that_is_not_known_yet_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LOOK_AGAIN_S", 0.0)
    plans = [replace(PLAN, checks=(Check(name, Verdict.UNKNOWN, "not read"),)) for name in ("disk", "clock")]
    asked, said = iter([*plans, PLAN]), list[str]()

    def plan_of(found: Plan) -> Plan:
        return found

    assert known(lambda: next(asked), plan_of, said.append) is PLAN
    assert said == ["not known yet, looking again: disk"]
