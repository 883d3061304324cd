"""The panels of the wall, in the order of the wall."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from widgets.line import Line
from widgets.panels import alerts, brokers, feeds, findings, flow, kubernetes, postgres, redis, risk
from widgets.view import View


def _none(view: View, width: int) -> list[Line]:
    return []


class Panel(NamedTuple):
    """One panel: where its data and its history come from, and how it is drawn."""

    id: str
    title: str
    short: str
    """Its name where there is one line for it."""
    sample: str | None
    """The field of the snapshot whose age is the panel's; None = the snapshot's own."""
    lines: Callable[[View, int, int], list[Line]]
    summary: Callable[[View, int], Line]
    charts: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Title, unit and series of each chart that zooming offers; a series ending in `:` is a family."""
    asides: Callable[[View, int], list[Line]] = _none
    """Its lines that come from elsewhere and say their own age: they do not grow old with its sample."""


PANELS: tuple[Panel, ...] = (
    Panel("brokers", "Brokers", "Brokers", "venues", brokers.lines, brokers.summary,
          (("Latency of the venues", "ms", ("venue_latency_ms:",)),
           ("Own probe of the brokers", "ms", ("reach_ms:",))), brokers.probes),
    Panel("flow", "Order flow", "Order flow", "flow", flow.lines, flow.summary,
          (("Orders", "a second", ("incoming_per_s", "validated_per_s", "rejected_per_s", "fills_per_s")),
           ("Orders in flight", "", ("in_flight",)))),
    Panel("risk", "Risk limits", "Risk", "risk", risk.lines, risk.summary,
          (("VaR 99 and ES 97.5", "$", ("risk_var_99", "risk_es_975")),
           ("Drawdown", "fraction", ("risk_drawdown_pct",)),
           ("Gross exposure", "$", ("risk_gross_usd",)), ("P&L of the day", "$", ("risk_pnl_day",)))),
    Panel("feeds", "Feeds", "Feeds", "feeds", feeds.lines, feeds.summary,
          (("Lag p95 from exchange to Redis", "ms", ("feed_lag_ms:",)), ("Ticks", "a second", ("feed_rate:",)))),
    Panel("redis", "Redis", "Redis", "redis", redis.lines, redis.summary,
          (("Memory used", "bytes", ("redis_used_bytes",)), ("Operations", "a second", ("redis_ops_per_s",)),
           ("Round trip", "ms", ("redis_round_trip_ms",)))),
    Panel("postgres", "Postgres", "Postgres", "postgres", postgres.lines, postgres.summary,
          (("Commits", "a second", ("pg_commits_per_s",)), ("Connections", "", ("pg_connections",)),
           ("Size", "bytes", ("pg_size_bytes",)))),
    Panel("kubernetes", "Kubernetes", "Kubernetes", "kubernetes", kubernetes.lines, kubernetes.summary,
          (("Pods ready", "", ("pods_ready",)),), kubernetes.beside),
    Panel("alerts", "Alerts", "Alerts", "alerts", alerts.lines, alerts.summary,
          (("Alerts firing", "", ("alerts_firing",)),)),
    Panel("findings", "Findings", "Findings", None, findings.lines, findings.summary),
)  # fmt: skip


def panel(name: str) -> Panel:
    """The panel of that id."""
    return next(each for each in PANELS if each.id == name)
