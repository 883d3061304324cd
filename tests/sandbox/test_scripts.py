"""The four scripts, run as the runbook writes them, on a trading platform."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_platform import SmallPlatform, small_platform, until

from cockpit.sandbox.knobs import FeedKnobs, Knobs
from cockpit.sandbox.platform_files import write_platform_files
from tests.patience import PATIENCE_S

REPLAY = ("backend/ops/replay_with_params.py", "--source", "ledger.db")
FLATTEN = ("backend/ops/hedger.py", "--flatten-all")
SCENARIOS = ("backend/ops/scenario_generator.py", "--all")
GAP_FILL = ("backend/ingestion/candle_aggregator.py", "--gap-fill")
WORKERS = ("market", "gateway:0", "strategies", "risk", "router", "ledger", "candles")
STREAMS = ("orders.validated", "orders.rejected", "orders.fills")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallPlatform]:
    with small_platform(tmp_path_factory.mktemp("p"), *WORKERS) as running:
        write_platform_files(running.layout)
        until(lambda: len(running.redis_positions()) == 12, what="twelve positions")
        yield running


def run(platform: SmallPlatform, *words: str, root: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{platform.layout.ports.redis}/0"}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=root or platform.layout.root, env=environment, capture_output=True, text=True)


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def ids(platform: SmallPlatform, stream: str) -> list[str]:
    return [entry_id for entry_id, _ in platform.line.ask(("XRANGE", stream, "-", "+"))[0]]


def ledger_ids(platform: SmallPlatform, stream: str) -> set[str]:
    with closing(sqlite3.connect(platform.layout.ledger)) as ledger:
        payloads = [json.loads(row[0]) for row in ledger.execute("SELECT payload FROM events")]
    return {payload["entry"] for payload in payloads if payload["stream"] == stream}


def kill_switch(platform: SmallPlatform, is_on: bool) -> None:
    platform.line.ask(("HSET", "policy:kill_switch", "enabled", "true" if is_on else "false"))


def candles(platform: SmallPlatform, symbol: str) -> dict[int, dict[str, Any]]:
    fields = platform.line.ask(("HGETALL", f"candles:{symbol}"))[0]
    return {int(slot): json.loads(text) for slot, text in zip(fields[::2], fields[1::2], strict=True)}


def test_scenarios_print_worst_first_and_are_published(platform: SmallPlatform) -> None:
    done = run(platform, *SCENARIOS)
    assert done.returncode == 0, done.stderr
    assert "Black Monday 1987" in done.stdout
    published = result(run(platform, *SCENARIOS, "--json"))
    pnl = [each["pnl_usd"] for each in published["results"]]
    assert pnl == sorted(pnl)
    assert len(pnl) >= 25
    entries = [json.loads(fields[1]) for _, fields in platform.line.ask(("XRANGE", "risk.scenarios", "-", "+"))[0]]
    newest = [each for each in entries if each["run"] == published["run"]]
    assert [each["scenario"] for each in newest] == [each["scenario"] for each in published["results"]]
    for each in newest:
        assert sum(each["by_symbol"].values()) == pytest.approx(each["pnl_usd"], abs=0.1)
    against = next(each for each in newest if each["scenario"] == "Every price 10 % against us")
    assert against["pnl_usd"] == pytest.approx(-0.1 * published["gross_usd"], rel=1e-3)


def test_flattening_asks_for_the_kill_switch_first(platform: SmallPlatform) -> None:
    done = run(platform, *FLATTEN)
    assert done.returncode == 2
    assert "kill switch" in done.stderr
    assert "Traceback" not in done.stderr


def test_flattening_brings_every_position_to_zero_under_the_kill_switch(platform: SmallPlatform) -> None:
    kill_switch(platform, True)
    until(platform.is_quiet_but_for_rejections, what="what was in flight has filled")
    before = platform.redis_positions()
    done = result(run(platform, *FLATTEN, "--json"))
    assert done["positions_before"] == before
    assert done["open"] == {}
    assert platform.redis_positions() == platform.ledger_positions() == platform.venue_positions() == {}
    with closing(sqlite3.connect(platform.layout.ledger)) as ledger:
        rows = ledger.execute("SELECT payload FROM events WHERE kind = 'order.validated'").fetchall()
    orders = [json.loads(row[0])["event"] for row in rows]
    mine = [order for order in orders if order["strategy"] == "hedger"]
    assert all(order["reduce_only"] and (order["side"] == "sell") == (before[order["symbol"]] > 0) for order in mine)
    sold: Counter[str] = Counter()
    for order in mine:
        sold[order["symbol"]] += order["qty"]
    assert all(sold[symbol] >= abs(qty) for symbol, qty in before.items())
    for name in ("IBKR", "ZERODHA"):
        stamps = sorted(order["ts_ms"] for order in mine if order["venue"] == name)
        assert all(later - first > 900 for first, later in zip(stamps, stamps[10:], strict=False))
    again = run(platform, *FLATTEN)
    assert (again.returncode, "already flat" in again.stdout) == (0, True)
    kill_switch(platform, False)
    until(lambda: len(platform.redis_positions()) == 12, what="trading again")


def test_two_venues_whose_orders_go_to_one_adapter_share_its_rate(platform: SmallPlatform) -> None:
    kill_switch(platform, True)
    platform.line.ask(("HSET", "policy:route_override", "IBKR", "zerodha"))
    until(platform.is_quiet_but_for_rejections, what="what was in flight has filled")
    done = result(run(platform, *FLATTEN, "--json"))
    assert done["open"] == {} and done["orders"] > 10
    with closing(sqlite3.connect(platform.layout.ledger)) as ledger:
        rows = ledger.execute("SELECT payload FROM events WHERE kind = 'order.validated'").fetchall()
    orders = [json.loads(row[0])["event"] for row in rows]
    stamps = sorted(order["ts_ms"] for order in orders if order.get("strategy") == "hedger")[-done["orders"] :]
    assert all(later - first > 900 for first, later in zip(stamps, stamps[10:], strict=False))
    platform.line.ask(("DEL", "policy:route_override"))
    kill_switch(platform, False)
    until(lambda: len(platform.redis_positions()) == 12, what="trading again")


def test_what_is_ended_half_way_says_what_is_open(platform: SmallPlatform) -> None:
    kill_switch(platform, True)
    platform.turn(platform.knobs.with_venue("ZERODHA", "token_dead"))
    environment = {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{platform.layout.ports.redis}/0"}
    command = [sys.executable, *FLATTEN]
    running = subprocess.Popen(
        command, cwd=platform.layout.root, env=environment, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert running.stdout is not None and "open positions" in running.stdout.readline()
    assert "open, " in running.stdout.readline()
    running.terminate()
    said = running.communicate(timeout=PATIENCE_S)[0]
    assert running.returncode == 1 and "not flat after" in said and "still open: RELIANCE" in said
    platform.turn(Knobs())
    kill_switch(platform, False)
    until(lambda: len(platform.redis_positions()) == 12, what="trading again")


def test_what_cannot_be_closed_is_listed(platform: SmallPlatform) -> None:
    kill_switch(platform, True)
    platform.turn(platform.knobs.with_venue("ZERODHA", "token_dead"))
    deadline = time.monotonic() + PATIENCE_S
    while "AAPL" in (done := run(platform, *FLATTEN, "--deadline", "5")).stdout.partition("not flat after")[2]:
        assert time.monotonic() < deadline, "what can be closed is closed, however slowly"
    assert done.returncode == 1
    assert "still open: RELIANCE" in done.stdout
    assert "TokenException" in done.stdout
    platform.turn(Knobs())
    kill_switch(platform, False)
    until(lambda: len(platform.redis_positions()) == 12, what="trading again")


def test_replay_after_a_loss_restores_everything_once(platform: SmallPlatform) -> None:
    platform.kill_redis(is_data_lost=True)
    platform.start_redis()
    until(lambda: len(ids(platform, "orders.fills")) > 20, what="live fills after the loss")
    dry = result(run(platform, *REPLAY, "--dry-run", "--json"))
    assert dry["restored"] == 0
    assert dry["streams"]["orders.fills"]["missing"] > 30
    first = result(run(platform, *REPLAY, "--json"))
    assert first["restored"] > 100
    platform.stop("strategies")
    until(platform.is_quiet, what="quiet")
    for stream in STREAMS:
        there = ids(platform, stream)
        assert len(there) == len(set(there))
        assert ledger_ids(platform, stream) <= set(there)
    assert platform.redis_positions() == platform.ledger_positions() == platform.venue_positions()
    before = {stream: platform.line.ask(("XRANGE", stream, "-", "+"))[0] for stream in STREAMS}
    second = result(run(platform, *REPLAY, "--json"))
    assert second["restored"] == 0
    assert before == {stream: platform.line.ask(("XRANGE", stream, "-", "+"))[0] for stream in STREAMS}
    assert platform.is_quiet()
    platform.start("strategies")


def test_replay_rebuilds_streams_groups_and_positions_without_anybody_helping(platform: SmallPlatform) -> None:
    platform.stop(*WORKERS)
    held = platform.ledger_positions()
    platform.kill_redis(is_data_lost=True)
    platform.start_redis()
    first = result(run(platform, *REPLAY, "--json"))
    assert first["positions"] == {"in_ledger": 12, "written": 12}
    assert platform.redis_positions() == held
    for stream in STREAMS:
        assert set(ids(platform, stream)) == ledger_ids(platform, stream)
    (group,) = platform.line.ask(("XINFO", "GROUPS", "orders.validated"))[0]
    named = dict(zip(group[::2], group[1::2], strict=True))
    assert (named["name"], named["last-delivered-id"]) == ("router", ids(platform, "orders.validated")[-1])
    filled = sum(venue.book.seq for venue in platform.engine.venues.values())
    second = result(run(platform, *REPLAY, "--json"))
    assert (second["restored"], second["positions"]["written"]) == (0, 0)
    platform.start("risk", "router", "ledger")
    until(platform.is_quiet, what="quiet")
    assert sum(venue.book.seq for venue in platform.engine.venues.values()) == filled
    assert platform.redis_positions() == platform.ledger_positions() == platform.venue_positions() == held
    platform.start("market", "gateway:0", "candles", "strategies")


def test_a_broken_ledger_is_not_replayed(platform: SmallPlatform, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(platform.layout.ledger)) as source,
        closing(sqlite3.connect(tmp_path / "l.db")) as copy,
    ):
        source.backup(copy)
        copy.execute("UPDATE events SET ts_ms = ts_ms + 1 WHERE id = 17")
        copy.commit()
    script = str(platform.layout.root / REPLAY[0])
    done = run(platform, script, "--source", str(tmp_path / "l.db"))
    assert done.returncode == 2
    assert "row 17" in done.stderr


def test_replay_keeps_what_is_pending_and_the_newest_entries_only(platform: SmallPlatform) -> None:
    """On streams of our own making: a live stream with a group that has not acknowledged everything."""
    platform.stop("strategies")
    until(platform.is_quiet, what="quiet")
    platform.stop("router")
    order = {"order_id": "late", "ts_ms": 1, "symbol": "AAPL", "side": "buy", "qty": 1, "price": 1.0, "venue": "PAPER"}
    platform.line.ask(("DEL", "orders.validated"))
    platform.line.ask(("XADD", "orders.validated", "*", "json", json.dumps(order)))
    platform.line.ask(("XGROUP", "CREATE", "orders.validated", "router", "0"))
    platform.line.ask(("XREADGROUP", "GROUP", "router", "router-1", "STREAMS", "orders.validated", ">"))
    (live,) = ids(platform, "orders.validated")
    done = result(run(platform, *REPLAY, "--json", "--max-entries", "50"))
    assert done["streams"]["orders.validated"]["entries"] in (50, 51)
    assert ids(platform, "orders.validated")[-1] == live
    pending = platform.line.ask(("XPENDING", "orders.validated", "router", "-", "+", 10))[0]
    assert [row[0] for row in pending] == [live]
    platform.start("router")
    until(platform.is_quiet, what="the pending order was carried out, and nothing else")
    platform.start("strategies")


def test_gap_fill_leaves_no_gap_and_makes_no_candle_twice(platform: SmallPlatform) -> None:
    until(lambda: len(candles(platform, "AAPL")) >= 2, what="two candles")
    platform.turn(platform.knobs.with_feed("yahoo", FeedKnobs(is_stalled=True)))
    until(lambda: missing(platform) >= 24, what="candles missing")
    platform.turn(Knobs())
    before = {symbol: candles(platform, symbol) for symbol in ("AAPL", "TCS")}
    dry = result(run(platform, *GAP_FILL, "--json", "--dry-run"))
    assert dry["filled"] >= 24
    assert not any(candle.get("filled") for candle in candles(platform, "AAPL").values())
    done = result(run(platform, *GAP_FILL, "--json"))
    assert done["filled"] >= dry["filled"]
    for symbol, earlier in before.items():
        after = candles(platform, symbol)
        assert all(after[slot] == candle for slot, candle in earlier.items())
        assert set(dry["gaps"][symbol]) <= after.keys()
        filled = [after[slot] for slot in dry["gaps"][symbol]]
        assert {candle["source"] for candle in filled} == {"moneycontrol"}
        assert all(candle["l"] <= min(candle["o"], candle["c"]) <= candle["h"] for candle in filled)
        assert all(candle["n"] >= 3 for candle in filled)
    again = result(run(platform, *GAP_FILL, "--json"))
    assert not any(set(dry["gaps"][symbol]) & set(again["gaps"].get(symbol, ())) for symbol in before)
    until(lambda: missing(platform) < 12, what="the aggregator sees no gap")


def missing(platform: SmallPlatform) -> int:
    return int(platform.line.ask(("HGET", "candles:status", "missing"))[0] or 0)


def test_gaps_that_no_feed_can_fill_are_named(platform: SmallPlatform) -> None:
    until(lambda: candles(platform, "AAPL"), what="a candle")
    slots = sorted(candles(platform, "AAPL"))
    platform.line.ask(("HSET", "candles:AAPL", slots[0] - 20_000_000, "{}"))
    done = run(platform, *GAP_FILL, "--symbols", "AAPL")
    platform.line.ask(("HDEL", "candles:AAPL", slots[0] - 20_000_000))
    assert done.returncode == 0
    assert "cannot be filled: before the oldest tick" in done.stdout


def test_a_gap_that_no_feed_can_fill_is_not_counted_as_missing(platform: SmallPlatform) -> None:
    until(lambda: len(candles(platform, "AAPL")) >= 5, what="five candles")
    slot, candle = sorted(candles(platform, "AAPL").items())[1]
    platform.line.ask(("XTRIM", "ticks.yahoo", "MAXLEN", 1), ("XTRIM", "ticks.moneycontrol", "MAXLEN", 1))
    platform.line.ask(("DEL", "candles:unfillable"), ("HDEL", "candles:AAPL", slot))
    until(lambda: counted(platform) == (1, 0), what="one is missing")
    run(platform, *GAP_FILL, "--feed", "yahoo")
    assert not platform.line.ask(("EXISTS", "candles:unfillable"))[0], "the other feed may have it"
    assert run(platform, *GAP_FILL).returncode == 0
    until(lambda: counted(platform) == (0, 1), what="it is counted apart")
    platform.line.ask(("HSET", "candles:AAPL", slot, json.dumps(candle)))
    until(lambda: counted(platform) == (0, 0), what="it is there after all")


def counted(platform: SmallPlatform) -> tuple[int, ...]:
    fields = platform.line.ask(("HMGET", "candles:status", "missing", "unfillable"))[0]
    return tuple(int(field) for field in fields)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((REPLAY[0], "--source", "nowhere.db"), "no ledger at nowhere.db"),
        ((*REPLAY, "--streams", "orders.lost"), "unknown stream"),
        ((*REPLAY, "--batch", "0"), "--batch"),
        (("backend/ops/hedger.py",), "--flatten-all"),
        ((*FLATTEN, "--venue", "AAPL"), "SYMBOL=VENUE"),
        (("backend/ops/scenario_generator.py",), "--all"),
        (("backend/ops/scenario_generator.py", "--scenario", "Doom"), "no scenario 'Doom'"),
        (("backend/ingestion/candle_aggregator.py",), "--gap-fill"),
        ((*GAP_FILL, "--feed", "reuters"), "ticks.reuters"),
        ((*REPLAY, "--redis", "redis://127.0.0.1:1/0"), "failed: Redis"),
        ((*FLATTEN, "--redis", "redis://127.0.0.1:1/0"), "failed: Redis"),
        ((*SCENARIOS, "--redis", "redis://127.0.0.1:1/0"), "failed: Redis"),
        ((*GAP_FILL, "--redis", "redis://127.0.0.1:1/0"), "failed: Redis"),
        ((*GAP_FILL, "--redis", "nonsense"), "failed: Redis"),
    ],
)
def test_expected_failures_are_a_line_and_an_exit_code(
    platform: SmallPlatform, words: tuple[str, ...], said: str
) -> None:
    done = run(platform, *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("script", [REPLAY[0], FLATTEN[0], SCENARIOS[0], GAP_FILL[0]])
def test_help(platform: SmallPlatform, script: str) -> None:
    done = run(platform, script, "--help")
    assert done.returncode == 0
    assert "--redis" in done.stdout


def test_files_are_there_and_an_operators_changes_stay(platform: SmallPlatform) -> None:
    root = platform.layout.root
    assert "primary_feed: yahoo" in (root / "registry.yaml").read_text(encoding="utf-8")
    assert (root / "runbooks/incidents").is_dir()
    assert (root / "alerts.yaml").stat().st_mode & 0o077 == 0
    kept = (root / "registry.yaml").read_text(encoding="utf-8")
    (root / "registry.yaml").write_text(kept + "# note\n", encoding="utf-8")
    write_platform_files(platform.layout)
    assert (root / "registry.yaml").read_text(encoding="utf-8").endswith("# note\n")
    (root / "registry.yaml").write_text(kept, encoding="utf-8")
    shutil.copy(root / REPLAY[0], root / "copy.py")
    assert (root / "copy.py").read_bytes() == (root / REPLAY[0]).read_bytes()
