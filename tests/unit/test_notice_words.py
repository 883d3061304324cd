"""What outsiders read: whatever goes in, nothing of the redaction list comes out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.notify import words
from actions.notify.redaction import TRACE, WITHHELD, redacted
from cockpit.model.audit import Operator
from cockpit.model.incident import Incident
from cockpit.model.job import Job, Phase
from cockpit.model.severity import Severity
from cockpit.model.states import KillSwitch, Position
from cockpit.model.world import World
from tests.unit.healthy import NOW, SETTINGS, dead, risk, snapshot, venue, venues

P1 = Severity.P1
WHO = Operator("asha", "trader7", "jump1", "pts/3", "10.20.30.40")
NAME = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9)
LEAKS = st.one_of(
    st.ip_addresses().map(str).filter(lambda one: one != "::"),
    st.builds("{}.{}.{}".format, NAME, NAME, NAME),
    st.builds("{}{}".format, NAME, st.integers(0, 999)),
    st.builds("https://{}.example/{}?token={}".format, NAME, NAME, NAME),
    st.builds("/{}/{}".format, NAME, NAME),
    st.builds("C:\\{}\\{}".format, NAME, NAME),
    st.builds("{}@{}.example".format, NAME, NAME),
    st.builds("U{}".format, st.integers(10_000, 99_999_999)),
    st.builds("{:,}".format, st.integers(100, 10**9)),
    st.builds("{:.2f}".format, st.floats(0.01, 1e6)),
    st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=5).filter(
        lambda one: one not in ["UTC", "GMT", "IST", "EST", "EDT", "OK", "AM", "PM", "FYI", "ETA", "EU", "UK", "API"]
    ),
    st.builds("{}Error".format, NAME.map(str.title)),
    st.sampled_from(
        ["fe80::1%eth0", "redis://x:y@h/0", "__main__.py", "0x7f3a9c", "~/.ssh/id_rsa", "AAPL:1200", "$4.2M"]
    ),
)
PROSE = st.text(alphabet="abcdefghijklmnop ,.!?;:-'\n\t", max_size=30)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(PROSE, LEAKS, PROSE), min_size=1, max_size=5))
def test_no_leak_passes(parts: list[tuple[str, str, str]]) -> None:
    out = redacted(" ".join(f"{before} {leak} {after}" for before, leak, after in parts))
    tokens = {token.strip("\"'“”‘’().,;:!?") for token in out.split()}
    for _, leak, _ in parts:
        assert leak not in tokens
        if not leak.isalpha():
            assert leak not in out or leak in "".join(before + after for before, _, after in parts)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_what_passes_is_made_of_plain_words(text: str) -> None:
    out = redacted(text)
    rest = out.replace(WITHHELD, "").replace(TRACE, "")
    assert not re.search(r"[/\\@#$%^*_+=<>{}|~`\[\]]", rest)
    assert not re.search(r"\d{3,}|\d\.\d|[^\W\d_]\d|\d[^\W\d_]", re.sub(r"P[1-4]", "", rest))
    assert redacted(out) == out


@settings(max_examples=200, deadline=None)
@given(st.lists(NAME, min_size=1, max_size=4), st.lists(NAME, max_size=6))
def test_names_are_withheld_wherever_they_stand(secret: list[str], others: list[str]) -> None:
    out = redacted(" ".join([*others, *secret, *others, f"({secret[0]})", f"{secret[0].title()}'s"]), secret)
    assert not {token.strip("().,'").removesuffix("'s").casefold() for token in out.split()} & set(secret)


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("We expect to be back in 20 minutes.", "We expect to be back in 20 minutes."),
        (
            "Orders are halted since 14:05 UTC - more at 15:00 UTC",
            "Orders are halted since 14:05 UTC - more at 15:00 UTC",
        ),
        ("lost 1,200,000 USD", f"lost {WITHHELD}"),
        ("sold 12 AAPL", f"sold {WITHHELD}"),
        ('Traceback (most recent call last):\n  File "/opt/x.py", line 3', TRACE),
        ("ＡＡＰＬ on ｈost１", f"{WITHHELD} on {WITHHELD}"),
        ("P1 now, 20 gw1", f"P1 now, {WITHHELD}"),
        ("a\u202eb\x1b[31m", WITHHELD),
        ("We sold Tesla, said Priya. On Monday we go on", f"We sold {WITHHELD} said {WITHHELD} On Monday we go on"),
        ("", ""),
    ],
)
def test_examples(text: str, out: str) -> None:
    assert redacted(text) == out


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
        "Affected: risk monitoring, the connection to our brokers, since 07:59 UTC.",
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
    assert message.subject.startswith("[SANDBOX test] P1: trading HALTED by asha")
    assert "Trading: HALTED by asha since 07:59:00 UTC: asha sold TSLA on U1234567" in message.body
    assert "  P1 IBKR down: 1100 lost gw1.fund.example 10.1.2.3, since 08:00:00 UTC [3.1 Broker outage]" in message.body
    assert "UTC Engage: done, by asha@jump1" in message.body
    calm = words.full(snapshot(), SETTINGS, WHO, "drill is over")
    assert calm.subject == "[SANDBOX test] drill is over" and "Findings: none" in calm.body
