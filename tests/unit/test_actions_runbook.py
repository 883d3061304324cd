"""The runbook's file: what it must hold, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.catalogue import ACTIONS, RUNBOOK, load
from cockpit.errors import ConfigError, Rejected
from cockpit.jobs.action import action_for, is_struck, is_worked
from cockpit.model.plan import Danger
from cockpit.model.snapshot import PROBES
from cockpit.model.world import World
from tests.unit.healthy import NOW, SETTINGS, snapshot
from tests.unit.test_journal import WHO


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


NOT_YET = (
    "script.gap_fill",
    "script.replay",
    "script.flatten",
)


@pytest.mark.parametrize("action_id", NOT_YET)
def test_a_step_that_is_not_ready_for_it_acts_on_no_live_platform(action_id: str) -> None:
    live = SETTINGS.model_copy(update={"world": World.LIVE})
    plan = action_for(action_id).plan(live, WHO, {}, snapshot(), NOW)
    assert "world" in {check.name for check in plan.blocking if not check.is_overridable}


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(Rejected, match="there is no action"):
        action_for("kill_switch.explode")


@pytest.mark.parametrize(
    ("before", "after", "offset", "words"),
    [
        ("danger: protect", "danger: nuclear", 0, "danger must be one of"),
        ("key: u", "key: k", 0, "step key b k is taken by line"),
        ("key: u", "key: uu", 0, "one letter or digit"),
        ("name: kill-switch-release", "name: kill-switch", 0, "name kill-switch is taken by line"),
        ("action: kill_switch.release", "action: os; rm", 0, "must read like"),
        ("        key: k\n", "", -2, "missing: key"),
        ("summary: New orders", "sumary: New orders", 0, "unknown key 'sumary'"),
        ("title: Broker outage", "title: [a, b]", 0, "here belongs a text"),
        ("sections:", "section:", 0, "unknown key"),
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
    assert str(caught.value).startswith(f"{file}:{line}: "), caught.value
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "[", "- a", "just text", "sections: 3", "\x00"])
def test_garbage_is_an_error_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "runbook.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load(file)


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path / "missing.yaml")
