"""What the wall says of one reading of Redis: kill switch, venues, flow, risk, server, heartbeats."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from redis_readings import NOW_MS, PART, SETTINGS, a_group, a_reading, a_stream

from actions.kill_switch.intent import Halt
from cockpit.clients.redis_reading import Anew, KeyFault
from cockpit.errors import Refused
from cockpit.model.states import Heartbeat, KillSwitch, Limits, SwitchRecord
from cockpit.probes.flow import Kept, read_flow
from cockpit.probes.heartbeats import read_heartbeats
from cockpit.probes.kill_switch import BY_HAND, SwitchMemory, attribute, read_kill_switch
from cockpit.probes.redis_server import read_redis_server
from cockpit.probes.risk import read_risk
from cockpit.probes.streams import NONE_LOST, find_lost
from cockpit.probes.venues import read_venues


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "yes", "On", " true "])
def test_truthy_values_engage(value: str) -> None:
    found = read_kill_switch(a_reading(hashes={PART.kill_switch_key: {"enabled": value}}), PART)
    assert found == KillSwitch(is_engaged=True, is_present=True)


@pytest.mark.parametrize("value", ["false", "0", "", "no", "tru", "2", "enabled"])
def test_other_values_do_not(value: str) -> None:
    assert not read_kill_switch(a_reading(hashes={PART.kill_switch_key: {"enabled": value}}), PART).is_engaged


def test_missing_kill_switch_is_trading_enabled() -> None:
    found = read_kill_switch(a_reading(hashes={PART.kill_switch_key: None}), PART)
    assert found == KillSwitch(is_engaged=False, is_present=False)


def test_kill_switch_says_who_why_and_since() -> None:
    fields = {"enabled": "true", "by": "asha\x1b[31m", "reason": "test", "ts": str(NOW_MS - 5000)}
    found = read_kill_switch(a_reading(hashes={PART.kill_switch_key: fields}), PART)
    assert (found.by, found.reason, found.since) == ("asha␛[31m", "test", NOW_MS / 1000 - 5)


@pytest.mark.parametrize("is_engaged", [True, False])
def test_a_flip_by_hand_is_not_the_last_writers(is_engaged: bool) -> None:
    recorded = KillSwitch(not is_engaged, True, "flat, risk ok", "root@vm", 100.0)
    flipped = replace(recorded, is_engaged=is_engaged)
    memory = attribute(flipped, attribute(recorded, None, 101.0), 500.0)
    expected = KillSwitch(is_engaged, True, BY_HAND, None, 500.0, SwitchRecord("root@vm", 100.0))
    assert memory.told == expected
    memory = attribute(flipped, memory, 501.0)
    assert memory.told == expected, "it stays so"
    back = attribute(recorded, memory, 502.0).told
    assert (back.by, back.since) == (None, 502.0), "and so does a second flip"
    written = replace(flipped, since=600.0, by="asha")
    assert attribute(written, memory, 601.0).told == written


def test_a_flip_without_any_ts_is_by_hand_and_what_came_with_it_its_own() -> None:
    memory: SwitchMemory | None = None
    for at, said in enumerate((KillSwitch(False, False), KillSwitch(True, True))):
        memory = attribute(said, memory, float(at))
    assert memory is not None and (memory.told.by, memory.told.reason, memory.told.since) == (None, BY_HAND, 1.0)
    memory = attribute(KillSwitch(False, True, "tested", "asha"), memory, 2.0)
    memory = attribute(KillSwitch(False, True, "tested", "asha"), memory, 3.0)
    assert (memory.told.by, memory.told.reason, memory.told.since) == ("asha", "tested", 2.0)


def test_a_halt_by_hand_can_be_released_as_the_key_says_it() -> None:
    recorded = KillSwitch(False, True, "ok", "root@vm", 100.0)
    told = attribute(replace(recorded, is_engaged=True), attribute(recorded, None, 101.0), 500.0).told
    assert Halt.of(told).is_in({"enabled": "true", "by": "root@vm", "reason": "ok", "ts": "100000"})


def test_an_unreadable_kill_switch_is_an_error_not_a_no() -> None:
    with pytest.raises(Refused, match="policy:kill_switch: it is a string"):
        read_kill_switch(a_reading(hashes={PART.kill_switch_key: KeyFault("it is a string")}), PART)
    with pytest.raises(Refused, match="loading"):
        read_kill_switch(a_reading(fault="is loading its data"), PART)


def test_venues_in_configured_order_with_overrides() -> None:
    status = {
        "PAPER": json.dumps({"status": "UP"}),
        "ZERODHA": "{garbage",
        "IBKR": json.dumps(
            {
                "status": "down",
                "ts_ms": NOW_MS - 1500,
                "code": 1100,
                "message": "lost",
                "latency_ms": "12.5",
                "open_orders": 3,
                "token_expires_ms": NOW_MS + 60_000,
            }
        ),
    }
    hashes = {PART.venue_status_key: status, PART.route_override_key: {"IBKR": "zerodha"}}
    ibkr, zerodha, paper = read_venues(a_reading(hashes=hashes), SETTINGS)
    assert (ibkr.name, ibkr.status, ibkr.age_s, ibkr.code, ibkr.override) == ("IBKR", "down", 1.5, "1100", "zerodha")
    assert (ibkr.latency_ms, ibkr.open_orders_last_told, ibkr.token_left_s) == (12.5, 3, 60.0)
    assert (zerodha.status, zerodha.age_s, zerodha.open_orders) == ("unknown", None, None)
    assert (paper.status, paper.override) == ("up", None)


@pytest.mark.parametrize(
    ("status", "age_s", "known", "words"),
    [
        ("up", 1.0, 0, "0"),
        ("degraded", 1.0, 0, "0"),
        ("down", 1.0, None, "unknown, 0 last told"),
        ("dreaming", 1.0, None, "unknown, 0 last told"),
        ("up", 42.0, None, "unknown, 0 last told 42 s ago"),
        ("up", None, None, "unknown, 0 last told"),
    ],
)
def test_open_orders_of_a_broker_that_cannot_count_them_are_unknown(
    status: str, age_s: float | None, known: int | None, words: str
) -> None:
    said = {"status": status, "open_orders": 0, "ts_ms": None if age_s is None else NOW_MS - age_s * 1000}
    (found,) = read_venues(a_reading(hashes={PART.venue_status_key: {"IBKR": json.dumps(said)}}), SETTINGS)
    assert (found.open_orders, found.open_orders_last_told) == (known, 0)
    assert found.orders_words == words


def test_heartbeats() -> None:
    beats = {"router": str(NOW_MS - 2000), "api": "soon", "ahead": str(NOW_MS + 5000), "near": str(NOW_MS + 1000)}
    found = read_heartbeats(a_reading(hashes={PART.heartbeats_key: beats}), PART)
    assert found == (
        Heartbeat("ahead", None), Heartbeat("api", None), Heartbeat("near", 0.0), Heartbeat("router", 2.0),
    )  # fmt: skip


def test_flow_is_a_rate_and_a_missing_stream_has_no_depth() -> None:
    flow = read_flow(a_reading(streams={"orders.incoming": a_stream(new=50, depth=10)}), NONE_LOST, PART)
    incoming, fills = flow.stream("incoming"), flow.stream("fills")
    assert incoming is not None and fills is not None
    assert (incoming.depth, incoming.rate_per_s, flow.age_s(incoming)) == (10, 50.0, 0.1)
    assert (fills.depth, fills.rate_per_s, fills.newest_ms, fills.groups) == (None, None, None, ())
    assert flow.in_flight is None


def test_in_flight_is_undelivered_and_unfinished() -> None:
    group = a_group(pending=3, lag=4, oldest_pending_id=f"{NOW_MS - 7000}-0")
    flow = read_flow(a_reading(streams={"orders.validated": a_stream(groups=(group,))}), NONE_LOST, PART)
    assert (flow.in_flight, flow.oldest_in_flight_s) == (7, 7.0)
    unknown = a_reading(streams={"orders.validated": a_stream(groups=(group._replace(lag=None),))})
    assert read_flow(unknown, NONE_LOST, PART).in_flight is None


def test_flow_fails_only_when_no_stream_can_be_read() -> None:
    streams: dict[str, Any] = dict.fromkeys(PART.order_streams.values(), KeyFault("no permission to read it"))
    with pytest.raises(Refused, match="no permission"):
        read_flow(a_reading(streams=streams), NONE_LOST, PART)
    streams["orders.fills"], streams["orders.rejected"] = a_stream(), None
    found = read_flow(a_reading(streams=streams), NONE_LOST, PART).streams
    denied = (None, "no permission to read it")
    assert [(one.depth, one.fault) for one in found] == [denied, denied, (None, None), (10, None)]


def lost(facts: Any, before: Any = None, known: Any = NONE_LOST) -> bool:
    earlier = a_reading(streams={"s": before}) if before is not None else None
    return ("s", "router") in find_lost(a_reading(streams={"s": facts}), earlier, known)


def at(ms: int) -> str:
    return f"{NOW_MS + ms}-0"


def test_redis_7_counts_what_was_lost() -> None:
    behind = a_group(delivered_id=at(-9000), entries_read=100)
    assert lost(a_stream(added=1000, depth=500, first_id=at(-5000), groups=(behind,)))
    assert not lost(a_stream(added=1000, depth=900, first_id=at(-5000), groups=(behind,)))
    assert not lost(a_stream(added=1000, depth=500, first_id=at(-9500), groups=(behind,)))
    never = a_group(delivered_id="0-0", entries_read=None)
    assert lost(a_stream(added=1000, depth=500, first_id=at(-5000), groups=(never,)))
    assert not lost(a_stream(added=500, depth=500, first_id=at(-5000), groups=(never,)))


def test_before_redis_7_the_reading_before_tells() -> None:
    behind = a_group(delivered_id=at(-9000), entries_read=None)
    earlier = a_stream(added=None, first_id=at(-8000), groups=(behind,))
    later = a_stream(added=None, first_id=at(-5000), groups=(behind,))
    assert lost(later, earlier)
    assert lost(later, later, frozenset({("s", "router")})), "it stands until the group has passed the gap"
    assert not lost(later._replace(groups=(a_group(delivered_id=at(-5000)),)), later, frozenset({("s", "router")}))
    assert not lost(earlier, earlier), "delivered and removed, as a group does that deletes what it has done"


def test_a_loss_that_is_written_as_a_negative_number_is_as_large_as_one_that_is_not() -> None:
    metrics = a_stream(newest=b'{"var_99": -5, "es_975": -6, "drawdown_pct": -0.2, "gross_usd": -7, "net_usd": -8}')
    hashes = {PART.limits_key: {"var_99": "-10", "drawdown_pct": "-0.05"}}
    risk = read_risk(a_reading(streams={PART.metrics_stream: metrics}, hashes=hashes), PART)
    assert (risk.var_99, risk.es_975, risk.drawdown_pct, risk.gross_usd, risk.net_usd) == (5.0, 6.0, 0.2, 7.0, -8.0)
    assert risk.limits == Limits(var_99=10.0, drawdown_pct=0.05)


def test_risk_figures_limits_and_positions() -> None:
    metrics = a_stream(newest=b'{"book": "main", "var_99": 5, "es_975": "x", "gross_usd": NaN, "pnl_day": -3.5}')
    hashes = {
        PART.limits_key: {"var_99": "10", "drawdown_pct": "0.05", "gross_usd": "much"},
        PART.positions_key: {
            "A": '{"qty": -2, "avg_px": 5, "mark": 6, "notional_usd": -12}',
            "B": '{"qty": 1, "notional_usd": 50}',
            "C": "[]",
        },
    }
    risk = read_risk(a_reading(streams={PART.metrics_stream: metrics}, hashes=hashes), PART)
    assert (risk.age_s, risk.book, risk.var_99, risk.es_975, risk.gross_usd, risk.pnl_day) == (
        0.1, "main", 5.0, None, None, -3.5,
    )  # fmt: skip
    assert risk.limits == Limits(var_99=10.0, drawdown_pct=0.05)
    assert [(one.symbol, one.qty, one.notional_usd) for one in risk.positions] == [
        ("C", None, None), ("B", 1.0, 50.0), ("A", -2.0, -12.0),
    ]  # fmt: skip


def test_no_risk_figures_is_an_error() -> None:
    with pytest.raises(Refused, match="no stream"):
        read_risk(a_reading(), PART)
    with pytest.raises(Refused, match="empty"):
        read_risk(a_reading(streams={PART.metrics_stream: a_stream(depth=0)}), PART)


@pytest.mark.parametrize("payload", [None, b"", b"garbage", b"[1]", b"NaN", b'"x"'])
def test_risk_figures_that_are_no_object_are_an_error(payload: bytes | None) -> None:
    with pytest.raises(Refused, match=r"risk\.metrics is no JSON object"):
        read_risk(a_reading(streams={PART.metrics_stream: a_stream(newest=payload)}), PART)


def test_risk_figures_ahead_of_the_clock_are_an_error() -> None:
    ahead = a_stream(newest=b"{}", last_id=f"{NOW_MS + 60_000}-0")
    with pytest.raises(Refused, match="ahead of Redis' clock"):
        read_risk(a_reading(streams={PART.metrics_stream: ahead}), PART)


NEEDED = {"role": "master", "used_memory": "500", "maxmemory": "0"}


def server(info: dict[str, str], config: dict[str, str] | None = None, before: Any = None) -> Any:
    return read_redis_server(a_reading(info=NEEDED | info, config=config or {}), before)


@pytest.mark.parametrize("name", NEEDED)
def test_info_without_the_essentials_is_an_error(name: str) -> None:
    for info in ({key: value for key, value in NEEDED.items() if key != name}, NEEDED | {"used_memory": "much"}):
        with pytest.raises(Refused, match="INFO lacks"):
            read_redis_server(a_reading(info=info), None)


def test_what_info_does_not_say_is_unknown() -> None:
    found = server({})
    named = (
        "evicted_total", "evicted_per_s", "fragmentation_bytes", "is_aof_on", "is_aof_ok", "is_save_on", "is_save_ok",
        "last_save_age_s", "unsaved_changes", "refuses_writes", "is_loading", "replicas", "clients", "blocked_clients",
        "ops_per_s", "uptime_s",
    )  # fmt: skip
    assert {name: getattr(found, name) for name in named} == dict.fromkeys(named)
    assert server({"aof_last_write_status": "err"}).is_aof_ok is False
    assert server({"aof_last_write_status": "ok"}).is_aof_ok is None
    assert server({"aof_last_write_status": "ok", "aof_last_bgrewrite_status": "ok"}).is_aof_ok is True


def test_no_limit_is_none_and_not_full() -> None:
    assert server({"used_memory": "500", "maxmemory": "0"}).used_fraction is None
    assert server({"used_memory": "500", "maxmemory": "1000"}).used_fraction == 0.5


STOPS, SAVES = "stop-writes-on-bgsave-error", "save"


@pytest.mark.parametrize(
    ("info", "config", "refuses"),
    [
        ({"rdb_last_bgsave_status": "ok"}, {}, False),
        ({"rdb_last_bgsave_status": "err"}, {STOPS: "yes", SAVES: "3600 1"}, True),
        ({"rdb_last_bgsave_status": "err"}, {STOPS: "yes", SAVES: ""}, False),
        ({"rdb_last_bgsave_status": "err"}, {STOPS: "no", SAVES: "3600 1"}, False),
        ({"rdb_last_bgsave_status": "err"}, {}, None),
        ({"rdb_last_bgsave_status": "ok", "aof_enabled": "1", "aof_last_write_status": "err"}, {}, True),
        ({"rdb_last_bgsave_status": "ok", "aof_enabled": "1", "aof_last_write_status": "ok"}, {}, False),
        ({"rdb_last_bgsave_status": "ok", "aof_enabled": "1"}, {}, None),
        ({}, {STOPS: "yes", SAVES: "3600 1"}, None),
    ],
)
def test_misconf(info: dict[str, str], config: dict[str, str], refuses: bool | None) -> None:
    assert server({"aof_enabled": "0"} | info, config).refuses_writes is refuses


def test_denied_config_is_unknown() -> None:
    found = server({"aof_enabled": "1"})
    assert (found.is_save_on, found.appendfsync) == (None, None)
    assert server({}, {SAVES: ""}).is_save_on is False


def test_evictions_are_a_rate_until_a_restart() -> None:
    before = a_reading(now_ms=NOW_MS - 2000, info={"run_id": "a", "evicted_keys": "10"})
    assert server({"run_id": "a", "evicted_keys": "30"}, before=before).evicted_per_s == 10.0
    assert server({"run_id": "b", "evicted_keys": "0"}, before=before).evicted_per_s is None
    assert server({"run_id": "a", "evicted_keys": "30"}).evicted_per_s is None


def test_denied_info_is_an_error() -> None:
    with pytest.raises(Refused, match="INFO: no permission"):
        read_redis_server(a_reading(info=KeyFault("no permission")), None)


def test_of_a_stream_that_stands_still_only_the_age_is_new() -> None:
    part = structs.replace(PART, watched_streams=("md.1",))
    order = {"orders.incoming": a_stream(new=5, depth=10)}
    still = a_stream(new=0, depth=7)
    kept = Kept()
    readings = [
        replace(a_reading(streams={**order, **more}), now_ms=NOW_MS + 1000 * at, before_ms=NOW_MS - 1000)
        for at, more in enumerate(({"md.1": still}, {"md.1": still}, {}, {"md.1": KeyFault("denied")}, {"md.1": still}))
    ]
    flows = [read_flow(reading, NONE_LOST, part, kept) for reading in readings]
    assert [flow.streams for flow in flows] == [read_flow(one, NONE_LOST, part).streams for one in readings]
    first, second, gone, denied, back = (flow.streams[-1] for flow in flows)
    assert first.depth == second.depth == back.depth == 7 and gone.depth is None and denied.fault == "denied"
    ages = [flow.age_s(flow.streams[-1]) for flow in flows[:2]]
    assert first == second and ages[0] is not None and ages[1] == pytest.approx(ages[0] + 1)
    assert [len(flow.judged) - len(part.order_streams) for flow in flows] == [0, 0, 0, 1, 0]


def test_of_thousands_of_streams_only_those_that_moved_are_told_anew() -> None:
    part = structs.replace(PART, watched_streams=("md.1", "md.2", "md.3"))
    waiting = a_group(pending=1, oldest_pending_id=f"{NOW_MS - 9000}-0")
    still, moved, pending = a_stream(new=0), a_stream(new=4, groups=(a_group(lag=4),)), a_stream(groups=(waiting,))
    steps = [{"md.2": still}, {"md.2": moved}, {"md.2": still}, {"md.2": None}]
    kept, streams, flows, fresh = Kept(), {}, [], []
    for at, step in enumerate(steps):
        before, streams = streams, {"md.1": still, "md.3": pending, "orders.incoming": a_stream(), **step}
        reading = a_reading(streams=streams, now_ms=NOW_MS + 1000 * at, anew=Anew(before, frozenset({"md.2"})))
        flows.append(read_flow(reading, NONE_LOST, part, kept))
        fresh.append(read_flow(reading, NONE_LOST, part))
    assert flows == fresh
    assert {flow.streams[-3] for flow in flows} == {flows[0].streams[-3]}
    assert len({id(flow.streams[-3]) for flow in flows}) == 1, "it was made once"
    assert [flow.streams[-1].groups[0].oldest_pending_s for flow in flows] == [9.0, 10.0, 11.0, 12.0]
    other = a_reading(streams={"orders.incoming": a_stream()}, anew=Anew({}, frozenset()))
    assert read_flow(other, NONE_LOST, part, kept).streams[-1].depth is None, "anew since another reading"


def test_a_loss_is_found_among_those_that_are_anew() -> None:
    before = {"md.1": a_stream(first_id="50-0", added=None), "md.2": a_stream(added=None)}
    cut = a_stream(first_id="90-0", added=None, groups=(a_group(delivered_id="40-0", entries_read=None),))
    after = {**before, "md.1": cut}
    last = a_reading(streams=before)
    for anew in (None, Anew(before, frozenset({"md.1"})), Anew({}, frozenset())):
        assert find_lost(a_reading(streams=after, anew=anew), last, NONE_LOST) == {("md.1", "router")}
