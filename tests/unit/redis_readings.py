"""Readings of Redis made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cockpit.clients.redis_reading import GroupFacts, StreamFacts, WallReading
from cockpit.config import Settings
from cockpit.parts import parsed

NOW_MS = 1_800_000_000_000
SETTINGS = parsed(
    Settings,
    {"site": "test-1", "root": str(Path("/nowhere")), "redis": {}, "venues": [{"name": "IBKR"}, {"name": "ZERODHA"}]},
)
assert SETTINGS.redis is not None
PART = SETTINGS.redis


def a_reading(**parts: Any) -> WallReading:
    fixed: dict[str, Any] = {
        "now_ms": NOW_MS,
        "before_ms": NOW_MS - 1000,
        "round_trip_ms": 1.5,
        "info": {
            "redis_version": "7.2.4",
            "role": "master",
            "run_id": "a",
            "used_memory": "500",
            "maxmemory": "0",
        },
        "config": {},
    }
    return WallReading(**(fixed | parts))


def a_stream(**parts: Any) -> StreamFacts:
    fixed: dict[str, Any] = {
        "depth": 10,
        "last_id": f"{NOW_MS - 100}-0",
        "first_id": f"{NOW_MS - 5000}-0",
        "added": 10,
        "new": 5,
        "since_ms": None,
        "groups": (),
    }
    return StreamFacts(**(fixed | parts))


def a_group(**parts: Any) -> GroupFacts:
    fixed: dict[str, Any] = {
        "name": "router",
        "consumers": 1,
        "pending": 0,
        "delivered_id": f"{NOW_MS - 100}-0",
        "lag": 0,
        "is_lag_capped": False,
        "next_id": None,
        "entries_read": 10,
        "oldest_pending_id": None,
    }
    return GroupFacts(**(fixed | parts))
