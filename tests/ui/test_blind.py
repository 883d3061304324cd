"""When the watching ends, the wall does not stay green."""

from __future__ import annotations

from tests.ui.conftest import cockpit


async def test_wall_says_that_nobody_watches() -> None:
    async with cockpit() as stage:
        assert "stopped watching" not in stage.text()
        stage.clock.passed += 12
        stage.app.tick()
        await stage.sees("the cockpit itself has stopped watching for 12 s")
        top, *below = stage.text().splitlines()
        assert "stopped watching" in top and "OK" not in top
        assert any("stopped watching" in row for row in below)
