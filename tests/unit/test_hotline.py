"""The warm line outlives a mistake of ours, and says that there was one."""

from __future__ import annotations

import threading
from unittest.mock import AsyncMock

import pytest

from cockpit.config import RedisPart
from cockpit.jobs import hotline as hotline_module
from cockpit.jobs.hotline import Hotline


def test_a_beat_that_fails_ends_neither_the_warmth_nor_the_paying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotline_module, "WARM_S", 0.0)
    writer, failed, well = AsyncMock(), threading.Event(), threading.Event()
    monkeypatch.setattr(hotline_module, "RedisWriter", lambda _: writer)
    said: list[str] = []

    async def beat() -> None:
        said.append(line.error)
        if len(said) == 1:
            raise RuntimeError("dictionary changed size")
        (failed if len(said) == 2 else well).set()

    may_begin = threading.Event()
    run = Hotline._run

    def begin(self: Hotline) -> None:
        may_begin.wait(10)
        run(self)

    monkeypatch.setattr(Hotline, "_run", begin)
    line = Hotline(RedisPart(), beat)
    may_begin.set()
    assert failed.wait(10) and well.wait(10)
    line.close(5.0)
    assert said[:3] == ["", "RuntimeError: dictionary changed size", ""]
    assert writer.keepalive.await_count >= 3
