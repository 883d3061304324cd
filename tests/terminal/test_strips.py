"""A strip that is no longer shown is freed at once, and is cut as the toolkit cuts it."""

from __future__ import annotations

import gc

import pytest
from rich.segment import Segment
from textual.strip import Strip

from cockpit.terminal import strips


@pytest.fixture(autouse=True)
def _uncircled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Strip, "divide", Strip.divide)  # as it was, afterwards
    strips.uncircle()


def test_whole_strips_are_left_to_no_search() -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            strip = Strip([Segment("the same in one piece")])
            assert strip.divide([strip.cell_length]) == [strip]
        del strip
        assert gc.collect() < 100
    finally:
        gc.enable()


def test_cuts_are_as_before() -> None:
    strip = Strip([Segment("abc"), Segment("def")])
    assert ["".join(segment.text for segment in part) for part in strip.divide(iter([2, 6]))] == ["ab", "cdef"]
