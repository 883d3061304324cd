"""The platform's own programs as steps: run as the runbook writes them, their output kept, their effect proven."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from msgspec import structs

from cockpit.errors import Rejected
from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.workers.instruments import BY_SYMBOL
from cockpit.storage.output import last_output
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, opened_with, told

GAP_FILL, SCENARIOS, REPLAY, FLATTEN = "script.gap_fill", "script.scenarios", "script.replay", "script.flatten"
KEY, SNAPSHOT = "policy:kill_switch", "snapshot.take"


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
    slot = wait_until(lambda: settled_slots(desk))[-1]
    kept = {name: text for name, text in desk.redis.hgetall("candles:AAPL").items() if name != slot}
    desk.redis.hdel("candles:AAPL", slot)
    wait_until(lambda: (missing(desk) or 0) >= 1)
    plan = desk.allowed(GAP_FILL)
    assert any("candles each" in line and "AAPL" in line for line in plan.impact), plan.impact
    assert plan.steps[0].by_hand == "python backend/ingestion/candle_aggregator.py --gap-fill"
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    after = desk.redis.hgetall("candles:AAPL")
    assert slot in after and {name: after[name] for name in kept} == kept
    output = last_output(desk.store.folder(job.id)).decode()
    assert "candles of 5 s are missing" in output and re.search(r"[1-9]\d* filled, ", output), output


def test_scenarios_run_at_once_and_their_table_is_kept(desk: StepDesk) -> None:
    wait_until(lambda: desk.snapshot.risk.value and desk.snapshot.risk.value.positions)
    job = desk.ended(desk.take(SCENARIOS))
    assert job.phase is Phase.DONE, told(job)
    assert "published on" in last_output(desk.store.folder(job.id), 1 << 16).decode()
    run = desk.shell("run", "scenarios")
    assert run.returncode == 0 and "SCENARIO" in run.stdout.upper() and "PROVEN" in run.stdout, run.stdout + run.stderr
    shown = desk.shell("jobs", job.id)
    assert shown.returncode == 0 and "published on" in shown.stdout


def test_a_program_that_is_not_there_is_said_before(desk: StepDesk) -> None:
    script = desk.layout.root / "backend/ingestion/candle_aggregator.py"
    away = script.with_suffix(".away")
    script.rename(away)
    try:
        check = next(check for check in desk.plan(GAP_FILL).blocking if check.name == "program")
        assert "candle_aggregator.py is not in" in check.detail
    finally:
        away.rename(script)


@pytest.fixture
def halted(desk: StepDesk) -> Iterator[StepDesk]:
    wait_until(lambda: positions(desk))
    desk.redis.hset(KEY, mapping={"enabled": "true", "reason": "test", "by": "t", "ts": "1"})
    wait_until(lambda: desk.snapshot.kill_switch.value and desk.snapshot.kill_switch.value.is_engaged)
    yield desk
    desk.control.clear()
    desk.redis.delete(KEY)
    wait_until(lambda: not (desk.snapshot.kill_switch.value and desk.snapshot.kill_switch.value.is_engaged))


def positions(desk: StepDesk) -> dict[str, int]:
    found = {name: json.loads(text)["qty"] for name, text in desk.redis.hgetall("positions").items()}
    return {name: qty for name, qty in found.items() if qty}


def test_what_redis_lost_comes_back_from_the_ledger(halted: StepDesk) -> None:
    desk = halted
    wait_until(lambda: desk.snapshot.flow.value and desk.snapshot.flow.value.in_flight == 0)
    held, fills = positions(desk), desk.redis.xlen("orders.fills")
    desk.redis.delete("positions", "orders.fills", "orders.validated")
    assert desk.ended(desk.take(SNAPSHOT)).phase is Phase.DONE
    plan = desk.allowed(REPLAY)
    assert any(line.startswith("Redis holds orders.incoming") for line in plan.impact), plan.impact
    assert plan.steps[0].by_hand == "python backend/ops/replay_with_params.py --source ledger.db"
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert job.recovered_to is not None and abs(job.submitted_at - job.recovered_to) < 60
    assert positions(desk) == held and desk.redis.xlen("orders.fills") >= fills - 50
    again = desk.ended(desk.take(REPLAY))
    assert again.phase is Phase.DONE, told(again)
    assert "restored, " not in last_output(desk.store.folder(again.id)).decode().replace(" 0 restored, ", "")


def test_a_tampered_ledger_is_not_replayed_and_the_row_is_named(halted: StepDesk) -> None:
    desk = halted
    assert desk.ended(desk.take(SNAPSHOT)).phase is Phase.DONE
    file = desk.layout.ledger
    with closing(sqlite3.connect(file)) as ledger:
        ((payload,),) = ledger.execute("SELECT payload FROM events WHERE id = 7").fetchall()
        ledger.execute("UPDATE events SET payload = ? WHERE id = 7", (payload.replace("1", "2", 1),))
        ledger.commit()
    try:
        job = desk.ended(desk.take(REPLAY))
        assert job.phase is Phase.FAILED and "ledger row 7 is broken" in (job.error or ""), told(job)
        # The snapshot after it finds the same, and from then on replaying is not even offered.
        assert desk.ended(desk.take(SNAPSHOT)).phase is Phase.FAILED
        (check,) = desk.plan(REPLAY).blocking
        assert check.name == "hash chain" and "row 7 is broken" in check.detail
    finally:
        with closing(sqlite3.connect(file)) as ledger:
            ledger.execute("UPDATE events SET payload = ? WHERE id = 7", (payload,))
            ledger.commit()


def test_flattening_without_a_halt_is_refused(desk: StepDesk) -> None:
    wait_until(lambda: positions(desk))
    assert "kill switch" in [check.name for check in desk.plan(FLATTEN).blocking]


def test_everything_is_closed_and_nothing_turned_round(halted: StepDesk) -> None:
    desk = halted
    plan = desk.allowed(FLATTEN)
    assert plan.phrase is not None and plan.phrase.startswith("FLATTEN ") and plan.needs_reason
    assert plan.phrase.endswith(f"POSITIONS {desk.settings.site}")
    assert any("orders/s" in line and line.startswith("IBKR: ") for line in plan.impact), plan.impact
    with pytest.raises(Rejected, match="a reason is needed"):
        desk.submit(plan)
    job = desk.ended(desk.take(FLATTEN), 200.0)
    assert job.phase is Phase.DONE, told(job)
    assert positions(desk) == {}


def test_what_a_broker_rejects_stays_open_is_listed_and_not_called_flat(desk: StepDesk) -> None:
    """With a shorter patience: the program's own is nearly three minutes."""
    wait_until(lambda: any(BY_SYMBOL[symbol].venue == "ZERODHA" for symbol in positions(desk)))
    desk.redis.hset(KEY, mapping={"enabled": "true", "reason": "test", "by": "t", "ts": "1"})
    wait_until(lambda: desk.snapshot.kill_switch.value and desk.snapshot.kill_switch.value.is_engaged)
    before = positions(desk)
    desk.control.inject("zerodha-token")
    scripts = structs.replace(desk.settings.scripts, flatten=(*desk.settings.scripts.flatten, "--deadline", "4"))
    settings = structs.replace(desk.settings, scripts=scripts)
    with opened_with(settings, desk) as other:
        job = other.ended(other.take(FLATTEN), 60.0)
    left = positions(desk)
    desk.control.clear()
    desk.redis.delete(KEY)
    assert job.phase is Phase.FAILED, told(job)
    assert "still open: " in (job.error or "") and "TokenException" in (job.error or ""), told(job)
    assert all(qty * before.get(symbol, 0) > 0 for symbol, qty in left.items()), (before, left)
    output = last_output(desk.store.folder(job.id)).decode()
    assert "not flat after" in output and "still open: " in output
