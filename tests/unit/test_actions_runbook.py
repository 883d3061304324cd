"""The runbook's file: what it must hold, and errors that name the line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from actions.catalogue import ACTIONS, RUNBOOK, load
from cockpit.errors import ConfigError, Rejected
from cockpit.jobs.action import action_for, is_struck, is_worked
from cockpit.jobs.rows import as_its_row_says, row_for, with_fixed
from cockpit.model.plan import Check, Danger, Verdict
from cockpit.model.snapshot import PROBES
from cockpit.model.world import World
from cockpit.severity.judge import RULES
from cockpit.severity.standing import WAITING
from tests.unit.healthy import NOW, SETTINGS, snapshot
from tests.unit.test_journal import WHO

PLACED = r"^/[^:]+:\d+:\d+: "


def test_the_kill_switch_is_section_3_1() -> None:
    engage, release = (row for row in ACTIONS if row.id.startswith("kill_switch."))
    assert (engage.id, engage.section, engage.section_key, engage.key) == ("kill_switch.engage", "3.1", "b", "k")
    assert (release.id, release.key, release.danger) == ("kill_switch.release", "u", Danger.DANGER)


def test_every_step_has_something_that_does_it() -> None:
    for row in ACTIONS:
        action = action_for(row.id)
        assert callable(action.plan)
        assert is_struck(action) != is_worked(action)
        if is_worked(action):
            plan = action.plan(SETTINGS, WHO, {}, snapshot(), NOW)
            assert len(action.steps(plan)) == len(plan.steps)
            assert frozenset(PROBES) >= action.EVIDENCE
            assert (plan.danger, plan.action) == (row.danger, row.id)
            assert plan.digest == action.plan(SETTINGS, WHO, dict(plan.parameters), snapshot(), NOW + 60).digest
            if row.danger is Danger.DISRUPT:
                assert plan.phrase == plan.target
        else:
            assert is_struck(action) and callable(action.failure)


def test_nothing_is_done_in_a_recording() -> None:
    recording = structs.replace(SETTINGS, world=World.REPLAY)
    for row in ACTIONS:
        if row.danger is not Danger.OBSERVE:
            plan = action_for(row.id).plan(recording, WHO, {}, snapshot(), NOW)
            assert "world" in {check.name for check in plan.blocking if not check.is_overridable}, row.id


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(Rejected, match="there is no action"):
        action_for("kill_switch.explode")


@pytest.mark.parametrize(
    ("before", "after", "offset", "words"),
    [
        ("danger: protect", "danger: nuclear", 0, "danger must be one of"),
        ("key: u", "key: k", 0, "step key b k is taken by runbook.yaml:"),
        ("key: u", "key: uu", 0, "one letter or digit"),
        ("name: kill-switch-release", "name: kill-switch", 0, "name kill-switch is taken by runbook.yaml:"),
        ("action: kill_switch.release", "action: os; rm", 0, "must read like"),
        ("        key: k\n", "", -2, "missing: key"),
        ("summary: New orders", "sumary: New orders", 0, "unknown key 'sumary'"),
        ("title: Broker outage", "title: [a, b]", 0, "here belongs a text"),
        ("sections:", "section:", 0, "unknown key"),
        (
            "name: switch-feed\n",
            "name: switch-feed\n        parameters: {venu: IBKR}\n",
            1,
            "takes no parameter 'venu'",
        ),
        ("name: switch-feed\n", "name: switch-feed\n        parameters: [venue]\n", 1, "here belongs a mapping"),
        ("name: reroute\n", "name: reroute\n        guards: [halted, armed]\n", 1, "a guard must be one of"),
        ("name: reroute\n", "name: Reroute it\n", 0, "a name is made of small letters"),
        ("name: reroute\n", 'name: reroute\n        overrides: "route"\n', 1, "here belongs a list"),
        ("title: Broker outage", 'title: "a\\eb"', 0, "one line of printable text"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, before: str, after: str, offset: int, words: str) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    assert before in text
    line = text[: text.index(before)].count("\n") + 1 + offset
    file = tmp_path / "runbook.yaml"
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert re.match(rf"{re.escape(str(file))}:{line}:\d+: ", str(caught.value)), caught.value
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[", "- a", "just text", "sections: 3", "\x00", "? [a]\n: b", "&a [*a]", "[" * 5000]
)
def test_garbage_is_an_error_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "runbook.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=PLACED):
        load(file)


LINES = RUNBOOK.read_text(encoding="utf-8").splitlines()
PIECES = st.sampled_from(
    ["", "  ", "- ", "key: k", "{", "]", "'", "*a", "<<: 1", "!!binary x", "danger: null", "\t", ": ", "é", "\x07"]
)


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 40), PIECES), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_loads_or_says_where_it_is_wrong(tmp_path: Path, cuts: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for line, column, piece in cuts:
        lines[line] = lines[line][:column] + piece + lines[line][column + len(piece) :]
    file = tmp_path / "runbook.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    try:
        assert all(row.place.startswith(f"{file}:") for row in load(file))
    except ConfigError as error:
        assert re.match(PLACED, str(error)), error


def test_what_suggests_a_step_is_a_rule() -> None:
    known = {rule.name for rule in RULES} | {"backend_silent", "payload_unreadable", WAITING}
    assert {name.partition("/")[0] for row in ACTIONS for name in row.suggests} <= known


def test_a_row_fixes_parameters_and_narrows_what_may_be_overridden() -> None:
    row = replace(
        row_for(ACTIONS, "reroute"), parameters=(("venue", "IBKR"),), overrides=(), guards=("halted", "reason")
    )
    assert with_fixed(row, {"to": "paper"}) == {"venue": "IBKR", "to": "paper"}
    with pytest.raises(Rejected, match="reroute is for venue IBKR"):
        with_fixed(row, {"venue": "ZERODHA"})
    plan = action_for(row.id).plan(SETTINGS, WHO, {"venue": "IBKR"}, snapshot(), NOW)
    plan = replace(plan, checks=(*plan.checks, Check("lame", Verdict.FAIL, "", is_overridable=True)))
    narrowed = as_its_row_says(plan, row, snapshot(), NOW)
    assert narrowed.digest == plan.digest and narrowed.needs_reason and narrowed.step == "reroute"
    assert not any(check.is_overridable for check in narrowed.checks)
    assert "halted" in {check.name for check in narrowed.blocking}


def test_a_step_is_found_by_its_name_before_its_action() -> None:
    twin = replace(row_for(ACTIONS, "reroute"), step="reroute-zerodha", parameters=(("venue", "ZERODHA"),))
    rows = (*ACTIONS, twin)
    assert row_for(rows, "reroute-zerodha") is twin
    assert row_for(rows, "reroute.away").step == "reroute"


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path / "missing.yaml")


def test_the_built_in_runbook_says_the_same_to_either_reader() -> None:
    assert load(RUNBOOK) == ACTIONS
