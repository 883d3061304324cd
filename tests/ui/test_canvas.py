"""What drawing leaves behind, and who is not to be disturbed by looking for it."""

from __future__ import annotations

import gc
import weakref

from rich.segment import Segment

from tests.ui.conftest import cockpit
from widgets.canvas import Row


def test_a_row_that_was_shown_is_gone_without_the_collector() -> None:
    row = Row([Segment("0123456789")], 10)
    gone = weakref.ref(row)
    gc.disable()
    try:
        assert row.divide([10]) == [row]
        assert [strip.text for strip in row.divide([4, 10])] == ["0123", "456789"]
        del row
        assert gone() is None
    finally:
        gc.enable()


async def test_whoever_types_is_known() -> None:
    """Nothing heavy is done while somebody does."""
    async with cockpit() as it:
        it.clock.passed = 100.0
        await it.press("tab")
        assert it.app.desk.typed_at == it.clock.monotonic()
        await it.press("question_mark", after_s=5.0)
        await it.press("down", after_s=5.0)
        assert it.app.desk.typed_at == it.clock.monotonic(), "on a sheet too"
