"""A terminal that stops reading is sent little more, whether it answers or not; once it reads again, it is told."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from collections.abc import Iterator

import pytest

from cockpit.terminal.unread import PROBE, SURE_READS, UNREAD_BYTES, Unread
from cockpit.terminal.writer import PatientWriter

FRAME = "x" * 500
WAIT_S = 20.0
KERNEL_BYTES = 10_000
"""A terminal's buffer takes more than this."""


class Glass:
    """A writer on a terminal that never answers and is read only when the test does."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.file = os.fdopen(slave, "w")
        self.drained = threading.Event()
        self.writer = PatientWriter(self.file, lambda is_lost: self.drained.set())
        self.writer.start()

    def read(self) -> bytes:
        assert select.select([self.master], [], [], WAIT_S)[0], "nothing to read"
        return os.read(self.master, 65536)

    def have_read(self, times: int) -> None:
        for _ in range(times):
            self.writer.write(FRAME)
            while self.read().strip(PROBE) == b"":
                pass

    def fill(self) -> int:
        """Draw for as long as there is room; the bytes of it."""
        count = 0
        while count < KERNEL_BYTES and self.writer.has_room():
            self.writer.write(FRAME)
            count += len(FRAME)
        return count

    def close(self) -> None:
        self.writer.abandon(0.0)
        os.close(self.master)
        self.writer.stop()
        self.file.close()


@pytest.fixture
def glass() -> Iterator[Glass]:
    found = Glass()
    yield found
    found.close()


def test_little_lies_unread_before_a_terminal_that_stops_reading(glass: Glass) -> None:
    glass.have_read(2 * SURE_READS)
    assert glass.fill() <= UNREAD_BYTES + 2 * len(FRAME)
    assert not glass.writer.has_room()
    assert not glass.drained.is_set()
    glass.read()
    assert glass.drained.wait(WAIT_S), "it reads again, and nobody was told"
    assert glass.writer.has_room()


def test_where_no_read_was_ever_told_none_is_waited_for(glass: Glass) -> None:
    assert glass.fill() == KERNEL_BYTES


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(slave, False)
    yield master, slave
    os.close(master)
    os.close(slave)


def read(master: int, count: int) -> None:
    while count > 0:
        count -= len(os.read(master, 65536))


def test_a_read_that_was_missed_is_found_by_a_probe(ends: tuple[int, int]) -> None:
    master, slave = ends
    unread = Unread(slave)
    for count in (*[1] * SURE_READS, UNREAD_BYTES):
        unread.look()
        os.write(slave, b"x" * count)
        unread.written(count)
        read(master, count)
    os.write(slave, b"x" * (UNREAD_BYTES + 1))
    read(master, UNREAD_BYTES + 1)
    unread.written(UNREAD_BYTES + 1)  # told only now: the read's wake has passed for the write's
    assert unread.is_behind
    assert not unread.wait()
    unread.probe()
    assert os.read(master, 65536) == PROBE
    assert unread.wait()
    assert not unread.is_behind
    unread.close()


def test_only_a_pseudo_terminal_tells(monkeypatch: pytest.MonkeyPatch, ends: tuple[int, int]) -> None:
    monkeypatch.setattr("cockpit.terminal.unread.PSEUDO", "/dev/tty")
    unread = Unread(ends[1])
    for _ in range(2 * SURE_READS):
        os.write(ends[1], b"x")
        unread.written(1)
        os.read(ends[0], 1)
        unread.look()
    unread.written(UNREAD_BYTES + 1)
    assert not unread.is_behind
    unread.close()
