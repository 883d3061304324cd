"""What the tests of trading ask of a small platform: its streams, its figures, and whether every store agrees."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

from small_platform import SmallPlatform, until

from cockpit.sandbox.workers.hashchain import first_broken


def mapping(platform: SmallPlatform, key: str) -> dict[str, str]:
    fields = platform.line.ask(("HGETALL", key))[0]
    return dict(zip(fields[::2], fields[1::2], strict=True))


def heartbeats(platform: SmallPlatform) -> dict[str, str]:
    return mapping(platform, "engine:hb")


def metrics(platform: SmallPlatform) -> dict[str, Any]:
    newest = platform.line.ask(("XREVRANGE", "risk.metrics", "+", "-", "COUNT", 1))[0]
    return json.loads(newest[0][1][1]) if newest else {"gross_usd": 0.0, "drawdown_pct": 0.0}


def gross(platform: SmallPlatform) -> float:
    return float(metrics(platform)["gross_usd"])


def venue(platform: SmallPlatform, name: str) -> dict[str, Any]:
    return dict(json.loads(mapping(platform, "venue:status")[name]))


def is_engaged(platform: SmallPlatform) -> bool:
    return mapping(platform, "policy:kill_switch").get("enabled") == "true"


def is_calm(platform: SmallPlatform) -> bool:
    """Within every limit, and not halted: a release before that would not last."""
    now, limits = metrics(platform), mapping(platform, "risk:limits")
    if any(now.get(name, 0.0) >= float(limit) for name, limit in limits.items()):
        return False
    if is_engaged(platform):
        platform.line.ask(("HSET", "policy:kill_switch", "enabled", "false"))
        return False
    seen = last_id(platform, "orders.validated")
    until(lambda: is_engaged(platform) or last_id(platform, "orders.validated") > seen, what="an order, or a halt")
    return not is_engaged(platform)


def events(platform: SmallPlatform, stream: str, after: str = "-") -> list[dict[str, Any]]:
    return [json.loads(fields[1]) for _, fields in platform.line.ask(("XRANGE", stream, after, "+"))[0]]


def last_id(platform: SmallPlatform, stream: str) -> str:
    newest = platform.line.ask(("XREVRANGE", stream, "+", "-", "COUNT", 1))[0]
    return str(newest[0][0]) if newest else "0-0"


def ledger_rows(platform: SmallPlatform, query: str) -> list[Any]:
    with closing(sqlite3.connect(platform.layout.ledger)) as file:
        return file.execute(query).fetchall()


def assert_all_agree(platform: SmallPlatform) -> None:
    """Stop the orders, wait until nothing is under way, compare every store, go on."""
    platform.stop("strategies")
    try:
        until(platform.is_quiet, what="quiet")
        assert platform.redis_positions() == platform.ledger_positions() == platform.venue_positions()
        assert (
            first_broken(ledger_rows(platform, "SELECT id, ts_ms, kind, payload, prev_hash, hash FROM events")) is None
        )
        ids = [fill["id"] for fill in events(platform, "orders.fills")]
        assert sorted(ids) == sorted(set(ids)), sorted({one for one in ids if ids.count(one) > 1})
        told = sum(event.book.seq for event in platform.engine.venues.values())
        ended = ledger_rows(platform, "SELECT COUNT(*) FROM fills")[0][0]
        refused = ledger_rows(platform, "SELECT payload FROM events WHERE kind = 'order.rejected'")
        refused_by_venue = sum(json.loads(row[0])["event"]["reason"].startswith("venue ") for row in refused)
        assert told == ended + refused_by_venue
    finally:
        platform.start("strategies")
