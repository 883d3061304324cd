"""When what is typed is due on the disk, and what is shown after it came back."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from cockpit.incidents.log import Loaded
from cockpit.incidents.writing import RETRY_S, SAVE_AFTER_S, Writing
from cockpit.screens.desk import Desk
from cockpit.screens.incident_text import Typing
from cockpit.storage.incident_text import facts
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


class Disk:
    """A log whose answers a test gives when it likes."""

    def __init__(self) -> None:
        self.loads: list[tuple[str, Future[Loaded]]] = []
        self.saves: list[tuple[str, str, str]] = []
        self.answers: list[Future[Saved]] = []

    def load(self, name: str) -> Future[Loaded]:
        self.loads.append((name, Future()))
        return self.loads[-1][1]

    def save(self, name: str, base: str, mine: str) -> Future[Saved]:
        self.saves.append((name, base, mine))
        self.answers.append(Future())
        return self.answers[-1]

    def look(self, *_: object) -> Future[None]:
        return Future()


A, B, C = (f"2026-01-01-000{number}-P1-x" for number in range(3))


class Hand:
    """Somebody who types into one incident after the other."""

    def __init__(self) -> None:
        self.disk, self.at, self.hints = Disk(), 0.0, list[str]()
        clock = SimpleNamespace(monotonic=lambda: self.at, now=lambda: self.at)
        session = SimpleNamespace(incidents=self.disk)
        self.typing = Typing(Desk(clock=clock, session=session), lambda: None, self.hints.append)  # type: ignore[arg-type]

    def comes(self, name: str) -> None:
        future = next(each for asked, each in reversed(self.disk.loads) if asked == name)
        future.set_result(Loaded(facts(name, ""), "one", "one"))

    def types(self, letters: str) -> None:
        for letter in letters:
            self.typing.editor.take(letter, letter, 10)

    def waits(self) -> None:
        for _ in range(2):
            self.at += 1
            self.typing.poll()


@pytest.mark.parametrize("how", ["another one", "the end"])
def test_what_is_typed_while_a_save_is_under_way_outlives_the_text(how: str) -> None:
    hand = Hand()
    hand.typing.open(A)
    hand.comes(A)
    hand.types("x")
    hand.waits()
    hand.types("yz")
    if how == "the end":
        hand.typing.let_go()
    else:
        hand.typing.open(B)
    assert hand.disk.saves == [(A, "one", "xone"), (A, "xone", "xyzone")]


def test_nothing_is_decided_about_the_one_before_while_another_is_being_read() -> None:
    hand = Hand()
    for name in (A, B):
        hand.typing.open(name)
        if name == A:
            hand.comes(A)
    assert hand.typing.incident is None
    hand.typing.open(C)
    hand.comes(B)
    assert hand.typing.incident is None
    hand.comes(C)
    assert hand.typing.incident is not None and hand.typing.incident.id == C


def test_one_that_cannot_be_read_keeps_no_other_from_being_shown() -> None:
    hand = Hand()
    hand.typing.open(A)
    hand.comes(A)
    hand.typing.open(B)
    hand.disk.loads[-1][1].set_exception(OSError("unreadable"))
    assert hand.hints == ["unreadable"]
    hand.typing.open(A)
    hand.comes(A)
    assert hand.typing.incident is not None and hand.typing.is_loaded
    assert hand.typing.state == ("saved", "ok")
