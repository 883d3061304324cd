"""The platform trades exactly: through kills of workers and of Redis, halts, breaches, dead venues and reroutes."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from small_platform import SmallPlatform, small_platform, until
from traded import (
    assert_all_agree,
    events,
    gross,
    heartbeats,
    is_calm,
    is_engaged,
    last_id,
    ledger_rows,
    mapping,
    metrics,
    venue,
)

from cockpit.sandbox.knobs import FeedKnobs, Knobs
from cockpit.sandbox.workers.redis_line import now_ms
from cockpit.sandbox.workers.streams import waited_s

WORKERS = ("market", "gateway:0", "gateway:1", "strategies", "risk", "router", "ledger", "candles")


class Running:
    """The platform that the module's tests share, or another one where it cannot be traded on any more."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._stack = ExitStack()
        self._platform: SmallPlatform | None = None

    def calm(self) -> SmallPlatform:
        """A backlog that was let go at once may leave a book over its limits: halted, until somebody flattens it."""
        with suppress(AssertionError):
            if self._platform is not None:
                until(partial(is_calm, self._platform), 5, "calm")
                return self._platform
        self.close()
        self._platform = self._stack.enter_context(small_platform(self._folders.mktemp("p"), *WORKERS))
        return self._platform

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory)
    yield found
    found.close()


@pytest.fixture
def trading(running: Running) -> Iterator[SmallPlatform]:
    """Trading, healthy and with a full book; put back afterwards."""
    platform = running.calm()
    until(lambda: gross(platform) > 5_500_000, what="the book is full")
    yield platform
    platform.turn(Knobs())
    until(lambda: "risk" in heartbeats(platform), what="redis answers")
    platform.line.ask(("DEL", "policy:route_override"), ("HSET", "policy:kill_switch", "enabled", "false"))


def test_every_store_agrees_and_every_order_has_one_outcome(trading: SmallPlatform) -> None:
    assert_all_agree(trading)
    statuses = dict(ledger_rows(trading, "SELECT status, COUNT(*) FROM orders GROUP BY status"))
    assert set(statuses) <= {"filled", "rejected", "partially_filled"}
    assert statuses["rejected"] < statuses["filled"] / 5
    reasons = {order["reason"].split(":")[0] for order in events(trading, "orders.rejected")}
    assert reasons & {"order_limit", "price_band", "unknown_symbol"}
    assert heartbeats(trading).keys() == {
        "market",
        "ws-gateway",
        "strategies",
        "risk",
        "router",
        "ledger",
        "candles",
    }


def test_a_healthy_book_sits_well_inside_its_limits(trading: SmallPlatform) -> None:
    limits = {name: float(text) for name, text in mapping(trading, "risk:limits").items()}
    now = metrics(trading)
    assert 0.45 < now["var_99"] / limits["var_99"] < 0.8
    assert 0.45 < now["es_975"] / limits["es_975"] < 0.8
    assert 0.55 < now["gross_usd"] / limits["gross_usd"] < 0.8
    assert now["drawdown_pct"] < 0.03


def test_nothing_is_lost_or_doubled_when_workers_are_killed(trading: SmallPlatform) -> None:
    for name in ("risk", "router", "ledger", "gateway:0", "candles", "risk", "router", "ledger"):
        seen = last_id(trading, "orders.fills")
        trading.kill(name)
        trading.start(name)
        until(lambda seen=seen: last_id(trading, "orders.fills") > seen, what=f"fills after {name} was killed")  # type: ignore[misc]
    assert_all_agree(trading)


def test_nothing_is_lost_or_doubled_when_redis_is_killed(trading: SmallPlatform) -> None:
    for _ in range(2):
        seen = last_id(trading, "orders.fills")
        trading.kill_redis()
        trading.start_redis()
        until(lambda seen=seen: last_id(trading, "orders.fills") > seen, what="fills after redis was killed")  # type: ignore[misc]
    assert_all_agree(trading)


def test_nothing_is_lost_when_redis_loses_everything(trading: SmallPlatform) -> None:
    trading.kill_redis(is_data_lost=True)
    trading.start_redis()
    until(lambda: last_id(trading, "orders.fills") != "0-0", what="fills again")
    assert_all_agree(trading)


@pytest.mark.parametrize(
    ("trouble", "mend"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "256mb")),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    ],
    ids=["memory full", "read-only"],
)
def test_nothing_is_lost_while_redis_refuses_writes(
    trading: SmallPlatform, trouble: tuple[str, ...], mend: tuple[str, ...]
) -> None:
    trading.line.ask(trouble)
    seen = last_id(trading, "orders.fills")
    time.sleep(1.0)  # the length of the trouble, not a wait for something
    trading.line.ask(mend)
    until(lambda: last_id(trading, "orders.fills") > seen, what="fills again")
    assert_all_agree(trading)


