"""What outsiders read: whatever goes in, nothing of the redaction list comes out."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actions.notify import words
from cockpit.alerting.redaction import WITHHELD, redacted
from cockpit.model.audit import Operator
from cockpit.model.incident import Incident
from cockpit.model.job import Job, Phase
from cockpit.model.severity import Severity
from cockpit.model.states import KillSwitch, Position
from cockpit.model.world import World
from tests.unit.healthy import NOW, SETTINGS, dead, risk, snapshot, venue, venues

P1 = Severity.P1
WHO = Operator("asha", "trader7", "jump1", "pts/3", "10.20.30.40")
LEAKS = st.sampled_from(["10.9.8.7", "db2.fund.example", "U7654321", "4,200,000", "GOOG", "/srv/x", "KeyError"])


def troubled(**more: Any) -> Any:
    from dataclasses import replace

    from cockpit.severity.judge import assess

    changed = {
        "venues": venues(venue("IBKR", "down", code="1100", message="lost gw1.fund.example 10.1.2.3")),
        "kill_switch": KillSwitch(True, True, "asha sold TSLA on U1234567", "asha", NOW - 60),
        "risk": risk(positions=(Position("TSLA", 1200.0, 1.0, 1.0, 1.0),)),
        **more,
    }
    shown = snapshot(**changed)
    job = Job("j", "a", "Engage", "t", World.SANDBOX, "d", "asha@jump1", Phase.DONE, NOW - 30, NOW)
    return replace(shown, assessment=assess(shown, SETTINGS)[0], jobs=(job,))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), LEAKS)
def test_the_summary_says_nothing_of_the_list(note: str, leak: str) -> None:
    message = words.summary(troubled(), SETTINGS, WHO, f"{note} {leak} asha jump1 trader7 TSLA 1200 IBKR")
    text = f"{message.subject}\n{message.body}"
    tokens = {token.strip("().,;:!?'\"").casefold() for token in text.split()}
    assert not tokens & {
        "asha",
        "jump1",
        "trader7",
        "tsla",
        "ibkr",
        "u1234567",
        "gw1.fund.example",
        "10.1.2.3",
        leak.casefold(),
    }
    assert all(redacted(line) == " ".join(line.split()) for line in text.splitlines())


def test_the_summary_in_words() -> None:
    message = words.summary(troubled(), SETTINGS, WHO, "Back in 20 minutes.")
    assert message.subject == ("Exercise, nothing is real. The trading platform has an incident of class P1 (critical)")
    assert message.body.splitlines()[::2] == [
        "Exercise, nothing is real. As of 08:00 UTC: the trading platform has an incident of class P1 (critical). "
        "Trading is halted.",
        "Affected: the connection to our brokers, risk monitoring, since 07:59 UTC.",
        "The operations team is working on it.",
        "Back in 20 minutes.",
        "We will write again when this changes.",
    ]
    unknown = words.summary(troubled(kill_switch=dead()), SETTINGS, WHO, "").body
    assert "Whether trading is halted is being established." in unknown


def test_the_open_incident_is_named_in_full_and_its_people_are_withheld() -> None:
    one = Incident("2027-01-15-0800-P1-ibkr", "IBKR down", P1, NOW - 60, "asha@jump1", roles=(("commander", "priya"),))
    shown = troubled(incidents=(one,))
    body = words.full(shown, SETTINGS, WHO, "").body
    assert "Incident: P1 IBKR down, open since 07:59:00 UTC, commander priya (2027-01-15-0800-P1-ibkr)" in body
    summary = words.summary(shown, SETTINGS, WHO, "ask priya about it").body
    assert f"ask {WITHHELD} about it" in summary and "IBKR" not in summary


def test_the_full_text_says_what_is_wrong_and_what_was_done() -> None:
    message = words.full(troubled(), SETTINGS, WHO, "")
    assert message.subject.startswith("[SANDBOX test] P1: IBKR down")
    assert "Trading: HALTED by asha since 07:59:00 UTC: asha sold TSLA on U1234567" in message.body
    assert (
        "  P1 IBKR down: 1100 lost gw1.fund.example 10.1.2.3, since 08:00:00 UTC or earlier [3.1 Broker outage]"
        in message.body
    )
    assert "UTC Engage: done, by asha@jump1" in message.body
    calm = words.full(snapshot(), SETTINGS, WHO, "drill is over")
    assert calm.subject == "[SANDBOX test] drill is over" and "Findings: none" in calm.body
