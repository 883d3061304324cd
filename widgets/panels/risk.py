"""Risk: each figure against its limit, P&L, and the positions behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.bars import bar
from widgets.chart import LABEL, stacked
from widgets.figures import count, money, percent, quantity, short_age, signed
from widgets.line import Line, field, fitted, joined, line, number
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.states import Position, Risk


def lines(view: View, width: int, height: int) -> list[Line]:
    """Figures against limits, P&L, positions where there is room."""
    risk = view.snapshot.risk.value
    if risk is None:
        return []
    limits = risk.limits
    rows = [
        _against("VaR 99", risk.var_99, limits.var_99, width),
        _against("ES 97.5", risk.es_975, limits.es_975, width),
        _drawdown(risk, width),
        _against("gross", risk.gross_usd, limits.gross_usd, width),
        _profit(risk),
        _book(risk),
    ]
    if risk.age_s > 5:
        rows.insert(0, line((f"newest risk figures are {short_age(risk.age_s)} old", "warn")))
    table = _positions(risk, width, height - len(rows) - 2)
    rows.extend(table)
    series = (
        ("VaR", view.trend("risk_var_99"), limits.var_99, money),
        ("P&L", view.trend("risk_pnl_day"), None, signed),
    )
    return stacked(rows, width, height, *[entry for entry in series if entry[1]])


def used(value: float | None, limit: float | None) -> float | None:
    """The part of the limit that is used; None where either is unknown."""
    return value / limit if value is not None and limit else None


def _ink(fraction: float | None) -> str:
    return "value" if fraction is None or fraction < 0.8 else "warn" if fraction <= 1 else "crit"


def _against(label: str, value: float | None, limit: float | None, width: int) -> Line:
    fraction = used(value, limit)
    return _row(label, money(value), money(limit) if limit else "no limit", fraction, width)


def _row(label: str, value: str, limit: str, fraction: float | None, width: int) -> Line:
    return line(
        field(label, LABEL, "label"),
        number(value, 6, _ink(fraction)),
        (" of ", "label"),
        number(limit, 8 if limit == "no limit" else 6, "unknown" if limit == "no limit" else "value"),
        ("  ", "text"),
        *bar(fraction, max(4, width - LABEL - (20 if limit == "no limit" else 18))),
    )


def _drawdown(risk: Risk, width: int) -> Line:
    limit = risk.limits.drawdown_pct
    shown = _drawdown_limit(limit) if limit else "no limit"
    return _row("drawdown", percent(risk.drawdown_pct, 1), shown, used(risk.drawdown_pct, limit), width)


def _drawdown_limit(limit: float) -> str:
    return percent(limit, 1 if limit < 0.1 else 0)


def _short_drawdown(risk: Risk) -> Line:
    """Both figures: a percentage of a percentage would be read as the drawdown itself."""
    value, limit = percent(risk.drawdown_pct, 1), risk.limits.drawdown_pct
    ink = _ink(used(risk.drawdown_pct, limit))
    if not limit:
        return line(("drawdown ", "label"), (value, ink), (" no limit", "unknown"))
    return line(("drawdown ", "label"), (value.removesuffix(" %"), ink), (f" of {_drawdown_limit(limit)}", "label"))


def _profit(risk: Risk) -> Line:
    ink = "text" if risk.pnl_day is None else "value" if risk.pnl_day >= 0 else "warn"
    return line(field("P&L day", LABEL, "label"), (signed(risk.pnl_day), ink))


def _book(risk: Risk) -> Line:
    ink = "unknown" if any(position.qty is None for position in risk.positions) else "value"
    net = money(risk.net_usd, "+")
    return line(field("book", LABEL, "label"), (risk.held_words, ink), ("  net ", "label"), (net, "value"))


def _positions(risk: Risk, width: int, room: int) -> list[Line]:
    if room < 3 or not risk.positions:
        return []
    ordered = sorted(risk.positions, key=lambda position: -abs(position.notional_usd or 0.0))
    across = max(1, width // 60)
    # With more positions than rows, prices give way to a second column.
    if len(ordered) > room - 2 and width >= 50:
        across = max(across, 2)
    size = (width - 2 * (across - 1)) // across
    down = min(room - 2, -(-len(ordered) // across))
    shown = ordered[: down * across]
    rows: list[Line] = [(), line(*_beside([_head(size)] * across))]
    rows.extend(line(*_beside([_position(each, size) for each in shown[at::down]])) for at in range(down))
    if len(shown) < len(ordered):
        rows.append(line((f"and {len(ordered) - len(shown)} smaller ones", "dim")))
    return rows


def _beside(parts: list[Line]) -> Line:
    return joined(parts, ("  ", "text"))


def _columns(width: int) -> tuple[tuple[str, int], ...]:
    return (("qty", 8), ("k", 8)) if width < 44 else (("qty", 8), ("avg", 9), ("mark", 9), ("k", 8))


def _head(width: int) -> Line:
    columns = _columns(width)
    name = field("position", width - sum(size for _, size in columns), "label")
    return line(name, *(number(title, size, "label") for title, size in columns))


def _position(position: Position, width: int) -> Line:
    columns = _columns(width)
    thousands = None if position.notional_usd is None else position.notional_usd / 1000
    texts = {
        "qty": quantity(position.qty),
        "avg": _price(position.avg_px),
        "mark": _price(position.mark),
        "k": count(thousands),
    }
    name = field(position.symbol, width - sum(size for _, size in columns), "text")
    return line(name, *(number(texts[title], size) for title, size in columns))


def _price(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if abs(value) < 10_000 else f"{value:,.0f}"


def summary(view: View, width: int) -> Line:
    """Each limit's use, the drawdown beside its own."""
    risk = view.snapshot.risk.value
    if risk is None:
        return ()
    limits = risk.limits
    pairs = (
        ("VaR", risk.var_99, limits.var_99),
        ("ES", risk.es_975, limits.es_975),
        ("gross", risk.gross_usd, limits.gross_usd),
    )
    parts: list[Line] = []
    for name, value, limit in pairs:
        fraction = used(value, limit)
        parts.append(line((f"{name} ", "label"), (percent(fraction), _ink(fraction))))
    parts.insert(2, _short_drawdown(risk))
    return fitted([*parts, line(("P&L ", "label"), (signed(risk.pnl_day), "value"))], width)
