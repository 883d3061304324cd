"""The step chooser is a table: what stands in one column stands in it in every row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.catalogue import ACTIONS
from cockpit.model.finding import Finding
from cockpit.model.severity import Severity
from widgets.chooser_rows import chooser_rows, sections
from widgets.line import plain, width_of

REFUSALS = {ACTIONS[0].step: "Redis takes writes: it refuses them, MISCONF, and goes on to say so at length " * 5}


@pytest.mark.parametrize("refusals", [{}, REFUSALS])
@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_each_column_begins_at_the_same_cell(width: int, refusals: dict[str, str]) -> None:
    _, heads, *rows = [plain(row) for row in chooser_rows(ACTIONS, "b", refusals, width)]
    steps = [step for step in ACTIONS if step.section_key == "b"]
    first = {step.step: next(row for row in rows if row.startswith(f"│  {step.key}  {step.title}")) for step in steps}
    for step in steps:
        said = f"refused: {refusals[step.step][:8]}" if step.step in refusals else step.summary.split()[0]
        assert first[step.step].index(f" {step.danger.value} ") + 1 == heads.index("class")
        assert first[step.step].index(said) == heads.index("what it does")
    for row in rows:
        if row not in first.values() and row.startswith("│"):
            assert not row[1 : heads.index("what it does")].strip(), "what goes on does so in its column"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_it_is_as_wide_as_the_screen_and_not_long(width: int) -> None:
    for section in ("b", "f", "r"):
        rows = chooser_rows(ACTIONS, section, REFUSALS, width)
        assert {width_of(row) for row in rows} == {width}
        assert len(rows) <= 3 + 4 * sum(step.section_key == section for step in ACTIONS)


def test_in_a_slit_the_words_stand_below_in_every_row() -> None:
    rows = [plain(row) for row in chooser_rows(ACTIONS, "b", {}, 56)]
    for step in ACTIONS:
        if step.section_key == "b":
            at = next(n for n, row in enumerate(rows) if row.startswith(f"│  {step.key}  {step.title}"))
            assert rows[at].rstrip(" │").endswith(step.danger.value)
            assert rows[at + 1].startswith("│     " + step.summary.split()[0])


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_that_a_step_does_is_cut_off(width: int) -> None:
    for section in sections(ACTIONS):
        said = " ".join(" ".join(plain(row).strip("│ ").split()) for row in chooser_rows(ACTIONS, section, {}, width))
        assert "…" not in said, said


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_menu_of_a_bad_night_leaves_the_top_lines_and_every_section_to_be_seen(width: int) -> None:
    wrong = Finding("r", "s", Severity.P1, "brokers", "IBKR is down for longer than anybody likes", "", "", 0.0)
    found = sections(ACTIONS)
    menu = chooser_rows(ACTIONS, None, {}, width, {steps[0].section: wrong for steps in found.values()}, 24)
    assert len(menu) <= 22 and {width_of(row) for row in menu} == {width}
    assert [plain(row)[3] for row in menu[1:-1] if plain(row)[3] != " "] == [*found, "d"]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("is_suggested", [True, False])
def test_no_name_of_a_step_is_cut_off_in_the_menu(width: int, is_suggested: bool) -> None:
    wrong = Finding("r", "s", Severity.P1, "brokers", "IBKR is down for longer than anybody likes", "", "", 0.0)
    suggested = {f"3.{number}": wrong for number in range(1, 6)} if is_suggested else {}
    menu = chooser_rows(ACTIONS, None, {}, width, suggested)
    assert {width_of(row) for row in menu} == {width}
    text = "\n".join(plain(row) for row in menu)
    assert not [step.step for step in ACTIONS if f"{step.key} {step.step}" not in text], text
    assert len(menu) <= 24 or width < 80, "a small terminal shows all of it"
    assert text.count("P1") == (5 if is_suggested else 0)


def test_the_drills_are_in_the_menu_unless_a_section_has_their_key() -> None:
    menu = [plain(row) for row in chooser_rows(ACTIONS, None, {}, 80)]
    assert any(row.startswith("│  d  Drills ") and "screen 4" in row and "…" not in row for row in menu)
    own = (*ACTIONS, replace(ACTIONS[0], section_key="d", section_title="Desk"))
    assert not any("Drills" in plain(row) for row in chooser_rows(own, None, {}, 80))
