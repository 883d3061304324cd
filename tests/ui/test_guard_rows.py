"""What is typed into a dialog is to be seen whole, however long the phrase."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.plan import Verdict
from tests.ui.fake_session import NOW, release_plan
from widgets.guard_rows import Answer, guard_rows
from widgets.line import plain, width_of
from widgets.printable import safe


@pytest.mark.parametrize("width", [76, 84, 120])
@pytest.mark.parametrize(
    "phrase", ["IBKR", "RESTORE hedgefund ON sandbox", "FLATTEN 12,345 POSITIONS ON production-mumbai-1"]
)
def test_phrase_what_is_typed_and_cancel_are_all_there(width: int, phrase: str) -> None:
    plan = replace(release_plan(), phrase=phrase)
    for typed in (phrase[:-1], phrase):
        rows = [plain(row) for row in guard_rows(plan, Answer("phrase", typed), NOW, (width, 40))]
        told = "\n".join(rows)
        assert "[ Cancel ]" in told and ("to go on:" in told or "matches" in told)
        asked = next(index for index, row in enumerate(rows) if "Type " in row)
        after = " ".join(row.strip("│ ") for row in rows[asked:])
        assert after.count(phrase[:-1]) >= 2, "once to read, once as it is typed"
        assert {width_of(row) for row in guard_rows(plan, Answer("phrase", typed), NOW, (width, 40))} == {
            min(84, width)
        }


def test_a_long_title_gives_way_to_the_class_and_the_corner() -> None:
    title = "Switch the feed to moneycontrol in registry.yaml of production-mumbai-1 and of nobody else"
    for width in (76, 84):
        top = plain(guard_rows(replace(release_plan(), title=title), Answer("phrase", ""), NOW, (width, 40))[0])
        assert top.endswith(("… ─ danger ─╮", "…  danger ─╮"))


@pytest.mark.parametrize("text", ["\x1b[31mred\x9b2J\u202e\u4e2d", "\u4e2d" * 60], ids=["controls", "wide"])
def test_whatever_a_plan_says_the_border_is_whole(text: str) -> None:
    by_hand = f"psql 'user={text} dbname=hedgefund host=127.0.0.1 port=5432' -c 'SELECT 1'"
    plan = release_plan()
    plan = replace(plan, title=text, steps=tuple(replace(step, by_hand=by_hand) for step in plan.steps))
    rows = [safe(row) for row in guard_rows(plan, Answer("phrase", ""), NOW, (84, 60))]
    assert {width_of(row) for row in rows} == {84}
    assert all(plain(row).endswith(("╮", "│", "╯")) for row in rows)


def test_what_is_lost_stands_before_a_long_list_of_commands() -> None:
    plan = release_plan()
    commands = tuple(replace(plan.steps[0], command=f"step {at} of many", by_hand=f"by hand {at}") for at in range(12))
    plan = replace(plan, steps=commands, impact=("31 rows that came after the dump are lost",))
    told = "\n".join(plain(row) for row in guard_rows(plan, Answer("phrase", ""), NOW, (84, 20)))
    assert "31 rows" in told and "more lines" in told
    whole = "\n".join(plain(row) for row in guard_rows(plan, Answer("phrase", ""), NOW, (84, 90)))
    assert whole.index("Impact") < whole.index("Checks") < whole.index("Will do") < whole.index("By hand")


def test_what_forbids_it_stands_before_all() -> None:
    plan = release_plan()
    plan = replace(plan, checks=(*plan.checks, replace(plan.checks[0], name="brokers", verdict=Verdict.FAIL)))
    whole = [plain(row) for row in guard_rows(plan, Answer("phrase", ""), NOW, (84, 90))]
    first = next(row for row in whole if "Checks" in row)
    assert "brokers" in first and whole.index(first) < next(at for at, row in enumerate(whole) if "Impact" in row)
