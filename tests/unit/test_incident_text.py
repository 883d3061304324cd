"""An incident as text: front matter that others may write too, and a timeline of plain lines."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import JournalError
from cockpit.model.incident import Event
from cockpit.model.severity import Severity
from cockpit.storage.incident_front import changed, iso, moment, read, split
from cockpit.storage.incident_text import entries, facts, section_text, ticked, with_event

TEXT = """\
---
# by hand
title: 'Redis: down'
severity: P1   # worst
reporter: {name: ben, phone: "555"}
opened: 2026-04-01T19:44:00Z
severity_history:
- at: '2026-04-01T19:44:00Z'
  severity: P1
  by: asha@jump1
  reason: opened
roles:
  commander: asha
custom:
  - [deep, {er: 1}]
---
# Redis down

## Summary

<!-- what happened -->

## Timeline

- 2026-04-01 19:44:00Z opened: P1 <!-- incident/opened -->
- 2026-04-01 19:46Z **note**: by hand

free words

## Actions

```
## Timeline
```
"""
AT = moment("2026-04-01T19:45:00Z") or 0.0
NAME = "2026-04-01-1944-P1-redis-down"


def test_facts_are_read() -> None:
    found = facts(NAME, TEXT)
    assert (found.title, found.severity, found.role("commander")) == ("Redis: down", Severity.P1, "asha")
    assert found.is_open
    assert found.problem == ""
    assert [(each.kind, each.text) for each in found.timeline] == [("opened", "P1"), ("note", "by hand")]
    assert found.severity_history[0].by == "asha@jump1"


def test_a_changed_key_leaves_every_other_line_alone() -> None:
    after = changed(TEXT, {"severity": "P2", "closed": "2026-04-01T20:00:00Z"})
    kept = [each for each in TEXT.split("\n") if not each.startswith("severity: ")]
    assert [each for each in after.split("\n") if not each.startswith(("severity: ", "closed: "))] == kept
    assert read(after)[0]["severity"] == "P2"


@pytest.mark.parametrize(
    "front",
    [
        "a: [1\n",
        "- 1\n",
        "a: &x 1\nb: *x\n",
        "a: !!python/object:os.system 1\n",
        "a: !!bool maybe\n",
        "a: !!int ''\n",
        "a: !!timestamp soon\n",
        "",
    ],
)
def test_a_front_matter_that_cannot_be_read_is_said_and_left_alone(front: str) -> None:
    text = f"---\n{front}---\n## Timeline\n\n- 2026-04-01 19:44:00Z opened: x <!-- incident/opened -->\n"
    found = facts(NAME, text)
    assert found.problem
    assert (found.severity, found.title, found.is_open) == (Severity.P1, "redis down", True)
    with pytest.raises(JournalError):
        changed(text, {"severity": "P2"})
    assert with_event(text, Event(AT, "note", "goes on")).startswith(f"---\n{front}---\n")


@pytest.mark.parametrize("line", [f"rto_minutes: 1{'0' * 400}", "opened: 0001-01-01T00:00:00+05:00", "opened: .nan"])
def test_a_value_that_is_none_is_as_good_as_missing(line: str) -> None:
    found = facts(NAME, f"---\ntitle: x\n{line}\n---\n")
    assert (found.problem, found.rto_minutes) == ("", None)
    assert iso(found.opened_at).startswith("2026-")


def test_a_report_that_no_cockpit_opened_is_not_open() -> None:
    assert not facts("2019-01-01-1200-old", "# An old report\n\nwords\n").is_open


@given(
    st.dictionaries(st.sampled_from(["title", "cause", "x y", "é"]), st.text(max_size=40), max_size=4),
    st.dictionaries(
        st.sampled_from(["title", "roles", "closed"]),
        st.one_of(st.text(max_size=60), st.none(), st.dictionaries(st.text(max_size=5), st.text(max_size=9))),
        max_size=3,
    ),
)
def test_any_value_survives(before: dict[str, str], values: dict[str, object]) -> None:
    text = f"---\n{yaml.safe_dump(before) if before else 'a: b' + chr(10)}---\nbody\n"
    after = changed(text, values)
    assert read(after)[0] == {**read(text)[0], **values}
    assert split(after)[1] == "body\n"


def test_an_event_stands_at_its_time() -> None:
    found = entries(with_event(TEXT, Event(AT, "finding", "IBKR down", "finding/x/IBKR/raised")))
    assert [each.kind for each in found] == ["opened", "finding", "note"]


def test_the_same_event_is_written_once() -> None:
    event = Event(AT, "action", "flatten", "job/1/confirmed")
    once = with_event(TEXT, event)
    assert with_event(once, event) == once


def test_a_state_that_another_cockpit_saw_a_moment_later_is_the_same() -> None:
    once = with_event(TEXT, Event(AT, "finding", "IBKR down", "finding/x/IBKR/raised", is_state=True))
    assert with_event(once, Event(AT + 2, "finding", "IBKR down", "finding/x/IBKR/raised", is_state=True)) == once
    gone = with_event(once, Event(AT + 60, "cleared", "IBKR", "finding/x/IBKR/cleared", is_state=True))
    again = with_event(gone, Event(AT + 90, "finding", "IBKR down", "finding/x/IBKR/raised", is_state=True))
    assert [each.kind for each in entries(again)].count("finding") == 2
    assert with_event(again, Event(AT + 3, "finding", "IBKR", "finding/x/IBKR/raised", is_state=True)) == again


def test_text_from_outside_cannot_act_nor_break_the_list() -> None:
    hostile = "x <!-- --> <script>\x1b[31m ![i](http://e)\n## Timeline\n---\n" + "y" * 5000
    text = with_event(TEXT, Event(AT, "no<te\n", hostile, "a b--><c>"))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "![" not in text
    assert len(entries(text)) == 3
    assert read(text)[0] == read(TEXT)[0]
    assert all(len(each) < 2100 for each in text.split("\n"))


def test_a_missing_timeline_is_made() -> None:
    text = with_event("---\na: 1\n---\n# T\n\nwords", Event(AT, "note", "one"))
    text = with_event(text, Event(AT + 1, "note", "two"))
    assert text.endswith("words\n\n## Timeline\n\n- 2026-04-01 19:45:00Z note: one\n- 2026-04-01 19:45:01Z note: two\n")


def test_prompts_are_not_text() -> None:
    assert section_text(TEXT, "Summary") == ""
    assert section_text(TEXT, "Timeline").endswith("free words")


def test_a_release_is_ticked_only_until_trading_is_halted_again() -> None:
    point = "<!-- step kill_switch.release -->"
    opened = Event(AT + 60, "opened", "P1", "incident/opened")
    text = with_event(f"## Timeline\n\n## Actions\n\n- [ ] Released {point}\n- [x] Told the desk\n", opened)

    def after(text: str, step: str, at_s: float) -> str:
        event = Event(AT + at_s, "outcome", step, f"job/20260401-194412-019-{step}-{at_s:02.0f}/done")
        return ticked(with_event(text, event), event)

    released = after(text, "kill_switch.release", 10)
    assert f"- [x] Released {point}" in released
    assert "- [x] Halted" in after(text + "- [ ] Halted <!-- step kill_switch.engage -->", "kill_switch.engage", 10)
    halted = after(released, "kill_switch.engage", 20)
    assert f"- [ ] Released {point}" in halted and "- [x] Told the desk" in halted
    told_late = after(after(text, "kill_switch.engage", 20), "kill_switch.release", 10)
    assert f"- [ ] Released {point}" in told_late
    halt_told_late = after(after(text, "kill_switch.release", 20), "kill_switch.engage", 10)
    assert f"- [x] Released {point}" in halt_told_late
