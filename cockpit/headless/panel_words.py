"""Each panel in one line of text; what is old says so, what is unknown is a dash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cockpit.config import Settings
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.model.states import Feed, Venue
from cockpit.severity.silence import PANELS, configured
from cockpit.severity.words import megabytes, money, ms, percent, seconds

NOT_CONFIGURED = "not configured"
NO_DATA = "no data yet"
DASH = "-"


def brokers(snapshot: Snapshot) -> Iterator[str]:
    """IBKR up 12 ms, ZERODHA up 31 ms"""
    yield from map(_venue, snapshot.venues.value or ())
    for reach in snapshot.reach.value or ():
        if not reach.is_up:
            yield f"{reach.venue} unreachable from here"


def flow(snapshot: Snapshot) -> Iterator[str]:
    """incoming 51/s, validated 49/s, rejected 2/s, fills 49/s, in flight 3"""
    found = snapshot.flow.value
    for stream in found.streams if found else ():
        yield f"{stream.label} {_rate(stream.rate_per_s)}"
    if found:
        yield f"in flight {_or_dash(found.in_flight)}"


def feeds(snapshot: Snapshot) -> Iterator[str]:
    """yahoo PRIMARY p95 28 ms 101/s, moneycontrol p95 29 ms 99/s"""
    found = snapshot.feeds.value
    for feed in found.feeds if found else ():
        yield _feed(feed, found.active if found else None)
    if found and found.candles_missing is None and found.candle_age_s is not None:
        yield "candles missing unknown"
    elif found and found.candles_missing:
        yield f"{found.candles_missing} candles missing"
    if found and found.candles_lost:
        yield f"{found.candles_lost} candles lost: no feed has a tick for them"


def redis(snapshot: Snapshot) -> Iterator[str]:
    """42 MB of 268 MB, noeviction, AOF ok, primary, 1,204 ops/s, 0.4 ms"""
    found = snapshot.redis.value
    if found is None:
        return
    limit = f"of {megabytes(found.limit_bytes)}" if found.limit_bytes else "without a limit"
    yield f"{megabytes(found.used_bytes)} {limit}"
    yield found.policy
    yield {True: f"AOF {_health(found.is_aof_ok)}", False: "no AOF", None: "AOF unknown"}[found.is_aof_on]
    yield found.role
    yield f"{_or_dash(found.ops_per_s)} ops/s"
    yield ms(found.round_trip_ms)


def risk(snapshot: Snapshot) -> Iterator[str]:
    """VaR 61 %, ES 63 %, drawdown 0.8 % of 5.0 %, gross 69 %, P&L +184,210"""
    found = snapshot.risk.value
    if found is None:
        return
    limits = found.limits
    yield f"VaR {_of(found.var_99, limits.var_99)}"
    yield f"ES {_of(found.es_975, limits.es_975)}"
    drawdown = DASH if found.drawdown_pct is None else percent(found.drawdown_pct)
    yield f"drawdown {drawdown}" + (f" of {percent(limits.drawdown_pct)}" if limits.drawdown_pct else "")
    yield f"gross {_of(found.gross_usd, limits.gross_usd)}"
    yield f"P&L {DASH if found.pnl_day is None else f'{found.pnl_day:+,.0f}'}"
    yield found.held_words


def postgres(snapshot: Snapshot) -> Iterator[str]:
    """18 of 100 connections, blocked 0, 84 MB, dump 52 s"""
    found, dump = snapshot.postgres.value, snapshot.dump.value
    if found is not None:
        yield f"{found.connections} of {found.max_connections} connections"
        yield f"blocked {len(found.blocked)}"
        yield megabytes(found.size_bytes)
    if dump is not None:
        readable = {True: "parses", False: "UNREADABLE", None: "not parsed"}[dump.is_readable]
        yield f"dump {seconds(dump.age_s)} old, {readable}"


def kubernetes(snapshot: Snapshot) -> Iterator[str]:
    """ws-gateway 2/2, router 1/1, api 2/2"""
    found = snapshot.kubernetes.value
    for deployment in found.deployments if found else ():
        rollout = "" if deployment.rollout == "complete" else f" {deployment.rollout}"
        yield f"{deployment.name} {deployment.ready}/{deployment.desired}{rollout}"


def alerts(snapshot: Snapshot) -> Iterator[str]:
    """firing 0, pending 0, no data 0, silenced 0"""
    found = snapshot.alerts.value
    if found is None:
        return
    for state, word in (("firing", "firing"), ("pending", "pending"), ("nodata", "no data"), ("silenced", "silenced")):
        yield f"{word} {found.count(state)}"


def words_of(panel: str, parts: Callable[[Snapshot], Iterator[str]]) -> Callable[[Snapshot, Settings], str]:
    """The panel's line; values that are not the present are marked as the last known ones."""

    def line(snapshot: Snapshot, settings: Settings) -> str:
        fields = configured(settings).intersection(PANELS[panel])
        if not fields:
            return NOT_CONFIGURED
        samples: list[Sample[Any]] = [getattr(snapshot, field) for field in sorted(fields)]
        is_live = all(sample.is_live(snapshot.taken_at) for sample in samples)
        text = ", ".join(parts(snapshot)) or NO_DATA
        return text if is_live or text == NO_DATA else f"last known: {text}"

    return line


PANEL_WORDS: Mapping[str, Callable[[Snapshot, Settings], str]] = {
    part.__name__: words_of(part.__name__, part)
    for part in (brokers, flow, feeds, redis, risk, postgres, kubernetes, alerts)
}


def _venue(venue: Venue) -> str:
    latency = "" if venue.latency_ms is None else f" {ms(venue.latency_ms)}"
    rerouted = f" (orders go to {venue.override})" if venue.override else ""
    return f"{venue.name} {venue.status}{latency}{rerouted}"


def _feed(feed: Feed, active: str | None) -> str:
    primary = " PRIMARY" if feed.name == active else ""
    lag = DASH if feed.lag_p95_ms is None else ms(feed.lag_p95_ms)
    return f"{feed.name}{primary} p95 {lag} {_rate(feed.tick_rate_per_s)}"


def _rate(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}/s"


def _health(is_ok: bool | None) -> str:
    return {True: "ok", False: "FAILED", None: "of unknown health"}[is_ok]


def _or_dash(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"


def _of(value: float | None, limit: float | None) -> str:
    """A fraction of its limit, or the amount where there is none.

    >>> _of(1.2e6, 2e6), _of(1.2e6, None), _of(None, 2e6)
    ('60 %', '1.20 M', '-')
    """
    if value is None:
        return DASH
    return percent(value / limit) if limit else money(value)
