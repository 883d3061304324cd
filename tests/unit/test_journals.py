"""A state disk that hangs costs news of jobs, and nothing else: not the watch, not the screen, not a halt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cockpit.clock import SystemClock
from cockpit.config import load
from cockpit.model.job import Job
from cockpit.model.snapshot import Snapshot
from cockpit.observe.journals import Journals
from cockpit.session import Session
from cockpit.storage.jobs import JobStore
from tests.patience import PATIENCE_S


@pytest.fixture
def hung_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Whoever looks at a journal hangs; the event says that somebody does."""
    release, is_hanging = threading.Event(), threading.Event()

    def hang(store: JobStore, *_: object) -> tuple[Job, ...]:
        is_hanging.set()
        release.wait(2 * PATIENCE_S)
        return ()

    monkeypatch.setattr(JobStore, "jobs", hang)
    monkeypatch.setattr(JobStore, "job", hang)
    yield is_hanging
    release.set()


def until(is_true: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    ends_at = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def test_watch_screen_and_dialog_go_on_while_the_disk_hangs(hung_disk: threading.Event, tmp_path: Path) -> None:
    file = tmp_path / "cockpit.yaml"
    file.write_text(
        f"site: hung\nworld: PAPER\nroot: {tmp_path}\nstate: {tmp_path}/state\nredis: {{url: 'redis://127.0.0.1:1'}}\n",
        encoding="utf-8",
    )
    seen: list[Snapshot] = []
    session = Session.open(load(file), SystemClock())
    session.start(seen.append)
    try:
        assert hung_disk.wait(PATIENCE_S)
        before = len(seen)
        until(lambda: len(seen) >= before + 2)
        started = time.monotonic()
        assert session.job("20260401-194412-381-kill_switch.engage-9f3a") is None
        assert time.monotonic() - started < PATIENCE_S
        assert session.prepare("kill_switch.engage", {}).result(PATIENCE_S).usually is None
    finally:
        session.stop(0.5)


def test_last_tuple_stands_while_a_read_hangs_or_fails() -> None:
    hang = threading.Event()
    answers: list[Callable[[], object]] = [tuple, lambda: 1 / 0, lambda: hang.wait(PATIENCE_S)]
    asked: list[int] = []

    def read() -> tuple[Job, ...]:
        asked.append(1)
        answers[min(len(asked), len(answers)) - 1]()
        return ()

    journals = Journals(read)
    journals.start()
    for times in (1, 2, 3):
        until(lambda times=times: len(asked) >= times)  # type: ignore[misc]
        journals.poke()
    assert journals.jobs() == ()
    journals.stop()
    hang.set()