def test_a_frozen_redis_makes_nothing_happen_twice(trading: SmallPlatform) -> None:
    seen = last_id(trading, "orders.fills")
    trading.signal_redis(signal.SIGSTOP)
    time.sleep(1.5)  # the length of the trouble, not a wait for something
    trading.signal_redis(signal.SIGCONT)
    until(lambda: last_id(trading, "orders.fills") > seen, what="fills again")
    assert_all_agree(trading)
    order_ids = [order["order_id"] for order in events(trading, "orders.validated")]
    assert len(order_ids) == len(set(order_ids))


def test_no_order_is_validated_after_the_halt(trading: SmallPlatform) -> None:
    replies = trading.line.ask(
        ("MULTI",), ("HSET", "policy:kill_switch", "enabled", "on"), ("XADD", "alerts", "*", "json", "{}"), ("EXEC",)
    )
    halted_at = replies[-1][1]
    rejected_before = last_id(trading, "orders.rejected")
    until(lambda: len(events(trading, "orders.rejected", f"({rejected_before}")) > 40, what="rejections")
    assert events(trading, "orders.validated", f"({halted_at}") == []
    reasons = {order["reason"] for order in events(trading, "orders.rejected", f"({halted_at}")}
    # A venue may still refuse what was validated before.
    assert {reason for reason in reasons if not reason.startswith("venue ")} <= {"kill_switch", "order_limit"}
    trading.line.ask(("DEL", "policy:kill_switch"))
    seen = last_id(trading, "orders.validated")
    until(lambda: last_id(trading, "orders.validated") > seen, what="a missing key means trading")


def test_a_fall_halts_trading_and_a_release_does_not_last(trading: SmallPlatform) -> None:
    trading.turn(replace(trading.knobs, price_shock=0.08))
    until(lambda: is_engaged(trading), what="halted by drawdown")
    assert "drawdown" in mapping(trading, "policy:kill_switch")["reason"]
    assert metrics(trading)["drawdown_pct"] > 0.05
    trading.line.ask(("HSET", "policy:kill_switch", "enabled", "false", "by", "alice"))
    until(lambda: is_engaged(trading), what="halted again")
    assert "after a release by alice" in mapping(trading, "policy:kill_switch")["reason"]
    trading.turn(replace(trading.knobs, price_shock=0.0))
    until(lambda: metrics(trading)["drawdown_pct"] < 0.03, what="calm")
    until(lambda: metrics(trading)["drawdown_pct"] < 0.002, what="the peak begins anew")
    trading.line.ask(("HSET", "policy:kill_switch", "enabled", "false"))
    seen = last_id(trading, "orders.validated")
    until(lambda: last_id(trading, "orders.validated") > seen, what="trading again")
    assert not is_engaged(trading)


def test_a_storm_breaches_var(trading: SmallPlatform) -> None:
    trading.turn(replace(trading.knobs, volatility=2.5))
    until(lambda: is_engaged(trading), what="halted by VaR")
    assert "VaR 99" in mapping(trading, "policy:kill_switch")["reason"]
    trading.turn(replace(trading.knobs, volatility=1.0))
    limit = float(mapping(trading, "risk:limits")["var_99"])
    until(lambda: metrics(trading)["var_99"] < limit, what="calm")


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("down", "down", 502),
        ("partial", "degraded", 2103),
        ("slow", "degraded", None),
        ("reset", "down", 1100),
        ("blackhole", "down", None),
    ],
)
def test_a_venue_in_trouble_says_so_and_comes_back(trading: SmallPlatform, mode: Any, status: str, code: int) -> None:
    before = last_id(trading, "alerts")
    trading.turn(trading.knobs.with_venue("IBKR", mode))

    def told() -> set[str]:
        return {
            one["lvl"] for one in events(trading, "alerts", f"({before}") if one["msg"].startswith(f"IBKR {status}")
        }

    until(lambda: (now := venue(trading, "IBKR"))["status"] == status and now["code"] == code, what=status)
    until(lambda: bool(told()), what="an alert")
    assert told() == {"critical" if status == "down" else "warn"}
    trading.turn(Knobs())
    until(lambda: venue(trading, "IBKR")["status"] == "up", what="up")


def test_a_router_that_starts_before_a_black_hole_ends_misses_nothing(trading: SmallPlatform) -> None:
    trading.turn(trading.knobs.with_venue("IBKR", "blackhole"))
    until(lambda: venue(trading, "IBKR")["status"] == "down", what="down")
    book = trading.engine.venues["IBKR"].book
    trading.line.ask(("HINCRBY", "router:cursor", "IBKR", -5))  # as if the last five answers had not been written down
    trading.kill("router")
    trading.start("router")
    seen = last_id(trading, "orders.validated")
    until(lambda: last_id(trading, "orders.validated") > seen, what="orders meanwhile")
    trading.turn(Knobs())
    until(lambda: int(mapping(trading, "router:cursor")["IBKR"]) >= book.seq, what="everything heard")
    trading.stop("strategies")
    until(trading.is_quiet, what="quiet")
    assert trading.redis_positions() == trading.ledger_positions() == trading.venue_positions()
    forget_second_copies(trading)
    trading.start("strategies")


