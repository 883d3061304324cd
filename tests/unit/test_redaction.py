"""What outsiders may read, in a notice and in a report alike: whatever goes in, nothing of the list comes out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.alerting.names import names_in
from cockpit.alerting.redaction import ACRONYMS, COMMON, PRODUCTS, TRACE, WITHHELD, redacted, redacted_report
from cockpit.config import Settings
from cockpit.incidents.exports import summary
from cockpit.model.incident import Incident
from cockpit.model.severity import Severity
from cockpit.parts import parsed

NAME = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9).filter(lambda name: name not in COMMON)
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
    st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=5).filter(lambda one: one not in ACRONYMS),
    st.builds("{}Error".format, NAME.map(str.title)),
    st.sampled_from(
        ["redis-01", "10.0.0.7:6379", "https://hooks.slack.com/services/T/B/x", "+300", "12M", "KeyError:"]
    ),
    st.sampled_from(
        ["fe80::1%eth0", "redis://x:y@h/0", "__main__.py", "0x7f3a9c", "~/.ssh/id_rsa", "AAPL:1200", "$4.2M"]
    ),
)
PROSE = st.text(alphabet="abcdefghijklmnop ,.!?;:-'\n\t", max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(PROSE, LEAKS, PROSE), min_size=1, max_size=5))
def test_no_leak_passes(parts: list[tuple[str, str, str]]) -> None:
    out = redacted(" ".join(f"{before} {leak} {after}" for before, leak, after in parts))
    tokens = {token.strip("\"'“”‘’().,;:!?") for token in out.split()}
    for _, leak, _ in parts:
        assert leak not in tokens
        if not leak.isalpha():
            assert leak not in out or leak in "".join(before + after for before, _, after in parts)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_what_passes_is_made_of_plain_words(text: str) -> None:
    out = redacted(text)
    rest = out.replace(WITHHELD, "").replace(TRACE, "")
    assert not re.search(r"[/\\@#$%^*_+=<>{}|~`\[\]]", rest)
    rest = re.sub(r"(?<!\d)20\d\d-\d\d-\d\d(?!\d)", "", rest)
    assert not re.search(r"\d{3,}|\d\.\d|[^\W\d_]\d|\d[^\W\d_]", re.sub(r"P[1-4]", "", rest))
    assert redacted(out) == out


@settings(max_examples=100, deadline=None)
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


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "- ", "- [ ] ", "### ", "> ", "| "]), PROSE, LEAKS, PROSE), max_size=6))
def test_no_leak_passes_through_a_report(lines: list[tuple[str, str, str, str]]) -> None:
    out = redacted_report("\n".join(f"{mark}{before} {leak} {after}" for mark, before, leak, after in lines), ["asha"])
    tokens = {token.strip("\"'“”‘’().,;:!?") for token in out.split()}
    assert not tokens & {leak for _, _, leak, _ in lines if leak not in PRODUCTS}


def test_traces_tables_and_fences_go_whole() -> None:
    text = 'Fine.\n\nTraceback (most recent call last):\n  File "x.py", line 3\n\n| a | 1 |\n```\nx\n```\nEnd at 10:32'
    assert redacted_report(text) == f"Fine.\n\n{TRACE}\n\nEnd at 10:32"


def test_the_summary_of_an_incident_names_nobody_in_it() -> None:
    roles = (("commander", "asha"), ("operator", "Ben"))
    one = Incident("x", "Redis down", Severity.P1, 0.0, "asha@jump1", "SANDBOX", "hf-1", "3.3", roles=roles)
    text = "---\n---\n# t\n\n## Summary\n\nRedis was killed at 19:44:12 UTC.\nBen and asha restored it on jump1.\n"
    out = summary(one, text, 60.0, ["graf-01"])
    assert "Redis was killed at 19:44:12 UTC. [withheld] and [withheld] restored it on [withheld]" in out
    assert not re.search("asha|Ben|jump1|hf-1", out)


def test_people_and_feeds_of_the_configuration_are_withheld() -> None:
    fields = {
        "site": "hf-1",
        "root": "/srv/hf",
        "contacts": [{"name": "Asha Rao", "phone": "1"}],
        "postgres": {"dsn": "host = db1 dbname = hedgefund user=writer"},
    }
    known = names_in(parsed(Settings, fields))
    text = "Asha was called. Prices from yahoo are late, hedgefund is restored as writer"
    assert redacted(text, known) == (
        "[withheld] was called. Prices from [withheld] are late, [withheld] is restored as [withheld]"
    )
