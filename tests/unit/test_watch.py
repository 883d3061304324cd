"""A snapshot that nobody renews is not the present, however well it looked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity.judge import assess
from cockpit.severity.trading import halt_readiness
from cockpit.severity.watch import as_of, died, is_blind
from tests.unit.healthy import NOW, SETTINGS, dead, snapshot, values


def judged(**changed: Any) -> Snapshot:
    found = snapshot(**changed)
    return replace(found, assessment=assess(found, SETTINGS)[0])


def test_young_snapshot_is_left_alone() -> None:
    found = judged()
    assert found.assessment.severity is Severity.OK
    assert as_of(found, NOW + 2.9, 1.0) is found
    assert as_of(found, NOW + 5.9, 2.0) is found


def test_old_snapshot_is_unknown_and_says_for_how_long() -> None:
    found = as_of(judged(), NOW + 12, 1.0)
    assert found.assessment.severity is Severity.UNKNOWN
    assert found.assessment.findings[0].summary == "the cockpit itself has stopped watching for 12 s"
    assert {severity for _, severity in found.assessment.panels} == {Severity.UNKNOWN}
    assert halt_readiness(found, SETTINGS).word == "unknown"


def test_what_was_wrong_is_still_listed_as_last_known() -> None:
    found = as_of(judged(postgres=dead(value=values()["postgres"])), NOW + 12, 1.0)
    assert found.assessment.severity is Severity.UNKNOWN
    assert found.assessment.findings[1].summary.startswith("last known: Postgres")
    assert found.assessment.panel("postgres") is Severity.P1


def test_snapshot_from_the_future_is_not_the_present() -> None:
    assert is_blind(as_of(judged(), NOW - 3600, 1.0))


def test_death_keeps_its_reason() -> None:
    found = died(judged(), "it ended")
    assert found.assessment.findings[0].summary == "the cockpit itself has stopped watching: it ended"
    again = as_of(found, NOW + 12, 1.0)
    assert [one.summary for one in again.assessment.findings] == [
        "the cockpit itself has stopped watching for 12 s: it ended"
    ]


def test_readiness_is_judged_now() -> None:
    found = judged()
    assert halt_readiness(found, SETTINGS, NOW + 1).word == "ready"
    assert halt_readiness(found, SETTINGS, NOW + 60).word != "ready"


def test_value_from_the_future_is_not_live() -> None:
    sample = Sample.good(1, NOW, 0.0)
    assert sample.is_live(NOW - 0.5)
    assert not sample.is_live(NOW - 3600)
    assert sample.moved(-3600).is_live(NOW - 3600)
