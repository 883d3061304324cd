"""The venues' books, their reports, candles under construction, and the feeds' sharing."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from cockpit.sandbox.knobs import FeedKnobs, Knobs, VenueMode
from cockpit.sandbox.venues_book import VenueBook
from cockpit.sandbox.venues_status import report, token_expires_ms
from cockpit.sandbox.workers.candle_building import CandleBuilder
from cockpit.sandbox.workers.feeds import FeedServer
from cockpit.sandbox.workers.market import Market


def an_order(number: int, qty: int = 100, side: str = "buy") -> dict[str, Any]:
    return {"order_id": f"o{number}", "symbol": "AAPL", "side": side, "qty": qty, "price": 100.0}


def drained(book: VenueBook, mode: VenueMode = "up") -> list[dict[str, Any]]:
    """Everything that the venue has to say, rests of partly filled orders included."""
    lines = [line for at_s in range(1_000, 1_100) for line in book.advance(float(at_s), mode)]
    return [json.loads(line) for line in lines]


def test_a_venue_fills_everything_once_and_numbers_what_it_says() -> None:
    book = VenueBook("IBKR")
    for number in range(1_000):
        assert book.submit(an_order(number), 0.0, "up")
        assert not book.submit(an_order(number), 0.0, "up")
    events = drained(book)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    filled = sum(event["qty"] for event in events if event["ev"] == "fill")
    rejected = [event for event in events if event["ev"] == "reject"]
    partial = [event for event in events if event["ev"] == "fill" and event["left"]]
    unfilled = sum(100 for event in rejected if not any(each["order_id"] == event["order_id"] for each in partial))
    assert book.positions["AAPL"] == filled
    assert not book.working
    assert filled + unfilled == pytest.approx(100_000, abs=200)
    assert 0 < len(rejected) < 12
    assert 20 < len(partial) < 80
    assert [json.loads(line)["seq"] for line in book.after(990)] == [event["seq"] for event in events[990:]]


@pytest.mark.parametrize("mode", ["down", "reset", "blackhole"])
def test_a_silent_venue_keeps_its_orders_unanswered(mode: VenueMode) -> None:
    book = VenueBook("IBKR")
    book.submit(an_order(1), 0.0, "up")
    assert drained(book, mode) == []
    assert len(book.working) == 1
    assert drained(book)[0]["order_id"] == "o1"


def test_a_dead_token_refuses_everything_and_a_partial_outage_half() -> None:
    book = VenueBook("ZERODHA")
    for number in range(200):
        book.submit(an_order(number), 0.0, "up")
    assert {event["reason"] for event in drained(book, "token_dead")} == {"403 TokenException"}
    for number in range(200, 600):
        book.submit(an_order(number), 0.0, "up")
    rejected = [event for event in drained(book, "partial") if event["ev"] == "reject"]
    assert 150 < len(rejected) < 260


@pytest.mark.parametrize(
    ("name", "mode", "status", "code", "is_ready"),
    [
        ("IBKR", "up", "up", None, True),
        ("IBKR", "partial", "degraded", 2103, True),
        ("IBKR", "slow", "degraded", None, True),
        ("IBKR", "reset", "down", 1100, False),
        ("IBKR", "down", "down", 502, False),
        ("ZERODHA", "token_dead", "down", 403, True),
    ],
)
def test_reports(name: str, mode: VenueMode, status: str, code: int | None, is_ready: bool) -> None:
    made = report(name, mode, 3, 1_800_000_000.0)
    assert (made.status, made.code, made.is_ready, made.open_orders) == (status, code, is_ready, 3)


def test_words_of_a_reset_its_end_and_a_dead_token() -> None:
    at_s = 1_800_000_000.0
    assert "nightly reset" in report("IBKR", "reset", 0, at_s).message
    assert report("IBKR", "up", 0, at_s, restored_at_s=at_s - 1).code == 1102
    alive, dead = report("ZERODHA", "up", 0, at_s), report("ZERODHA", "token_dead", 0, at_s)
    assert alive.token_expires_ms is not None
    assert dead.token_expires_ms is not None
    assert dead.token_expires_ms < at_s * 1000 < alive.token_expires_ms
    assert report("IBKR", "up", 0, at_s).token_expires_ms is None


def test_candles_of_ticks() -> None:
    builder = CandleBuilder(5_000)
    for ts_ms, price in ((10_000, 5.0), (11_000, 7.0), (12_000, 4.0), (14_999, 6.0), (15_000, 9.0)):
        builder.add("AAPL", price, ts_ms, "yahoo")
    assert builder.closed(14_999) == []
    ((slot, symbol, candle),) = builder.closed(15_000)
    assert (slot, symbol, candle.fields()) == (
        10_000,
        "AAPL",
        {"o": 5.0, "h": 7.0, "l": 4.0, "c": 6.0, "n": 4, "source": "yahoo"},
    )
    assert [each[0] for each in builder.closed(20_000)] == [15_000]


def test_a_hundred_ticks_a_second_and_feed_and_the_faults_of_feeds(tmp_path: Path) -> None:
    market = Market(7, 200.0, tmp_path / "market.json")

    def second(knobs: Knobs) -> list[dict[str, Any]]:
        lines = [
            line for step in range(20) for each in market.lines(knobs, 1_000 + step / 20).values() for line in each
        ]
        return [json.loads(line) for line in lines]

    healthy = second(Knobs())
    assert sum(tick["source"] == "yahoo" for tick in healthy) == 100
    assert len(healthy) == 200
    assert len({tick["symbol"] for tick in healthy}) == 12
    assert all(1_000_000 - 30 <= tick["ts_ms"] <= 1_001_000 for tick in healthy)
    stalled = second(Knobs().with_feed("yahoo", FeedKnobs(is_stalled=True)))
    assert {tick["source"] for tick in stalled} == {"moneycontrol"}
    late = second(Knobs().with_feed("yahoo", FeedKnobs(late_ms=300)))
    assert min(tick["ts_ms"] for tick in late if tick["source"] == "yahoo") < 1_000_000 - 300
    gappy = Knobs().with_feed("yahoo", FeedKnobs(is_gappy=True))
    sent = [bool(market.lines(gappy, at / 20)) for at in range(80)]
    assert all(sent)  # the other feed goes on


def test_the_market_goes_on_where_it_stood(tmp_path: Path) -> None:
    market = Market(7, 200.0, tmp_path / "market.json")
    for step in range(100):
        market.lines(Knobs(), 1_000 + step / 20)
    market.shock = 0.08
    market.save()
    again = Market(7, 200.0, tmp_path / "market.json")
    assert again.shock == 0.08

    def prices(of: Market) -> list[float]:
        lines = [line for step in range(3) for each in of.lines(Knobs(), 2_000.0 + step).values() for line in each]
        return sorted(tick["price"] for tick in map(json.loads, lines) if tick["symbol"] == "AAPL")

    assert set(prices(again)) & set(prices(market))


def test_symbols_are_shared_among_pods_and_one_pod_gets_all(tmp_path: Path) -> None:
    server = FeedServer(tmp_path / "feeds.sock")
    pods = []
    for name in ("a", "b"):
        pod = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        pod.connect(str(tmp_path / "feeds.sock"))
        pod.sendall(json.dumps({"pod": name}).encode() + b"\n")
        pod.settimeout(2)
        pods.append(pod)
    for _ in range(6):
        server.serve(0.05)
    server.send({index: [f"{index}\n"] for index in range(4)})
    assert [pod.recv(100) for pod in pods] == [b"0\n2\n", b"1\n3\n"]
    pods[0].close()
    server.serve(0.2)
    server.send({index: [f"{index}\n"] for index in range(4)})
    assert pods[1].recv(100) == b"0\n1\n2\n3\n"
    pods[1].close()
    server.close()


def test_a_healthy_token_never_is_about_to_expire_whatever_the_hour() -> None:
    for hour in range(24):
        at_s = 1_795_305_600 + hour * 3600 + 1234
        left_s = (token_expires_ms("ZERODHA", "up", at_s) or 0) / 1000 - at_s
        assert 7_200 <= left_s <= 26 * 3600
        assert (token_expires_ms("ZERODHA", "token_dead", at_s) or 0) / 1000 <= at_s
