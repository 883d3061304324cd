"""No line of any side is ever lost, but one that somebody deleted and nobody else touched."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cockpit.storage.merge import CONFLICT, END, MINE, THEIRS, has_conflict, merge

LINES = st.lists(st.sampled_from(["", "a", "b", "c", "d", "- x", "e"]), max_size=12)
EDITS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["insert", "delete", "change"]), st.integers(0, 99)))


def edited(base: list[str], edits: list[tuple[int, str, int]], who: str) -> list[str]:
    lines = list(base)
    for at, what, number in edits:
        at = min(at, len(lines))
        if what == "insert":
            lines.insert(at, f"{who} {number}")
        elif at < len(lines) and what == "delete":
            del lines[at]
        elif at < len(lines):
            lines[at] = f"{who} was {lines[at]} {number}"
    return lines


@given(LINES, EDITS, EDITS)
def test_what_somebody_wrote_is_in_the_result(
    base: list[str], mine: list[tuple[int, str, int]], theirs: list[tuple[int, str, int]]
) -> None:
    ours, others = edited(base, mine, "mine"), edited(base, theirs, "theirs")
    found = Counter(merge("\n".join(base), "\n".join(ours), "\n".join(others)).text.split("\n"))
    for side in (ours, others):
        written = Counter(side) - Counter(base)
        assert all(found[each] >= count for each, count in written.items())


@given(LINES, EDITS)
def test_one_side_alone_is_taken_as_it_is(base: list[str], mine: list[tuple[int, str, int]]) -> None:
    before, after = "\n".join(base), "\n".join(edited(base, mine, "mine"))
    assert merge(before, after, before).text == after
    assert merge(before, before, after).text == after
    assert merge(before, after, after).text == after


@given(LINES, LINES, LINES)
def test_only_markers_are_added(base: list[str], mine: list[str], theirs: list[str]) -> None:
    text = merge("\n".join(base), "\n".join(mine), "\n".join(theirs)).text
    known = {*base, *mine, *theirs, MINE, THEIRS, END, ""}
    assert set(text.split("\n")) <= known


def test_additions_at_the_same_place_are_both_kept_without_a_conflict() -> None:
    merged = merge("# T\n", "# T\n- mine\n", "# T\n- theirs\n")
    assert merged.text == "# T\n- theirs\n- mine\n"
    assert merged.conflicts == 0


def test_a_real_conflict_shows_both_and_is_reported() -> None:
    merged = merge("one\ntwo\nthree", "one\nTWO\nthree", "one\n2\nthree")
    assert merged.conflicts == 1
    assert has_conflict(merged.text)
    assert [each for each in merged.text.split("\n") if each] == ["one", MINE, "TWO", THEIRS, "2", END, "three"]
    assert all(each.startswith(CONFLICT) for each in (MINE, THEIRS, END))


def test_an_addition_beside_a_changed_line_is_no_conflict() -> None:
    assert merge("a\nx\nb", "a\nX\nb", "a\nx\nnew\nb").text == "a\nX\nnew\nb"
    assert merge("a\nx\nb", "a\nnew\nx\nb", "a\nX\nb").text == "a\nnew\nX\nb"


def test_a_deletion_against_a_change_is_a_conflict() -> None:
    merged = merge("a\nx\nb", "a\nb", "a\nX\nb")
    assert merged.conflicts == 1
    assert "X" in merged.text.split("\n")
