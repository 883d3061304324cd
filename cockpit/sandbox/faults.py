"""Every fault of the sandbox: what it is, what it breaks, where the runbook answers it (standard library only)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which the platform can really be broken."""

    id: str
    title: str
    breaks: str
    """What is different from a healthy day, for whoever reads a list of faults."""
    section: str
    """The runbook's section that answers it."""
    clears_by: str
    """What an operator would do; `clear` undoes every fault anyway."""


_BROKERS = (
    Fault("broker-down", "IBKR down", "IBKR refuses connections and orders", "3.1", "reroute to the backup adapter"),
    Fault("broker-partial", "IBKR partly down", "IBKR refuses about half of the orders", "3.1", "reroute"),
    Fault("broker-slow", "IBKR slow", "IBKR answers late; open orders pile up", "3.1", "reroute"),
    Fault(
        "ibkr-reset",
        "IBKR reset",
        "IBKR lost its servers (1100) and calls it the nightly reset, at any hour",
        "3.1",
        "wait, reconcile",
    ),
    Fault("ibkr-blackhole", "IBKR black-holed", "IBKR takes connections and never answers", "3.1", "reroute"),
    Fault(
        "zerodha-token", "Zerodha token dead", "Zerodha refuses every request with 403", "3.1", "log in anew, reroute"
    ),
    Fault("zerodha-blackhole", "Zerodha black-holed", "Zerodha takes requests and never answers", "3.1", "reroute"),
)
_FEEDS = (
    Fault(
        "feed-stalled",
        "Primary feed stalled",
        "no tick comes from the primary feed",
        "3.2",
        "switch to the backup feed",
    ),
    Fault("feed-late", "Primary feed late", "its ticks are 300 ms late", "3.2", "switch to the backup feed"),
    Fault(
        "feed-gappy",
        "Primary feed gappy",
        "it drops more than a second of ticks now and then",
        "3.2",
        "switch, fill gaps",
    ),
    Fault("gateway-crashloop", "ws-gateway in a crash loop", "its pods exit soon after they start", "3.2", "clear it"),
    Fault("gateway-pod-crash", "One ws-gateway pod crashes", "it exits again and again", "3.2", "restart ws-gateway"),
    Fault(
        "gateway-bad-rollout", "Bad rollout of ws-gateway", "a new image cannot be pulled", "3.2", "undo the rollout"
    ),
)
_REDIS = (
    Fault("redis-killed", "Redis killed", "kill -9: container redis is Exited (137)", "3.3", "docker restart redis"),
    Fault(
        "redis-lost", "Redis killed, its data gone", "kill -9 and no file is left", "3.3", "restart, replay the ledger"
    ),
    Fault(
        "redis-memory-85",
        "Redis at 85 % of its memory",
        "large values take the room",
        "3.3",
        "delete sandbox:ballast:*",
    ),
    Fault("redis-memory-full", "Redis out of memory", "every write is refused: OOM", "3.3", "delete sandbox:ballast:*"),
    Fault(
        "redis-misconf", "Redis cannot save", "a failed BGSAVE; every write is refused: MISCONF", "3.3", "restart it"
    ),
    Fault(
        "redis-slow", "Redis slow", "a client holds it up for 120 ms at a time", "3.3", "CLIENT KILL of nightly-report"
    ),
    Fault(
        "redis-blackhole",
        "Redis black-holed",
        "stopped: takes connections, never answers",
        "3.3",
        "docker restart redis",
    ),
)
_POSTGRES = (
    Fault("postgres-killed", "Postgres killed", "kill -9 of the server", "3.4", "docker start postgres"),
    Fault("postgres-table-lost", "Postgres lost a table", "table fills was dropped", "3.4", "restore the dump"),
    Fault(
        "postgres-blocker", "Postgres blocked", "an idle transaction locks table fills", "3.4", "terminate that backend"
    ),
    Fault(
        "postgres-blackhole", "Postgres black-holed", "stopped: takes connections, never answers", "3.4", "restart it"
    ),
)
_WORKERS = (
    Fault("lag-risk", "Risk manager stands still", "group risk reads no orders", "3.1", "clear it"),
    Fault("lag-router", "Router stands still", "group router reads no orders", "3.1", "clear it"),
    Fault("lag-ledger", "Ledger writer stands still", "group ledger reads no fills", "3.1", "clear it"),
    Fault(
        "lag-candles", "Candle aggregator stands still", "group candles reads no ticks", "3.2", "clear it, fill gaps"
    ),
)
_RISK = (
    Fault("drawdown", "Drawdown over 5 %", "prices move against every position", "3.5", "flatten, run the scenarios"),
    Fault(
        "var-breach",
        "VaR over its limit",
        "the market is several times as volatile",
        "3.5",
        "flatten, run the scenarios",
    ),
)
_SURROUNDINGS = (
    Fault("grafana-down", "Grafana down", "its port refuses connections", "4", "clear it"),
    Fault("grafana-nodata", "Grafana blind", "its data source is gone: NoData", "4", "clear it"),
    Fault("grafana-blackhole", "Grafana black-holed", "it takes requests and never answers", "4", "clear it"),
    Fault("kubernetes-down", "Kubernetes API down", "its port refuses connections", "3.2", "clear it"),
    Fault("kubernetes-blackhole", "Kubernetes API black-holed", "it takes requests, never answers", "3.2", "clear it"),
    Fault("api-crashloop", "The read API in a crash loop", "its pods exit soon after they start", "4", "clear it"),
    Fault("docker-down", "Docker down", "its socket refuses connections", "4", "clear it"),
    Fault("docker-blackhole", "Docker black-holed", "it takes requests and never answers", "4", "clear it"),
)
LIFTING = frozenset(fault.id for fault in _RISK)
"""Whoever clears one of these also lifts the halt by which the risk manager answered it."""
FAULTS: dict[str, Fault] = {
    fault.id: fault for fault in (*_BROKERS, *_FEEDS, *_REDIS, *_POSTGRES, *_WORKERS, *_RISK, *_SURROUNDINGS)
}
