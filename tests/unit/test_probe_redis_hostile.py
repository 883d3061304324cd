"""Whatever stands in Redis, the probes answer, and no text comes through that could move a cursor."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from redis_readings import PART, SETTINGS, a_reading, a_stream

from cockpit.clients.redis_facts import json_object, number, time_ms, whole
from cockpit.clients.redis_reading import WallReading
from cockpit.errors import Refused
from cockpit.probes.feeds import NO_MEMORY, read_feeds
from cockpit.probes.flow import read_flow
from cockpit.probes.heartbeats import read_heartbeats
from cockpit.probes.kill_switch import read_kill_switch
from cockpit.probes.redis_server import read_redis_server
from cockpit.probes.risk import read_risk
from cockpit.probes.streams import NONE_LOST
from cockpit.probes.venues import read_venues
from cockpit.text import clean

NAMES = [
    *("status", "ts_ms", "code", "message", "latency_ms", "open_orders", "token_expires_ms", "qty", "notional_usd"),
    *("mark", "book", "var_99", "enabled", "ts", "by", "reason", "feed", "last_ms", "missing", "interval_s"),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400) | st.just("1e999"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
payloads = st.one_of(
    st.text(),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=8).map(json.dumps),
    st.sampled_from(["", "{", "null", "[" * 100_000, '{"qty":' + "9" * 5000 + "}", '{"qty":1e999}', "\udcff{}"]),
)
hashes = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), payloads, max_size=5)


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for one in fields(value) for text in texts(getattr(value, one.name))]
    return [text for one in value for text in texts(one)] if isinstance(value, tuple) else []


def all_states(reading: WallReading) -> list[Any]:
    feeds, _ = read_feeds(reading, NO_MEMORY, NONE_LOST, SETTINGS)
    return [
        feeds,
        read_kill_switch(reading, PART),
        read_venues(reading, SETTINGS),
        read_flow(reading, NONE_LOST, PART),
        or_refusal(lambda: read_risk(reading, PART)),
        read_heartbeats(reading, PART),
        or_refusal(lambda: read_redis_server(reading, reading)),
    ]


def or_refusal(read: Callable[[], Any]) -> Any:
    """What it read, or in which words it refuses what nobody can read: both are shown."""
    try:
        return read()
    except Refused as error:
        return clean(error)


@settings(max_examples=150, deadline=None)
@given(st.lists(hashes, min_size=8, max_size=8), payloads, st.dictionaries(st.text(), st.text(), max_size=4))
def test_nothing_in_redis_stops_the_wall(found: list[Any], metrics: str, info: dict[str, str]) -> None:
    keys = (
        PART.kill_switch_key, PART.route_override_key, PART.venue_status_key, PART.limits_key, PART.positions_key,
        PART.heartbeats_key, PART.candle_status_key, PART.active_feed_key,
    )  # fmt: skip
    stream = a_stream(
        newest=metrics.encode("utf-8", "surrogateescape") if "\udcff" in metrics else metrics.encode("utf-8", "replace")
    )
    known = {"used_memory": "x", "maxmemory": "", "role": "\x1b]0;", "redis_version": "\u202e7"} | info
    reading = a_reading(hashes=dict(zip(keys, found, strict=True)), streams={PART.metrics_stream: stream}, info=known)
    for text in texts(tuple(all_states(reading))):
        assert text.isprintable() or text == "", repr(text)
        assert len(text) <= 200


@given(values)
def test_numbers_are_finite_or_none(value: Any) -> None:
    for read in (number, whole, time_ms):
        found = read(value)
        assert found is None or abs(found) < float("inf")


@given(st.binary(max_size=200) | st.just(b"{" * 70_000) | st.just(b'{"a":' * 2000))
def test_json_is_an_object_or_none(raw: bytes) -> None:
    found = json_object(raw)
    assert found is None or isinstance(found, dict)
