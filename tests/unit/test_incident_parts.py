"""Metrics, what closing asks for, templates, and what a stakeholder may read."""

from __future__ import annotations

import pytest

from cockpit.incidents.closing import lacks
from cockpit.incidents.exports import SECTIONS
from cockpit.incidents.metrics import metrics, recovered_at
from cockpit.incidents.report import halted, halts
from cockpit.incidents.templates import body
from cockpit.model.incident import Incident, TimelineEntry
from cockpit.model.severity import Severity
from cockpit.storage.incident_text import headings, section_text


def incident(*entries: tuple[float, str, str], **facts: object) -> Incident:
    timeline = tuple(TimelineEntry(at, kind, "words", key) for at, kind, key in entries)
    return Incident("x", "t", Severity.P1, opened_at=100.0, began_at=60.0, rto_minutes=10, timeline=timeline, **facts)  # type: ignore[arg-type]


def test_metrics_of_one_that_is_over() -> None:
    found = metrics(
        incident(
            (60, "finding", "finding/a/x/P1"),
            (70, "action", "job/1/confirmed"),
            (80, "finding", "finding/b/y/P2"),
            (300, "cleared", "finding/a/x/cleared"),
            (360, "cleared", "finding/b/y/cleared"),
        ),
        now=9000,
    )
    assert (found.acknowledged_s, found.recovered_s, found.running_s, found.is_within) == (10, 300, 300, True)


def test_metrics_of_one_that_is_not_over() -> None:
    standing = incident((60, "finding", "finding/a/x/P1"), (90, "cleared", "finding/b/y/cleared"))
    assert recovered_at(standing) is None
    assert metrics(standing, now=90).is_within is None
    assert metrics(standing, now=6000).is_within is False
    again = incident(
        (60, "finding", "finding/a/x/P1"), (90, "cleared", "finding/a/x/cleared"), (95, "finding", "finding/a/x/P2")
    )
    assert recovered_at(again) is None


def test_what_somebody_wrote_of_the_recovery_counts() -> None:
    assert recovered_at(incident((60, "finding", "finding/a/x/P1"), recovered_at=200.0)) == 200
    assert recovered_at(incident(closed_at=500.0)) == 500


@pytest.mark.parametrize("section", [*SECTIONS, "", "9.9", "../x"])
def test_a_template_has_every_section(section: str) -> None:
    text = body(section, "Redis $down <b>")
    assert [name for _, name in headings(text.split("\n"))][1:] == [
        "Summary",
        "Impact",
        "Timeline",
        "Actions",
        "Follow-ups",
    ]
    assert text.startswith("# Redis $down ‹b>")
    assert (section_text(text, "Summary"), section_text(text, "Impact")) == ("", "")


def test_closing_asks_for_what_is_missing() -> None:
    found = [
        lack.what for lack in lacks(incident((60, "finding", "finding/a/x/P1"), break_glass=("ben",)), body("", "t"))
    ]
    assert found == [
        "nobody but ben has reviewed it",
        "the Summary is empty",
        "the Impact is empty",
        "the cause is not given",
        "it is not over: words",
    ]
    text = body("", "t").replace("## Summary\n", "## Summary\n\ns\n").replace("## Impact\n", "## Impact\n\ni\n")
    assert lacks(incident(cause="c"), text) == ()


ENGAGED = "job/20260401-194412-019-kill_switch.engage-daa8"
RELEASED = "job/20260401-194533-019-kill_switch.release-daa8"
SEEN = "finding/kill_switch_engaged/kill_switch"


def test_a_halt_that_was_over_before_it_was_opened_counts() -> None:
    taken = (
        (70, "action", f"{ENGAGED}/confirmed"),
        (73, "outcome", f"{ENGAGED}/done"),
        (151, "action", f"{RELEASED}/confirmed"),
        (154, "outcome", f"{RELEASED}/done"),
    )
    found = incident(*taken)
    assert halted(found, 900).startswith("1 min 21 s, from ")
    seen = ((71, "finding", f"{SEEN}/P1"), (152, "cleared", f"{SEEN}/cleared"))
    assert halts(incident(*taken, *seen)) == ((70, 152),)
    assert halts(incident(*taken[:2], *seen)) == ((70, 152),)
    assert halts(incident(*taken[:2])) == ((70, None),)
    assert halted(incident(*taken[:2]), 900).endswith(" UTC, until when is not known")
    assert halted(incident(*taken[:2], seen[0]), 900).endswith(" UTC, and still is")
    assert halts(incident(*((at - 100, kind, key) for at, kind, key in taken))) == ()


def test_no_halt_is_denied_that_is_only_not_known() -> None:
    assert halted(incident(), 900) == "nothing in the timeline"
    assert (
        halted(incident((70, "action", f"{ENGAGED}/confirmed"), (73, "outcome", f"{ENGAGED}/in-doubt")), 900)
        == "not known"
    )
    assert (
        halted(incident((70, "action", f"{RELEASED}/confirmed"), (73, "outcome", f"{RELEASED}/done")), 900)
        == "not known"
    )
