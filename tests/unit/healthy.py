"""A platform on a healthy day, as one snapshot: what the severity tests break one thing of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cockpit.config import Settings
from cockpit.model.alerting import Alerting
from cockpit.model.backends import (
    AlertRule,
    Alerts,
    Container,
    Database,
    Databases,
    Deployment,
    Docker,
    Dump,
    DumpContents,
    Kubernetes,
    Pod,
    PostgresServer,
    RedisServer,
)
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import (
    Feed,
    Feeds,
    Group,
    Heartbeat,
    KillSwitch,
    Limits,
    OrderFlow,
    Position,
    Reach,
    Registry,
    Risk,
    Stream,
    Venue,
)
from cockpit.model.world import World
from cockpit.parts import parsed

NOW = 1_800_000_000.0
NOW_MS = int(NOW * 1000)

SETTINGS = parsed(
    Settings,
    {
        "site": "test",
        "world": "SANDBOX",
        "root": str(Path("/nowhere")),
        "venues": [
            {"name": "IBKR", "probe": "tws://127.0.0.1:4002", "backup": "zerodha"},
            {"name": "ZERODHA", "probe": "http://127.0.0.1:1/", "backup": "paper"},
            {"name": "PAPER"},
        ],
        "postgres": {"dump_max_age_s": 300.0},
        "kubernetes": {"deployments": ["ws-gateway", "router", "api"]},
        "redis": {},
        "docker": {},
        "grafana": {},
    },
)


def group(name: str, **changes: Any) -> Group:
    fields: dict[str, Any] = {
        "lag": 2, "is_lag_capped": False, "pending": 3, "oldest_pending_s": 0.1, "consumers": 1,
        "has_lost_entries": False,
    }  # fmt: skip
    return Group(name, **{**fields, **changes})


def stream(
    name: str, label: str, *groups: Group, depth: int | None = 1000, rate: float = 50.0, fault: str | None = None
) -> Stream:
    return Stream(name, label, depth, rate, NOW_MS - 50, groups, fault)


def flow(**streams: Stream) -> OrderFlow:
    healthy = {
        "incoming": stream("orders.incoming", "incoming", group("risk")),
        "validated": stream("orders.validated", "validated", group("router")),
        "rejected": stream("orders.rejected", "rejected", depth=100, rate=2.0),
        "fills": stream("orders.fills", "fills", group("ledger")),
    }
    return OrderFlow(tuple({**healthy, **streams}.values()), in_flight=3, oldest_in_flight_s=0.1, now_ms=NOW_MS)


def feed(name: str = "yahoo", **changes: Any) -> Feed:
    fields: dict[str, Any] = {
        "lag_p50_ms": 15.0, "lag_p95_ms": 28.0, "tick_rate_per_s": 100.0, "newest_age_s": 0.05, "gaps": 0,
        "last_gap_age_s": None,
        "stream": stream(f"ticks.{name}", name, *([group("candles")] if name == "yahoo" else []), rate=100.0),
    }  # fmt: skip
    return Feed(name, **{**fields, **changes})


def feeds(*changed: Feed, **changes: Any) -> Feeds:
    both = {"yahoo": feed("yahoo"), "moneycontrol": feed("moneycontrol")}
    both.update({one.name: one for one in changed})
    fields: dict[str, Any] = {
        "active": "yahoo", "candle_interval_s": 5.0, "candle_age_s": 4.0, "candles_missing": 0
    }  # fmt: skip
    return Feeds(tuple(both.values()), **{**fields, **changes})


def venue(name: str = "IBKR", status: str = "up", **changes: Any) -> Venue:
    return Venue(name, status, **{"age_s": 0.5, "latency_ms": 12.0, "open_orders": 3, **changes})


def venues(*changed: Venue) -> tuple[Venue, ...]:
    all_three = {"IBKR": venue("IBKR"), "ZERODHA": venue("ZERODHA", token_left_s=28000.0), "PAPER": venue("PAPER")}
    all_three.update({one.name: one for one in changed})
    return tuple(all_three.values())


def reach(**is_up: bool) -> tuple[Reach, ...]:
    return tuple(Reach(name, is_up.get(name, True), 3.0, "handshake") for name in ("IBKR", "ZERODHA"))


def redis(**changes: Any) -> RedisServer:
    fields: dict[str, Any] = {
        "version": "7.2", "used_bytes": 40 * 2**20, "limit_bytes": 256 * 2**20, "policy": "noeviction",
        "evicted_total": 0, "evicted_per_s": 0.0, "fragmentation_bytes": 0, "is_aof_on": True, "is_aof_ok": True,
        "appendfsync": "everysec", "is_save_on": True, "is_save_ok": True, "last_save_age_s": 30.0,
        "unsaved_changes": 10, "refuses_writes": False, "is_loading": False, "role": "primary", "replicas": 0,
        "primary_link": None, "clients": 14, "blocked_clients": 0, "ops_per_s": 1200.0, "uptime_s": 500.0,
        "run_id": "a" * 40, "round_trip_ms": 0.4,
    }  # fmt: skip
    return RedisServer(**{**fields, **changes})


def postgres(**changes: Any) -> PostgresServer:
    fields: dict[str, Any] = {
        "version": "18", "connections": 18, "max_connections": 100, "oldest_transaction_s": 0.2, "blocked": (),
        "is_in_recovery": False, "replicas": 0, "replay_lag_s": None, "size_bytes": 84 * 2**20, "wal_bytes": 1,
        "wal_bytes_per_s": 1.0, "commits_per_s": 10.0, "rollbacks_per_s": 0.0, "missing_tables": (),
    }  # fmt: skip
    return PostgresServer(**{**fields, **changes})


def databases(**changes: Any) -> Databases:
    own = Database("hedgefund", "hedgefund_user", True, True, 6, 0, 0, 0, 84 * 2**20)
    fields: dict[str, Any] = {
        "wanted": "hedgefund", "role": "hedgefund_user", "is_superuser": False, "may_create": True,
        "roles": ("hedgefund_user",), "version": 180000, "is_in_recovery": False, "free_bytes": 10 * 2**30,
        "found": (own,),
    }  # fmt: skip
    return Databases(**{**fields, **changes})


def dump_contents(**changes: Any) -> DumpContents:
    fields: dict[str, Any] = {
        "database": "hedgefund", "server_version": "18.0", "begun_at": NOW - 53.0, "owners": ("hedgefund_user",),
        "items": 40, "rows": (("public.fills", 900), ("public.orders", 1000), ("public.positions", 12)),
        "raw_bytes": 2**20,
    }  # fmt: skip
    return DumpContents(**{**fields, **changes})


def dump(**changes: Any) -> Dump:
    fields: dict[str, Any] = {
        "path": "/backups/pg/latest.dump", "age_s": 52.0, "size_bytes": 1_700_000, "is_readable": True,
        "identity": "2026-11-25T02:00:00.000000Z, 1700000 bytes", "contents": dump_contents(),
    }  # fmt: skip
    return Dump(**{**fields, **changes})


def pod(name: str, **changes: Any) -> Pod:
    return Pod(name, **{"phase": "Running", "is_ready": True, "restarts": 0, "reason": None, "age_s": 60.0, **changes})


def deployment(name: str, ready: int = 2, desired: int = 2, *pods: Pod, **changes: Any) -> Deployment:
    fields: dict[str, Any] = {
        "updated": desired, "available": ready, "rollout": "complete", "message": None, "restarted_age_s": None,
        "pods": pods or tuple(pod(f"{name}-{index}") for index in range(ready)),
    }  # fmt: skip
    return Deployment(name, desired, ready, **{**fields, **changes})


def kubernetes(*changed: Deployment, absent: tuple[str, ...] = ()) -> Kubernetes:
    three = {
        "ws-gateway": deployment("ws-gateway"),
        "router": deployment("router", 1, 1),
        "api": deployment("api"),
    }
    three.update({one.name: one for one in changed})
    kept = tuple(one for one in three.values() if one.name not in absent)
    return Kubernetes("v1.30", "default", kept, absent)


def docker(**states: str) -> Docker:
    return Docker(
        "27", tuple(Container(name, states.get(name, "running"), "", 500.0, None, 1) for name in ("redis", "postgres"))
    )


def risk(**changes: Any) -> Risk:
    fields: dict[str, Any] = {
        "age_s": 0.9, "book": "main", "var_99": 1.2e6, "es_975": 1.6e6, "drawdown_pct": 0.008, "gross_usd": 41e6,
        "net_usd": 3e6, "pnl_day": 184210.0,
        "limits": Limits(var_99=2.0e6, es_975=2.6e6, drawdown_pct=0.05, gross_usd=60e6),
        "positions": (Position("AAPL", 100.0, 190.0, 191.0, 19100.0),),
    }  # fmt: skip
    return Risk(**{**fields, **changes})


def alerts(*rules: AlertRule, **changes: Any) -> Alerts:
    normal = tuple(
        AlertRule(name, "normal", label, None, None)
        for name, label in (
            ("Latency > 100 ms", "warn"),
            ("Redis memory > 80%", "warn"),
            ("VaR/ES > limits", "critical"),
        )
        if name not in {rule.name for rule in rules}
    )
    return Alerts(**{"source": "Grafana", "is_database_ok": True, "rules": (*normal, *rules), **changes})


def heartbeats(**ages: float | None) -> tuple[Heartbeat, ...]:
    names = ("market", "ws-gateway", "strategies", "risk", "candles", "ledger", "pgwriter", "router", "api")
    return tuple(Heartbeat(name, ages.get(name.replace("-", "_"), 0.5)) for name in names)


def values() -> dict[str, Any]:
    return {
        "kill_switch": KillSwitch(is_engaged=False, is_present=True),
        "venues": venues(),
        "reach": reach(),
        "flow": flow(),
        "feeds": feeds(),
        "registry": Registry("yahoo", "moneycontrol", NOW - 1000),
        "risk": risk(),
        "redis": redis(),
        "postgres": postgres(),
        "databases": databases(),
        "dump": dump(),
        "kubernetes": kubernetes(),
        "docker": docker(),
        "alerts": alerts(),
        "alerting": Alerting(),
        "heartbeats": heartbeats(),
    }


def snapshot(at: float = NOW, **changed: Any) -> Snapshot:
    """A healthy snapshot but for what is named: a value, or a whole Sample."""
    samples = {
        name: value if isinstance(value, Sample) else Sample.good(value, at - 0.3, 0.01)
        for name, value in {**values(), **changed}.items()
    }
    return Snapshot(1, at, World.SANDBOX, "test", **samples)


def dead(
    at: float = NOW, age_s: float | None = 6.0, error: str = "connection refused", value: Any = None
) -> Sample[Any]:
    """A sample that fails now."""
    before: Sample[Any] = Sample() if age_s is None else Sample.good(value, at - age_s, 0.01)
    return before.failed(error, at - 0.1, 0.01)
