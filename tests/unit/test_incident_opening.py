"""What is wrong just now as a new incident: what it is called, and since when its clock runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.incidents.opening import beginning, proposed
from cockpit.model.finding import Assessment, Finding
from cockpit.model.severity import Severity

P1, P2, P3 = Severity.P1, Severity.P2, Severity.P3
NIGHT, NOON, JUST, LATER = 1_000.0, 50_000.0, 60_000.0, 60_030.0


def wrong(severity: Severity, section: str | None, panel: str, since: float, is_expected: bool = False) -> Finding:
    return Finding("rule", panel, severity, panel, f"{panel} down", "", "", since, section, is_expected=is_expected)


BROKER = wrong(P1, "3.1", "brokers", JUST)
SECOND_BROKER = wrong(P1, "3.1", "flow", NOON)
REDIS = wrong(P1, "3.3", "redis", LATER)
SLOW_FEED = wrong(P2, "3.2", "feeds", NIGHT)
BROKER_P2 = wrong(P2, "3.1", "brokers", NIGHT)
ALERT, OLD_ALERT = wrong(P2, None, "alerts", JUST), wrong(P2, None, "alerts", NOON)
API = wrong(P2, None, "kubernetes", NIGHT)
RESET = wrong(P1, "3.1", "brokers", NIGHT, is_expected=True)
DASHBOARD = wrong(P3, "3.1", "brokers", NIGHT)


@pytest.mark.parametrize(
    ("findings", "section", "began"),
    [
        ((), "", None),
        ((DASHBOARD,), "3.1", None),
        ((BROKER,), "3.1", JUST),
        ((BROKER, SECOND_BROKER), "3.1", NOON),
        ((BROKER, SLOW_FEED), "3.1", JUST),
        ((BROKER, BROKER_P2), "3.1", JUST),
        ((BROKER, REDIS), "3.1", JUST),
        ((BROKER, REDIS), "3.3", LATER),
        ((BROKER, SLOW_FEED), "3.2", NIGHT),
        ((BROKER, SLOW_FEED), "3.5", JUST),
        ((BROKER, SLOW_FEED), "", JUST),
        ((RESET, BROKER), "3.1", JUST),
        ((ALERT, OLD_ALERT, API), "", NOON),
        ((SLOW_FEED, DASHBOARD), "3.2", NIGHT),
    ],
)
def test_since_when_the_clock_runs(findings: tuple[Finding, ...], section: str, began: float | None) -> None:
    assert beginning(Assessment(P1, findings), section) == began


HALT = replace(wrong(P1, "3.1", "risk", NIGHT), rule="kill_switch_engaged")
UNREACHED = replace(wrong(P1, "3.1", "venue", NOON), follows=BROKER.key)
SLOW = replace(wrong(P2, "3.3", "redis", LATER), rule="redis_slow")
THROUGH = replace(wrong(P2, "3.3", "feed", JUST), summary="feed late, through a slow Redis")
MEMORY = wrong(P2, "3.3", "memory", NIGHT)


@pytest.mark.parametrize(
    ("findings", "title", "began"),
    [
        ((BROKER, HALT), "brokers down", JUST),
        ((HALT,), "risk down", NIGHT),
        ((REDIS, HALT), "redis down", LATER),
        ((BROKER, UNREACHED, HALT), "brokers down", NOON),
        ((BROKER, SECOND_BROKER), "flow down", NOON),
        ((SLOW, MEMORY, THROUGH), "redis down", JUST),
        ((MEMORY,), "memory down", NIGHT),
    ],
)
def test_the_title_names_the_trouble_that_it_begins_with(
    findings: tuple[Finding, ...], title: str, began: float
) -> None:
    seen = Assessment(P1, findings)
    assert (proposed(seen)[0], beginning(seen, proposed(seen)[2])) == (title, began)


def test_the_worst_gives_the_incident_its_name() -> None:
    assert proposed(Assessment(P1, (RESET, BROKER, SLOW_FEED))) == ("brokers down", P1, "3.1")
    assert proposed(Assessment(P3, (DASHBOARD,))) == ("", P2, "")
