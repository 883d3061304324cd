"""The cockpit over a bad line: 64 kbit/s with 150 ms there and back, and after a minute in which nothing was read."""

from __future__ import annotations

import re
import statistics
import time
from collections import deque
from datetime import UTC, datetime

from benchmarks.arena import BARE, Arena
from benchmarks.ptyprogram import PtyProgram

RATE_BYTES_S = 8000.0
TRIP_S = 0.150
BUFFER_BYTES = 16 * 1024
"""What sshd and the kernel take from the terminal before they make it wait."""
PIECE_BYTES = 256
QUIET_S = 0.1
"""An answer has come when nothing more of it follows for so long."""
KEYS = 40
WATCH_S = 20.0
STALL_S = 60.0
CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d) UTC")


class Line:
    """What the program writes comes late and slowly, and what is typed comes late."""

    def __init__(self, program: PtyProgram) -> None:
        self.program = program
        self.worst_lag_s = 0.0
        self.came_at = 0.0
        self._coming: deque[tuple[float, float, bytes]] = deque()
        self._going: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    def send(self, keys: str) -> None:
        """Type."""
        self._going.append((time.perf_counter() + TRIP_S / 2, keys.encode()))

    def have_terminal_answer(self) -> None:
        """What the program asks is answered from the far end, as every real terminal does; the emulator is mute."""
        self.program.screen.write_process_input = self.send  # type: ignore[method-assign]

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            while self._going and self._going[0][0] <= now:
                self.program.send(self._going.popleft()[1])
            while self._coming and self._coming[0][0] <= now:
                at, read_at, data = self._coming.popleft()
                self.worst_lag_s, self.came_at = max(self.worst_lag_s, at - read_at), at
                self.program.show(data)
            waiting = sum(len(data) for _, _, data in self._coming)
            nexts = [end, now + 0.02, *(queue[0][0] for queue in (self._coming, self._going) if queue)]
            if waiting < BUFFER_BYTES:
                self._take(self.program.take(max(0.0, min(nexts) - now)))
            else:
                time.sleep(max(0.0, min(nexts) - now))

    def _take(self, data: bytes) -> None:
        now = time.perf_counter()
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            self._free_at = max(now, self._free_at) + len(piece) / RATE_BYTES_S
            self._coming.append((self._free_at + TRIP_S / 2, now, piece))

    @property
    def is_empty(self) -> bool:
        """Whether everything has come."""
        return not self._coming

    def answered_ms(self, key: str) -> float:
        """From a key until the last byte of its answer."""
        began = time.perf_counter()
        self.send(key)
        while self.came_at < began + TRIP_S or time.perf_counter() - self.came_at < QUIET_S or not self.is_empty:
            self.run(0.01)
            if time.perf_counter() - began > 10.0:
                break
        return (self.came_at - began) * 1000


def slow_link(arena: Arena, stall_s: float = STALL_S) -> dict[str, float]:
    """Keys beside a bare program's, how old updates are, whether a queue grows, and the minute's stall."""
    bare = PtyProgram(BARE)
    try:
        bare.until(lambda text: "hello, terminal" in text)
        bare_ms = _keys(Line(bare), "x")
    finally:
        bare.close()
    program = arena.cockpit(arena.layout.config)
    try:
        program.drain(3.0)
        line = Line(program)
        key_ms = _keys(line, "\t")
        line.worst_lag_s = 0.0
        line.run(WATCH_S)
        early_s, line.worst_lag_s = line.worst_lag_s, 0.0
        line.run(WATCH_S)
        return {
            "link_bare_key_ms": bare_ms,
            "link_key_ms": key_ms,
            "link_key_ratio": key_ms / bare_ms,
            "link_update_age_ms": max(early_s, line.worst_lag_s) * 1000,
            "link_queue_growth_ms": max(0.0, line.worst_lag_s - early_s) * 1000,
            "link_right_after_stall_s": _right_after(line, stall_s),
            "link_answering_after_stall_s": _answering_after(arena, stall_s),
        }
    finally:
        program.close()


def _answering_after(arena: Arena, stall_s: float) -> float:
    program = arena.cockpit(arena.layout.config)
    try:
        line = Line(program)
        line.have_terminal_answer()
        line.run(WATCH_S)
        return _right_after(line, stall_s)
    finally:
        program.close()


def _keys(line: Line, key: str) -> float:
    times = []
    for number in range(KEYS):
        line.run(0.2 + 0.037 * (number % 7))
        times.append(line.answered_ms(key))
    return statistics.median(times)


def _right_after(line: Line, stall_s: float) -> float:
    """Seconds from when the line works again until the screen shows the present."""
    time.sleep(stall_s)
    began = time.perf_counter()
    while time.perf_counter() - began < 30.0:
        line.run(0.05)
        if _shows_the_present(line.program.text):
            return time.perf_counter() - began
    return float("inf")


def _shows_the_present(text: str) -> bool:
    found = CLOCK.search(text)
    if found is None:
        return False
    hours, minutes, seconds = map(int, found.groups())
    now = datetime.now(UTC)
    behind_s = (now.hour * 3600 + now.minute * 60 + now.second) - (hours * 3600 + minutes * 60 + seconds)
    return 0 <= behind_s % 86400 <= 2
