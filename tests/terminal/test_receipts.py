"""How much lies unread is known by what the terminal answers, wherever it lies, and no answer is left for the shell."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass

import pytest

from cockpit.terminal.receipts import (
    ANEW_S,
    ANSWER,
    ASK_BYTES,
    GLIMPSE_BYTES,
    GLIMPSE_S,
    HOPED_S,
    REQUEST,
    REQUESTS,
    SILENT_S,
    UNANSWERED_BYTES,
    Receipts,
)
from tests.terminal.conftest import READY, RUNBOOK, Start, open_help
from tests.terminal.held_glass import WAIT_S, HeldGlass

FRAME = "x" * 500
HOUR_S = 3600.0
KERNEL_BYTES = 10_000
"""A terminal's buffer takes more than this."""


@dataclass
class Clock:
    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receipts(clock: Clock) -> Receipts:
    """Of a terminal that has answered before, and now has much to show."""
    found = Receipts(clock)
    found.ask()
    found.answered()
    assert found.sent(ASK_BYTES)
    found.ask()
    found.sent(UNANSWERED_BYTES)
    return found


def test_an_answer_makes_room(receipts: Receipts) -> None:
    assert receipts.is_behind
    receipts.answered()
    assert not receipts.is_behind


def test_what_has_never_answered_is_never_waited_for(clock: Clock) -> None:
    mute = Receipts(clock)
    assert mute.sent(ASK_BYTES)
    mute.ask()
    assert not mute.sent(100 * UNANSWERED_BYTES)
    assert not mute.is_behind
    clock.at += ANEW_S
    assert mute.sent(1), "it may have been replaced by one that answers"


def test_what_never_answers_is_asked_otherwise_and_once_it_answers_so_for_ever(clock: Clock) -> None:
    other = Receipts(clock)
    asked = []
    for _ in range(3):
        assert other.sent(ASK_BYTES)
        asked.append(other.ask())
        clock.at += ANEW_S
    assert asked == [REQUESTS[0], REQUESTS[1], REQUESTS[0]]
    assert other.sent(1)
    assert other.ask() == REQUESTS[1]
    other.answered()
    for _ in range(2):
        other.sent(ASK_BYTES)
        assert other.ask() == REQUESTS[1]
    other.sent(UNANSWERED_BYTES)
    assert other.is_behind


def test_an_answer_that_is_lost_is_asked_for_again(receipts: Receipts, clock: Clock) -> None:
    assert not receipts.is_due()
    clock.at += 2.0
    assert receipts.is_due()
    receipts.ask()
    assert not receipts.is_due()
    assert receipts.is_behind


def test_a_terminal_that_types_and_answers_no_more_is_not_waited_for(receipts: Receipts, clock: Clock) -> None:
    clock.at += SILENT_S - 0.1
    receipts.typed()
    assert receipts.is_behind
    clock.at += 0.1
    receipts.typed()
    assert not receipts.is_due()
    assert not receipts.is_behind
    receipts.answered()
    receipts.sent(ASK_BYTES)
    receipts.ask()
    receipts.sent(UNANSWERED_BYTES)
    assert receipts.is_behind, "it is back"


def test_who_waits_for_an_answer_is_told_before_long(receipts: Receipts, clock: Clock) -> None:
    assert not receipts.is_silent
    clock.at += SILENT_S
    assert receipts.is_silent
    receipts.answered()
    assert not receipts.is_silent


def test_a_picture_comes_now_and_then_though_nothing_answers(receipts: Receipts, clock: Clock) -> None:
    seen_at = []
    began = clock.at
    while clock.at < began + HOUR_S:
        clock.at += 1.0
        receipts.allow_glimpse()
        if not receipts.is_behind:
            seen_at.append(clock.at - began)
            receipts.sent(GLIMPSE_BYTES + 1)
            assert receipts.is_behind, "one frame, and no more"
    assert seen_at == [GLIMPSE_S * 2**turn for turn in range(8)], "an hour of a closed lid is 8 frames"


def test_a_first_answer_is_hoped_for_a_while(clock: Clock) -> None:
    fresh = Receipts(clock)
    assert not fresh.is_hoped_for
    fresh.ask()
    assert fresh.is_hoped_for
    clock.at += HOPED_S
    assert not fresh.is_hoped_for


