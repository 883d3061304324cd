"""The newest risk figures, their limits and the positions behind them."""

from __future__ import annotations

from cockpit.clients.redis_facts import Fields, id_ms, json_object, number
from cockpit.clients.redis_reading import WallReading
from cockpit.config import RedisPart
from cockpit.errors import Refused
from cockpit.model.shares import shares
from cockpit.model.states import Limits, Position, Risk
from cockpit.text import clean


def read_risk(reading: WallReading, part: RedisPart) -> Risk:
    """Figures of the newest entry; each that is missing or no number is unknown.

    Raises:
        Refused: a key could not be read, or there are no figures at all, or none of a known age.
    """
    stream = reading.stream(part.metrics_stream)
    if stream is None:
        raise Refused(f"there is no stream {part.metrics_stream}")
    if not stream.depth:
        raise Refused(f"{part.metrics_stream} is empty")
    figures = json_object(stream.newest)
    if figures is None:
        raise Refused(f"the newest entry of {part.metrics_stream} is no JSON object")
    age_s = reading.age_s(id_ms(stream.last_id))
    if age_s is None:
        raise Refused(f"the newest entry of {part.metrics_stream} lies ahead of Redis' clock")
    return Risk(
        age_s=age_s,
        book=clean(figures.get("book", "unknown"), 40),
        var_99=_size(figures.get("var_99")),
        es_975=_size(figures.get("es_975")),
        drawdown_pct=_size(figures.get("drawdown_pct")),
        gross_usd=_size(figures.get("gross_usd")),
        net_usd=number(figures.get("net_usd")),
        pnl_day=number(figures.get("pnl_day")),
        limits=_limits(reading.fields(part.limits_key)),
        positions=_positions(reading.fields(part.positions_key)),
    )


def _size(value: object) -> float | None:
    """A loss or an exposure by its magnitude: some write a loss as a negative number, and it must not look small."""
    found = number(value)
    return None if found is None else abs(found)


def _limits(found: Fields) -> Limits:
    return Limits(
        var_99=_size(found.get("var_99")),
        es_975=_size(found.get("es_975")),
        drawdown_pct=_size(found.get("drawdown_pct")),
        gross_usd=_size(found.get("gross_usd")),
    )


def _positions(found: Fields) -> tuple[Position, ...]:
    """The largest first; those whose size is unknown before all, for they may be larger still."""
    positions = [_position(symbol, raw) for symbol, raw in found.items()]
    positions.sort(key=lambda one: (one.notional_usd is not None, -abs(one.notional_usd or 0.0), one.symbol))
    return tuple(positions)


def _position(symbol: str, raw: str) -> Position:
    position = json_object(raw) or {}
    qty = number(position.get("qty"))
    return Position(
        symbol=clean(symbol, 40),
        qty=None if qty is None else shares(qty),
        avg_px=number(position.get("avg_px")),
        mark=number(position.get("mark")),
        notional_usd=number(position.get("notional_usd")),
    )
