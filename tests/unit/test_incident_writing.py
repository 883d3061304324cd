"""When what is typed is due on the disk, and what is shown after it came back."""

from __future__ import annotations

from cockpit.incidents.writing import RETRY_S, SAVE_AFTER_S, Writing
from cockpit.storage.incidents import Saved
from cockpit.storage.merge import has_conflict


def test_it_is_due_soon_after_the_first_letter_and_not_later_for_the_next() -> None:
    writing = Writing("x", "a", "a")
    assert writing.due_in(0.0) is None
    writing.typed("ab", 10.0)
    writing.typed("abc", 10.3)
    assert writing.due_in(10.3) == 10.0 + SAVE_AFTER_S - 10.3
    assert writing.due_in(11.0) == 0.0
    assert writing.send() == ("a", "abc")
    assert writing.due_in(11.0) is None
    assert writing.saved(Saved("abc", False, False)) is None
    assert writing.is_saved


def test_what_is_typed_while_the_disk_is_busy_goes_on_top() -> None:
    writing = Writing("x", "a\nb", "a\nb")
    writing.typed("a\nb\nmine", 0.0)
    writing.send()
    writing.typed("a\nb\nmine\nmore", 0.1)
    assert writing.saved(Saved("theirs\na\nb\nmine", False, True)) == "theirs\na\nb\nmine\nmore"
    assert not writing.is_saved
    assert writing.send() == ("theirs\na\nb\nmine", "theirs\na\nb\nmine\nmore")


def test_a_failure_keeps_everything_and_is_tried_again() -> None:
    writing = Writing("x", "a", "a")
    writing.typed("ab", 0.0)
    writing.send()
    writing.failed("disk full", 5.0)
    assert (writing.error, writing.mine, writing.due_in(5.0)) == ("disk full", "ab", RETRY_S)
    assert writing.due_in(5.0 + RETRY_S) == 0.0


def test_a_change_by_others_beside_mine_comes_in_and_against_mine_is_a_conflict() -> None:
    writing = Writing("x", "a\nb", "a\nb")
    assert writing.came("a\nb\ntheirs") == "a\nb\ntheirs"
    writing.typed("A\nb\ntheirs", 0.0)
    assert has_conflict(writing.came("x\nb\ntheirs") or "")
    assert writing.has_conflict
