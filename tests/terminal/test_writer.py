"""The writer on a terminal that is read only when the test does."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from cockpit.terminal.receipts import REQUESTS
from tests.terminal.held_glass import HeldGlass


def without_requests(found: bytes) -> bytes:
    for request in REQUESTS:
        found = found.replace(request, b"")
    return found


def test_what_the_terminal_takes_at_once_waits_for_no_thread(glass: HeldGlass) -> None:
    glass.writer.write("answer")  # nobody runs that could write it later
    assert glass.read(6) == b"answer"
    assert glass.writer.pending == 0


def test_what_it_does_not_take_follows_in_order(glass: HeldGlass) -> None:
    sent = [f"{number:06}" * 100 for number in range(40)]
    for each in sent:
        glass.writer.write(each)
    assert glass.writer.pending > 0, "the terminal is full"
    glass.writer.start()
    expected = "".join(sent).encode()
    found = b""
    while len(found) < len(expected):
        found = without_requests(found + glass.read(1))
    assert found == expected


def test_of_what_is_abandoned_nothing_stays_half_written(glass: HeldGlass) -> None:
    while not glass.writer.pending:
        glass.writer.write("0123456789" * 7)
    taken = os.read(glass.master, 65536)
    glass.writer.write("dropped")
    glass.writer.abandon(0.0)
    glass.writer.write("end")
    glass.writer.start()
    rest = b""
    while not rest.endswith(b"end"):
        rest += glass.read(1)
    whole = without_requests(taken + rest)
    assert whole == b"0123456789" * 7 * (len(whole) // 70) + b"end"


def test_the_terminal_that_is_shared_with_the_shell_stays_as_it_was(glass: HeldGlass) -> None:
    glass.writer.write("answer")
    assert os.get_blocking(glass.file.fileno())


def test_a_terminal_that_cannot_be_opened_again_is_written_by_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(descriptor: int) -> str:
        raise OSError("not yours")

    monkeypatch.setattr(os, "ttyname", denied)
    glass = HeldGlass()
    try:
        glass.writer.write("answer")
        assert glass.writer.pending == 6
        glass.writer.start()
        assert glass.read(6) == b"answer"
    finally:
        glass.close()


def test_whoever_stops_leaves_no_descriptor(glass: HeldGlass) -> None:
    threads, before = threading.active_count(), set(Path("/proc/self/fd").iterdir())
    other = HeldGlass()
    other.writer.start()
    other.close()
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert threading.active_count() == threads
