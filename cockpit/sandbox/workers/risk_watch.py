"""The risk manager's watch over the whole book: measures it, publishes, and halts trading on a breach."""

from __future__ import annotations

import json
import time

from cockpit.sandbox.knobs import Knobs
from cockpit.sandbox.workers.cycle import Every, beat, say
from cockpit.sandbox.workers.drawdown import Drawdown
from cockpit.sandbox.workers.instruments import GROSS_LIMIT_USD
from cockpit.sandbox.workers.limits import is_engaged
from cockpit.sandbox.workers.measures import DRAWDOWN_LIMIT, Held, Measures, breaches, equity_usd, measured
from cockpit.sandbox.workers.redis_line import Command, RedisLine, now_ms
from cockpit.sandbox.workers.streams import ALERTS, ALERTS_CAP, METRICS, METRICS_CAP, add
from cockpit.sandbox.workers.var import nominal_limits, return_history

SETTLE_S = 0.9
"""After a shock is taken away: marks follow within half a second, then the peak starts anew."""


def held_book(fields: list[str]) -> dict[str, Held]:
    """The book out of HGETALL positions; entries that make no sense are left out."""
    book: dict[str, Held] = {}
    for symbol, text in zip(fields[::2], fields[1::2], strict=True):
        try:
            book[symbol] = Held.of(json.loads(text))
        except (ValueError, KeyError, TypeError):
            continue
    return book


class RiskWatch:
    """Measures four times a second, publishes once a second and at once when a breach begins or ends."""

    def __init__(self, line: RedisLine, seed: int) -> None:
        self._line = line
        self._history = return_history(seed)
        var_99, es_975 = nominal_limits(self._history)
        self._limits = {
            "var_99": var_99,
            "es_975": es_975,
            "drawdown_pct": DRAWDOWN_LIMIT,
            "gross_usd": GROSS_LIMIT_USD,
        }
        self._drawdown = Drawdown(DRAWDOWN_LIMIT)
        self._publish, self._look = Every(1.0), Every(0.25)
        self._shock = 0.0
        self._reset_at_s: float | None = None
        self._has_halted = False
        self._was_in_breach = False
        self._keep = Every(10.0)

    def recover(self) -> None:
        """Write the limits where they are missing, and take up the peak that was kept."""
        self._line.ask(*(("HSETNX", "risk:limits", name, value) for name, value in self._limits.items()))
        kept = self._line.ask(("HGET", "risk:state", "peak_usd"))[0]
        if kept is not None and not self._drawdown.peak:
            self._drawdown.reset(time.monotonic(), float(kept))

    def watch(self, knobs: Knobs) -> None:
        """Look at the book when it is time to."""
        if not self._look.is_due():
            return
        positions, limit_fields, kill_fields = self._line.ask(
            ("HGETALL", "positions"), ("HGETALL", "risk:limits"), ("HGETALL", "policy:kill_switch")
        )
        book = held_book(positions)
        limits = self._limits | _numbers(limit_fields)
        measures = self._measure(book, knobs)
        found = breaches(measures, limits)
        commands: list[Command] = []
        if self._publish.is_due() or bool(found) != self._was_in_breach:
            commands += [add(METRICS, measures.event(), METRICS_CAP), beat("risk")]
        kill_switch = dict(zip(kill_fields[::2], kill_fields[1::2], strict=True))
        if found and not is_engaged(kill_switch):
            commands += self._halt(found, kill_switch)
        if not found:
            self._has_halted = False
        if self._keep.is_due():
            commands.append(("HSET", "risk:state", "peak_usd", self._drawdown.peak))
        self._was_in_breach = bool(found)
        if commands:
            self._line.ask(*commands)

    def _measure(self, book: dict[str, Held], knobs: Knobs) -> Measures:
        at_s, equity = time.monotonic(), equity_usd(book)
        if self._shock and not knobs.price_shock:
            self._reset_at_s = at_s + SETTLE_S
        self._shock = knobs.price_shock
        if self._reset_at_s is not None and at_s >= self._reset_at_s:
            self._drawdown.reset(at_s, equity)
            self._reset_at_s = None
        fall = self._drawdown.observed(at_s, equity)
        return measured(now_ms(), book, self._history, knobs.volatility, fall)

    def _halt(self, found: list[str], kill_switch: dict[str, str]) -> list[Command]:
        """The commands that engage the kill switch; a release in the middle of a breach does not last."""
        reason = "risk breach: " + "; ".join(found)
        if self._has_halted:
            by = kill_switch.get("by") or "somebody"
            reason += f" (still in breach: engaged again after a release by {by})"
        self._has_halted = True
        ts_ms = now_ms()
        say(f"risk: kill switch engaged: {reason}")
        fields = ("enabled", "true", "reason", reason, "by", "risk-manager", "ts", ts_ms)
        alert = {"ts_ms": ts_ms, "lvl": "critical", "src": "risk", "msg": f"kill switch engaged: {reason}"}
        return [("HSET", "policy:kill_switch", *fields), add(ALERTS, alert, ALERTS_CAP)]


def _numbers(fields: list[str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, text in zip(fields[::2], fields[1::2], strict=True):
        try:
            numbers[name] = float(text)
        except ValueError:
            continue
    return numbers