@pytest.fixture
def glass(glass: HeldGlass) -> HeldGlass:
    """With its thread."""
    glass.writer.start()
    return glass


def fill(glass: HeldGlass) -> int:
    """Draw while there is room, or might be in a moment; the bytes of it."""
    count = 0
    while count < KERNEL_BYTES:
        is_taken = not glass.writer.pending
        if glass.writer.has_room():
            glass.writer.write(FRAME)
            count += len(FRAME)
        elif is_taken:
            break
    return count


def test_little_is_queued_for_a_terminal_that_answers(glass: HeldGlass) -> None:
    glass.writer.write("x" * ASK_BYTES)
    glass.read_to(REQUEST)
    glass.writer.answered()
    assert fill(glass) <= UNANSWERED_BYTES + len(FRAME)
    glass.read_to(REQUEST)
    assert not glass.writer.has_room(), "read by somebody, but not known to be shown"
    glass.drained.clear()
    glass.writer.answered()
    assert glass.drained.wait(WAIT_S)
    assert glass.writer.has_room()


def test_the_kernel_takes_what_one_that_does_not_answer_is_sent(glass: HeldGlass) -> None:
    assert fill(glass) == KERNEL_BYTES


@pytest.mark.parametrize("is_first", [True, False])
def test_an_answer_on_its_way_is_waited_for(glass: HeldGlass, monkeypatch: pytest.MonkeyPatch, is_first: bool) -> None:
    monkeypatch.setattr("cockpit.terminal.receipts.HOPED_S", WAIT_S)
    glass.writer.write("x" * ASK_BYTES)
    glass.read_to(REQUEST)
    if not is_first:
        glass.writer.answered()
        glass.writer.write("x" * ASK_BYTES)
        glass.read_to(REQUEST)
    order: list[str] = []

    def leave() -> None:
        glass.writer.abandon(WAIT_S)
        order.append("left")

    leaving = threading.Thread(target=leave)
    leaving.start()
    leaving.join(0.1)
    order.append("answered")
    glass.writer.answered()
    leaving.join(WAIT_S)
    assert order == ["answered", "left"]


def test_who_may_be_looking_is_told_and_shown_a_picture_now_and_then(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.terminal.writer.Receipts", lambda: Receipts(clock))
    monkeypatch.setattr("cockpit.terminal.writer.AGAIN_S", 0.01)
    glass = HeldGlass()
    glass.writer.start()
    try:
        glass.writer.write("x" * ASK_BYTES)
        glass.read_to(REQUEST)
        glass.writer.answered()
        glass.writer.write("x" * (UNANSWERED_BYTES + 1))
        glass.read_to(REQUEST)
        assert not glass.writer.has_room()
        assert not glass.writer.is_silent
        clock.at += SILENT_S
        assert glass.writer.is_silent
        assert not glass.drained.is_set()
        clock.at += GLIMPSE_S
        assert glass.drained.wait(WAIT_S)
        assert glass.writer.has_room()
    finally:
        glass.close()


def test_whoever_leaves_asks_no_more(glass: HeldGlass) -> None:
    """The answer would come when the shell reads: it takes the end of it for a key."""
    glass.writer.write("x" * ASK_BYTES)
    glass.read_to(REQUEST)
    glass.writer.answered()
    glass.writer.write("x" * (ASK_BYTES - 1))
    glass.writer.abandon(0.0)
    glass.writer.write("the screen is given back")
    glass.writer.write("END")
    assert REQUEST not in glass.read_to(b"END")


def test_answers_are_no_keys(start: Start) -> None:
    program = start()
    program.screen.write_process_input = program.send  # type: ignore[method-assign]
    program.send(ANSWER)  # to what it was asked before
    for _ in range(3):
        seen = program.output.count(REQUEST)
        os.kill(program.pid, signal.SIGWINCH)  # a whole picture
        while program.output.count(REQUEST) == seen:
            program.read(0.1)
        program.until(lambda text: READY in text)
    open_help(program)
    program.send(f"{ANSWER}\x1b[Bq")  # any key but those that scroll closes the help; a second q would end it all
    program.until(lambda text: READY in text)
    program.send("2")
    program.until(lambda text: RUNBOOK in text)
    program.send("q")
    assert program.wait() == 0
    assert b"[0n" not in program.output, "echoed after the end"