def forget_second_copies(platform: SmallPlatform) -> None:
    """The answers that were only said not to be written down stand twice now: that is this test's own doing."""
    known = set()
    for entry_id, fields in platform.line.ask(("XRANGE", "orders.fills", "-", "+"))[0]:
        fill_id = json.loads(fields[1])["id"]
        if fill_id in known:
            platform.line.ask(("XDEL", "orders.fills", entry_id))
        known.add(fill_id)


def test_a_dead_token_is_told_with_its_age(trading: SmallPlatform) -> None:
    trading.turn(trading.knobs.with_venue("ZERODHA", "token_dead"))
    until(lambda: venue(trading, "ZERODHA")["code"] == 403, what="403")
    now = venue(trading, "ZERODHA")
    assert now["status"] == "down"
    assert now["token_expires_ms"] < now["ts_ms"]
    until(
        lambda: any("403" in order["reason"] for order in events(trading, "orders.rejected")[-50:]),
        what="orders rejected with 403",
    )


def test_a_reroute_works_at_once_and_nothing_is_executed_twice(trading: SmallPlatform) -> None:
    trading.turn(trading.knobs.with_venue("IBKR", "down"))
    until(lambda: venue(trading, "IBKR")["status"] == "down", what="down")
    trading.line.ask(("HSET", "policy:route_override", "IBKR", "paper"))
    seen = last_id(trading, "orders.fills")

    def paper_fills() -> set[str]:
        return {fill["symbol"] for fill in events(trading, "orders.fills", f"({seen}") if fill["venue"] == "PAPER"}

    until(lambda: "AAPL" in paper_fills(), what="AAPL filled by PAPER")
    trading.kill("router")
    trading.start("router")
    trading.turn(Knobs())
    trading.line.ask(("DEL", "policy:route_override"))
    assert_all_agree(trading)


def test_an_order_that_no_venue_takes_is_refused_after_a_while(trading: SmallPlatform) -> None:
    trading.turn(trading.knobs.with_venue("IBKR", "reset"))
    until(
        lambda: any(
            "IBKR could not be reached" in order["reason"] for order in events(trading, "orders.rejected")[-60:]
        ),
        what="refused by the router",
    )


@pytest.mark.parametrize(
    ("group", "stream"),
    [
        ("risk", "orders.incoming"),
        ("router", "orders.validated"),
        ("ledger", "orders.fills"),
        ("candles", "ticks.yahoo"),
    ],
)
def test_a_paused_group_falls_behind_and_catches_up(trading: SmallPlatform, group: str, stream: str) -> None:
    def behind() -> int:
        groups = trading.line.ask(("XINFO", "GROUPS", stream))[0]
        named = {row[1]: dict(zip(row[::2], row[1::2], strict=True)) for row in groups}
        return len(trading.line.ask(("XRANGE", stream, f"({named[group]['last-delivered-id']}", "+"))[0])

    trading.turn(replace(trading.knobs, paused_groups=(group,)))
    until(lambda: behind() > 45, what="behind")
    trading.turn(Knobs())
    until(lambda: behind() < 40, what="caught up")


def test_orders_that_a_paused_router_left_waiting_are_refused_not_executed(trading: SmallPlatform) -> None:
    before = last_id(trading, "orders.rejected")
    trading.turn(replace(trading.knobs, paused_groups=("router",)))
    first = last_id(trading, "orders.validated")
    until(lambda: waited_s(first, now_ms()) > 6.0, what="they have waited")
    trading.turn(Knobs())

    def refused() -> int:
        reasons = [order["reason"] for order in events(trading, "orders.rejected", before)]
        return sum("validated more than" in reason for reason in reasons)

    until(lambda: refused() > 20, what="refused by the router")
    assert not is_engaged(trading)


def test_consumers_follow_the_feed_of_the_newest_gateway(trading: SmallPlatform) -> None:
    trading.layout.registry.write_text("primary_feed: moneycontrol\nbackup_feed: yahoo\n", encoding="utf-8")
    for name in ("gateway:0", "gateway:1"):
        trading.stop(name)
        trading.start(name)
    until(lambda: mapping(trading, "ingest:active").get("feed") == "moneycontrol", what="announced")
    trading.turn(trading.knobs.with_feed("yahoo", FeedKnobs(is_stalled=True)))

    def grouped(feed: str) -> bool:
        return any(row[1] == "candles" for row in trading.line.ask(("XINFO", "GROUPS", f"ticks.{feed}"))[0])

    until(lambda: grouped("moneycontrol") and not grouped("yahoo"), what="candles follow")
    marks = mapping(trading, "positions")
    until(lambda: mapping(trading, "positions") != marks, what="marks follow")
    trading.layout.registry.unlink()
    for name in ("gateway:0", "gateway:1"):
        trading.stop(name)
        trading.start(name)
    until(lambda: mapping(trading, "ingest:active").get("feed") == "yahoo", what="back")
