"""One round trip to a real Redis: what is read, that it is exact, and that it costs the server no error."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from redis_servers import PROGRAMS, Server, serving

from cockpit.clients.redis import RedisWall
from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_reading import StreamFacts
from cockpit.clock import SystemClock
from cockpit.config import load
from cockpit.model.states import Feed, Group, OrderFlow, Stream
from cockpit.probes.redis_wall import NAMES, RedisProbes
from tests.patience import PATIENCE_S

CLOCK = SystemClock()


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda program: Path(program).name)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(request.param, tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def server(shared: Server) -> Server:
    shared.client.flushall()
    return shared


@pytest.fixture
async def probes(server: Server) -> AsyncIterator[RedisProbes]:
    probing = RedisProbes(server.settings(), CLOCK)
    yield probing
    await probing.close()


async def flow_of(probes: RedisProbes) -> OrderFlow:
    sample = (await probes.tick())["flow"]
    assert sample.error is None and isinstance(sample.value, OrderFlow)
    return sample.value


async def stream_of(probes: RedisProbes, label: str = "incoming") -> Stream:
    found = (await flow_of(probes)).stream(label)
    assert found is not None
    return found


async def group_of(probes: RedisProbes, label: str = "incoming") -> Group:
    (group,) = (await stream_of(probes, label)).groups
    return group


async def feed_of(probes: RedisProbes) -> Feed:
    feed = (await probes.tick())["feeds"].value.feeds[0]
    assert isinstance(feed, Feed)
    return feed


async def test_an_empty_redis_is_read_without_an_error_reply(server: Server, probes: RedisProbes) -> None:
    server.client.config_resetstat()
    for _ in range(3):
        samples = await probes.tick()
    assert {name for name, sample in samples.items() if sample.error} == {"risk"}
    assert all(stream.depth is None for stream in samples["flow"].value.streams)
    assert samples["kill_switch"].value.is_present is False
    assert server.client.info("stats")["total_error_replies"] == 0


async def test_one_round_trip_a_tick_and_one_to_time_it(
    server: Server, probes: RedisProbes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add("ticks.yahoo", {"ts_ms": 1})
    await probes.tick()
    asked: list[int] = []
    ask = RedisLink.ask

    async def counted(self: RedisLink, commands: Any, *args: Any, **options: Any) -> Any:
        asked.append(len(commands))
        return await ask(self, commands, *args, **options)

    monkeypatch.setattr(RedisLink, "ask", counted)
    await probes.tick()
    assert len(asked) == 2 and asked[0] == 1


async def test_rate_is_exact_while_the_depth_stays_flat(server: Server) -> None:
    for _ in range(100):
        server.add("orders.incoming", {}, maxlen=100, approximate=False)
    wall = RedisWall(server.settings(), CLOCK)
    before = await wall.read()
    for _ in range(70):
        server.add("orders.incoming", {}, maxlen=100, approximate=False)
    after = await wall.read()
    await wall.close()
    facts = after.streams["orders.incoming"]
    assert isinstance(facts, StreamFacts)
    assert (facts.depth, facts.new, facts.since_ms, after.before_ms) == (100, 70, None, before.now_ms)


async def test_a_flood_is_still_a_rate(server: Server, probes: RedisProbes) -> None:
    server.add("orders.incoming", {})
    began = time.monotonic()
    await probes.tick()
    pipe = server.client.pipeline(transaction=False)
    for _ in range(3000):
        pipe.xadd("orders.incoming", {"json": "{}"}, maxlen=1000)
    pipe.execute()
    rate = (await stream_of(probes)).rate_per_s
    assert rate is not None and rate > 900 / (time.monotonic() - began), "no more than the newest 1000 are there"


async def test_a_stream_made_anew_has_an_unknown_rate(server: Server, probes: RedisProbes) -> None:
    server.client.xadd("orders.incoming", {"json": "{}"}, id="9000000000000-0")
    assert (await flow_of(probes)).age_s(await stream_of(probes)) is None, "it lies ahead of the clock"
    server.client.delete("orders.incoming")
    server.add("orders.incoming", {})
    found = await stream_of(probes)
    assert (found.depth, found.rate_per_s) == (1, None)
    deadline = time.monotonic() + PATIENCE_S
    while not (await stream_of(probes)).rate_per_s:
        assert time.monotonic() < deadline
        server.add("orders.incoming", {})


async def test_lag_pending_and_age_of_the_oldest(server: Server, probes: RedisProbes) -> None:
    server.client.xgroup_create("orders.validated", "router", "$", mkstream=True)
    now_ms = int(time.time() * 1000)
    for n in range(10):
        server.client.xadd("orders.validated", {"json": "{}"}, id=f"{now_ms - 5000 + n}-0")
    assert (await flow_of(probes)).in_flight == 10
    server.client.xreadgroup("router", "r1", {"orders.validated": ">"}, count=4)
    group = await group_of(probes, "validated")
    assert (group.lag, group.is_lag_capped, group.pending, group.consumers) == (6, False, 4, 1)
    assert group.oldest_pending_s is not None and 5.0 <= group.oldest_pending_s < 5.1 + time.time() - now_ms / 1000
    flow = await flow_of(probes)
    assert flow.in_flight == 10 and flow.oldest_in_flight_s is not None and flow.oldest_in_flight_s >= 5.0
    server.client.xdel("orders.validated", f"{now_ms - 5000 + 7}-0")
    assert (await group_of(probes, "validated")).lag == 5, "counted where Redis 7 no longer knows"


async def test_a_long_lag_is_exact_or_says_that_it_is_not(server: Server, probes: RedisProbes) -> None:
    server.client.xgroup_create("orders.incoming", "risk", "$", mkstream=True)
    pipe = server.client.pipeline(transaction=False)
    for _ in range(2500):
        pipe.xadd("orders.incoming", {"json": "{}"})
    pipe.execute()
    group = await group_of(probes)
    assert (group.lag, group.is_lag_capped) == ((2500, False) if server.version >= (7,) else (1000, True))


async def test_entries_trimmed_unread_are_lost(server: Server, probes: RedisProbes) -> None:
    server.client.xgroup_create("orders.incoming", "risk", "$", mkstream=True)
    for _ in range(50):
        server.add("orders.incoming", {})
    server.client.xreadgroup("risk", "r1", {"orders.incoming": ">"}, count=10)
    assert not (await group_of(probes)).has_lost_entries
    server.client.xtrim("orders.incoming", maxlen=40, approximate=False)
    await probes.tick()
    assert not (await group_of(probes)).has_lost_entries, "only what was read is gone"
    server.client.xtrim("orders.incoming", maxlen=30, approximate=False)
    group = await group_of(probes)
    assert group.has_lost_entries and group.lag == 30
    server.client.xreadgroup("risk", "r1", {"orders.incoming": ">"}, count=100)
    assert not (await group_of(probes)).has_lost_entries


async def test_a_group_that_deletes_what_it_has_done_loses_nothing(server: Server, probes: RedisProbes) -> None:
    server.client.xgroup_create("orders.incoming", "risk", "$", mkstream=True)
    for _ in range(5):
        for _ in range(10):
            server.add("orders.incoming", {})
        ((_, entries),) = server.client.xreadgroup("risk", "r1", {"orders.incoming": ">"}, count=7)
        assert not (await group_of(probes)).has_lost_entries
        server.client.xack("orders.incoming", "risk", *(entry_id for entry_id, _ in entries))
        server.client.xdel("orders.incoming", *(entry_id for entry_id, _ in entries))
        assert not (await group_of(probes)).has_lost_entries


async def test_feed_lag_is_arrival_minus_exchange_time(server: Server, probes: RedisProbes) -> None:
    now_ms = int(time.time() * 1000)
    for n in range(100):
        server.client.xadd(
            "ticks.yahoo", {"json": json.dumps({"ts_ms": now_ms - 1000 + n - n})}, id=f"{now_ms - 1000 + n}-0"
        )
    feed = await feed_of(probes)
    assert (feed.lag_p50_ms, feed.lag_p95_ms) == (49.0, 94.0)
    assert feed.newest_age_s is not None and feed.newest_age_s > 0.8
    assert (await feed_of(probes)).lag_p95_ms == 94.0


async def test_a_stalled_feed_and_a_gap(server: Server) -> None:
    settings = structs.replace(server.settings(), feeds=structs.replace(server.settings().feeds, gap_s=2.0))
    probes = RedisProbes(settings, CLOCK)
    server.add("ticks.yahoo", {"ts_ms": int(time.time() * 1000)})
    assert (await feed_of(probes)).gaps == 0
    deadline = time.monotonic() + PATIENCE_S
    while (feed := await feed_of(probes)).gaps == 0:
        assert time.monotonic() < deadline
    assert feed.tick_rate_per_s == 0.0 and feed.lag_p95_ms is not None
    server.add("ticks.yahoo", {"ts_ms": int(time.time() * 1000)})
    assert (await feed_of(probes)).gaps == 1
    await probes.close()


HOSTILE = (
    "", "{", "null", "[1]", '"ts_ms"', "[" * 5000, '{"ts_ms": "' + "x" * 300_000 + '"}', '{"ts_ms": true}',
    '{"ts_ms": -5}', '{"ts_ms": 1e400}', '{"ts_ms": NaN}', '{"ts_ms": null}', '{"a\\u0000": "\x1b[2J"}', "\x00\xff\r\n",
)  # fmt: skip


async def test_hostile_payloads_cost_only_themselves(server: Server, probes: RedisProbes) -> None:
    await probes.tick()
    for payload in HOSTILE:
        for stream in ("ticks.yahoo", "orders.incoming", "risk.metrics"):
            server.add(stream, payload)
        for key in ("venue:status", "positions", "engine:hb", "risk:limits", "policy:kill_switch", "candles:status"):
            server.client.hset(key, payload[:20] or "empty", payload)
    server.client.xadd("ticks.yahoo", {"other": "field"})
    server.add("ticks.yahoo", {"ts_ms": int(time.time() * 1000) - 7})
    samples = await probes.tick()
    unreadable = {"risk": "the newest entry of risk.metrics is no JSON object"}
    assert {name: sample.error for name, sample in samples.items() if sample.error} == unreadable
    feed = samples["feeds"].value.feeds[0]
    assert feed.stream.depth == len(HOSTILE) + 2 and 7 <= feed.lag_p95_ms < 1000
    assert all(venue.status == "unknown" for venue in samples["venues"].value)
    assert not samples["kill_switch"].value.is_engaged


async def test_keys_of_the_wrong_kind_cost_only_their_own_sample(server: Server, probes: RedisProbes) -> None:
    server.client.set("policy:kill_switch", "true")
    server.client.lpush("engine:hb", "x")
    server.client.set("ticks.yahoo", "x")
    server.add("risk.metrics", {"book": "main"})
    server.client.hset("positions", mapping={f"S{n}": "{}" for n in range(6000)})
    samples = await probes.tick()
    assert {name: sample.error for name, sample in samples.items() if sample.error} == {
        "kill_switch": "policy:kill_switch: it is a string, not a hash",
        "heartbeats": "engine:hb: it is a list, not a hash",
        "risk": "positions: it has 6000 fields, too many to read",
    }


def busy(server: Server) -> None:
    """A little of everything, the same for each reader."""
    for stream in ("orders.incoming", "orders.validated", "ticks.yahoo"):
        server.client.xgroup_create(stream, "router", "$", mkstream=True)
        for n in range(1200 if stream == "orders.incoming" else 30):
            server.client.xadd(
                stream, {"json": json.dumps({"ts_ms": 1_700_000_000_000 + n})}, id=f"{1_700_000_000_010 + n}-1"
            )
        server.client.xreadgroup("router", "r1", {stream: ">"}, count=3)
    for name in (b'"],["', b"\\", b"\x00\xff\r\n"):
        server.client.xgroup_create("orders.validated", name, "0")
    server.add("risk.metrics", {"book": "main", "var_99": 1})
    server.client.hset("policy:kill_switch", mapping={"enabled": "on", "by": "x"})
    server.client.set("positions", "x")


async def test_without_scripts_plain_commands_say_the_same(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(server)
    commands = ("+@read", "+info", "+xinfo", "+time", "+select", "+client", "-@scripting")
    server.client.execute_command("ACL", "SETUSER", "reader", "reset", "on", ">secret", "~*", *commands)
    monkeypatch.setenv("READER_PASSWORD", "secret")
    settings = server.settings("reader@", password={"env": "READER_PASSWORD"})
    plain, scripted = RedisWall(settings, CLOCK), RedisWall(server.settings(), CLOCK)
    for n in range(2):
        one, other = await plain.read(), await scripted.read()
        assert one.hashes == other.hashes
        known = [facts._replace(since_ms=None) for facts in one.streams.values() if isinstance(facts, StreamFacts)]
        assert known == [
            facts._replace(since_ms=None) for facts in other.streams.values() if isinstance(facts, StreamFacts)
        ]
        assert one.note is not None and "no scripts" in one.note and other.note is None
        for stream in ("orders.validated", "ticks.yahoo"):
            server.client.xadd(stream, {"json": '{"ts_ms": 1700000000999}'}, id=f"{1_700_000_001_000 + n}-1")
    server.client.config_resetstat()
    await plain.read()
    assert server.client.info("stats")["total_error_replies"] == 0, "what is denied is not tried again"
    await plain.close()
    await scripted.close()


async def test_denied_keys_cost_only_their_own_sample(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add("orders.incoming", {})
    commands = ("+@read", "+info", "+xinfo", "+time", "+@scripting", "+client")
    keys = ("~orders.*", "~policy:*", "~risk*", "~positions")
    server.client.execute_command("ACL", "SETUSER", "narrow", "reset", "on", ">secret", *keys, *commands)
    monkeypatch.setenv("NARROW_PASSWORD", "secret")
    probes = RedisProbes(server.settings("narrow@", password={"env": "NARROW_PASSWORD"}), CLOCK)
    samples = await probes.tick()
    await probes.close()
    assert (samples["kill_switch"].error, samples["flow"].error) == (None, None)
    assert samples["heartbeats"].error == "engine:hb: no permission to read it"
    assert samples["feeds"].error == "ticks.yahoo: no permission to read it"
    assert samples["redis"].value.is_save_on is None, "CONFIG is denied: unknown, not off"


async def test_a_thousand_streams(server: Server) -> None:
    watched = tuple(f"watched.{n}" for n in range(1000))
    pipe = server.client.pipeline(transaction=False)
    for name in watched:
        pipe.xadd(name, {"json": "{}"})
    pipe.execute()
    probes = RedisProbes(server.settings(watched_streams=watched), CLOCK)
    await probes.tick()
    server.add("watched.999", {})
    spent = time.process_time()
    flow = await flow_of(probes)
    spent = time.process_time() - spent
    await probes.close()
    assert len(flow.streams) == 1004 and all(stream.depth for stream in flow.streams[4:])
    assert [stream.name for stream in flow.streams if stream.rate_per_s] == ["watched.999"]
    assert spent < 0.25, "about 0.015 s on an idle machine"


async def test_the_sandbox_is_read_whole(sandbox: tuple[Any, Any]) -> None:
    layout, _ = sandbox
    settings = load(layout.config)
    probes = RedisProbes(settings, CLOCK)
    await probes.tick()
    deadline = time.monotonic() + PATIENCE_S
    samples = await probes.tick()
    while any(sample.value is None for sample in samples.values()) or not samples["flow"].value.in_flight:
        assert time.monotonic() < deadline, samples
        samples = await probes.tick()
    spent: list[float] = []
    for _ in range(10):
        started = time.process_time()
        samples = await probes.tick()
        spent.append(time.process_time() - started)
    await probes.close()
    assert {name: sample.error for name, sample in samples.items()} == dict.fromkeys(NAMES)
    assert {stream.label for stream in samples["flow"].value.streams} >= {"incoming", "validated", "rejected", "fills"}
    assert {venue.name for venue in samples["venues"].value} >= {"IBKR", "ZERODHA"}
    assert all(
        feed.lag_p95_ms is not None and feed.tick_rate_per_s is not None for feed in samples["feeds"].value.feeds
    )
    assert samples["risk"].value.limits.drawdown_pct and samples["risk"].value.positions
    assert sorted(spent)[5] < 0.05, "about 0.002 s on an idle machine"
