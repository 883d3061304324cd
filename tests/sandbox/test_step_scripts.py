"""The platform's own programs as steps: run as the runbook writes them, their output kept, their effect proven."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from cockpit.storage.output import last_output
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, told

GAP_FILL, SCENARIOS = "script.gap_fill", "script.scenarios"


@pytest.fixture(scope="module")
def desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    with opened(*sandbox) as found:
        yield found


def missing(desk: StepDesk) -> int | None:
    return desk.snapshot.feeds.value.candles_missing if desk.snapshot.feeds.value else None


def settled_slots(desk: StepDesk) -> list[str]:
    """Slots whose ticks are still there, the oldest and the newest left out."""
    slots = sorted(desk.redis.hkeys("candles:AAPL"), key=int)
    oldest = int(desk.redis.xrange("ticks.yahoo", count=1)[0][0].partition("-")[0])
    return [slot for slot in slots[1:-1] if int(slot) > oldest and int(slot) < time.time() * 1000 - 12_000]


def test_a_gap_is_filled_and_no_candle_is_made_twice(desk: StepDesk) -> None:
    slot = wait_until(lambda: settled_slots(desk), 40.0)[0]
    kept = {name: text for name, text in desk.redis.hgetall("candles:AAPL").items() if name != slot}
    desk.redis.hdel("candles:AAPL", slot)
    wait_until(lambda: (missing(desk) or 0) >= 1, 20.0)
    plan = desk.allowed(GAP_FILL)
    assert plan.steps[0].by_hand == "python backend/ingestion/candle_aggregator.py --gap-fill"
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    after = desk.redis.hgetall("candles:AAPL")
    assert slot in after and {name: after[name] for name in kept} == kept
    output = last_output(desk.store.folder(job.id)).decode()
    assert "candles of 5 s are missing" in output and "filled, 0 left" in output


def test_scenarios_run_at_once_and_their_table_is_kept(desk: StepDesk) -> None:
    wait_until(lambda: desk.snapshot.risk.value and desk.snapshot.risk.value.positions, 30.0)
    job = desk.ended(desk.take(SCENARIOS))
    assert job.phase is Phase.DONE, told(job)
    assert "published on" in last_output(desk.store.folder(job.id), 1 << 16).decode()
    shown = desk.shell("jobs", job.id)
    assert shown.returncode == 0 and "published on" in shown.stdout


def test_a_program_that_is_not_there_is_said_before(desk: StepDesk) -> None:
    script = desk.layout.root / "backend/ingestion/candle_aggregator.py"
    away = script.with_suffix(".away")
    script.rename(away)
    try:
        (check,) = desk.plan(GAP_FILL).blocking
        assert "candle_aggregator.py is not in" in check.detail
    finally:
        away.rename(script)
