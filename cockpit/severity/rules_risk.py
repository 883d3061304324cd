"""The book's risk against its limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from cockpit.severity import sections, words
from cockpit.severity.rule import Hit, View, rule
from cockpit.severity.rules_trading import by_hand

if TYPE_CHECKING:
    from cockpit.model.states import Risk


@rule("risk", panel="risk", section=sections.RISK)
def var_over(view: View, risk: Risk) -> Iterator[Hit]:
    """Value at risk passes its limit."""
    yield from _over("VaR 99", risk.var_99, risk.limits.var_99, words.money, Severity.P1)
    yield from _near(view, "var_over", "VaR 99", risk.var_99, risk.limits.var_99, view.limits.var_share)


@rule("risk", panel="risk", section=sections.RISK)
def es_over(view: View, risk: Risk) -> Iterator[Hit]:
    """Expected shortfall passes its limit."""
    yield from _over("ES 97.5", risk.es_975, risk.limits.es_975, words.money, Severity.P1)
    yield from _near(view, "es_over", "ES 97.5", risk.es_975, risk.limits.es_975, view.limits.es_share)


@rule("risk", panel="risk", section=sections.RISK)
def drawdown_over(view: View, risk: Risk) -> Iterator[Hit]:
    """The book has fallen too far from its peak."""
    limits = [one for one in (risk.limits.drawdown_pct, view.limits.drawdown_fraction) if one is not None]
    yield from _over("drawdown", risk.drawdown_pct, min(limits, default=None), words.percent, Severity.P1)


@rule("risk", panel="risk", section=sections.RISK)
def gross_over(view: View, risk: Risk) -> Iterator[Hit]:
    """The book is too large."""
    yield from _over("gross", risk.gross_usd, risk.limits.gross_usd, words.money, Severity.P2)
    yield from _near(view, "gross_over", "gross", risk.gross_usd, risk.limits.gross_usd, view.limits.gross_share)


@rule("risk", panel="risk", section=sections.RISK)
def risk_silent(view: View, risk: Risk) -> Iterator[Hit]:
    """The risk manager has stopped measuring: its last numbers are not the present."""
    limit_s = view.limits.risk_age_s
    if risk.age_s > limit_s:
        age = words.seconds(risk.age_s)
        limit, since = words.seconds(limit_s), view.ago(risk.age_s)
        summary = f"risk metrics are {age} old"
        yield Hit("risk", Severity.P2, summary, age, limit, since=since, by_hand=by_hand(view, "risk"))


@rule("risk", panel="risk", section=sections.RISK)
def figures_missing(view: View, risk: Risk) -> Iterator[Hit]:
    """A figure that cannot be read may be over its limit."""
    named = {"VaR": risk.var_99, "ES": risk.es_975, "drawdown": risk.drawdown_pct, "gross": risk.gross_usd}
    missing = [name for name, value in named.items() if value is None]
    if missing:
        yield Hit("figures", Severity.P2, f"no figure for {', '.join(missing)}", "unreadable", "known")


@rule("risk", panel="risk", section=sections.RISK)
def limits_missing(view: View, risk: Risk) -> Iterator[Hit]:
    """Nothing can be over a limit that is not set."""
    named = {
        "VaR": risk.limits.var_99,
        "ES": risk.limits.es_975,
        "drawdown": risk.limits.drawdown_pct,
        "gross": risk.limits.gross_usd,
    }
    missing = [name for name, limit in named.items() if limit is None]
    if missing:
        summary = f"no limit set for {', '.join(missing)}"
        yield Hit("limits", Severity.P2 if len(missing) == len(named) else Severity.P3, summary, "not set", "set")


@rule("risk", panel="risk", section=sections.RISK)
def positions_unreadable(view: View, risk: Risk) -> Iterator[Hit]:
    """A position that cannot be read is not flat."""
    names = [position.symbol for position in risk.positions if position.qty is None]
    if names:
        yield Hit("positions", Severity.P2, f"cannot read the position in {', '.join(names)}", "unreadable", "known")


def _near(
    view: View, rule_name: str, name: str, value: float | None, limit: float | None, share: float
) -> Iterator[Hit]:
    """Not over its limit, but nearer to it than alerts.yaml wants."""
    if value is None or limit is None or not share * limit < value <= limit:
        return
    alerting = view.snapshot.alerting.value
    severity = view.settings.alerting.severity(dict(alerting.early).get(rule_name) if alerting else None)
    summary = f"{name} {words.money(value)} > {words.percent(share)} of limit {words.money(limit)}"
    yield Hit(name, severity, summary, words.money(value), words.percent(share))


def _over(
    name: str, value: float | None, limit: float | None, say: Callable[[float], str], severity: Severity
) -> Iterator[Hit]:
    if value is not None and limit is not None and value > limit:
        yield Hit(name, severity, f"{name} {say(value)} > limit {say(limit)}", say(value), say(limit))


RULES = (
    var_over,
    es_over,
    drawdown_over,
    gross_over,
    risk_silent,
    figures_missing,
    limits_missing,
    positions_unreadable,
)
