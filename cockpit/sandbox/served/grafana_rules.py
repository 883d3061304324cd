"""The alert rules and where each stands: normal, pending, alerting or without data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from cockpit.sandbox.served.grafana_source import Readings

HELD_FOR_S = 1.0
"""How long a condition must hold before its rule fires (the rules' `for`)."""
FRESH_TICKS_S = 1.5
WARM_UP_S = 10.0
"""So long the first result may be outstanding: the platform that writes it starts together with Grafana."""

State = Literal["Normal", "Pending", "Alerting", "NoData"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it queries and beyond what it fires."""

    uid: str
    name: str
    group: str
    severity: str
    query: str
    threshold: float
    read: Callable[[Readings], float | None]
    summary: str
    is_quiet_without_data: bool = False
    """An empty result is normal (a feed that stands still has no latency); an unreachable source never is."""


RULES = (
    Rule(
        "sbx-latency",
        "Latency > 100 ms",
        "execution",
        "critical",
        "quantile(0.95, tick_lag_ms{feed=primary})",
        100.0,
        lambda readings: readings.latency_p95_ms,
        "Ticks of the primary feed arrive {value:.0f} ms after the exchange's time (p95)",
        is_quiet_without_data=True,
    ),
    Rule(
        "sbx-redis-memory",
        "Redis memory > 80 %",
        "system",
        "warning",
        "100 * redis_memory_used_bytes / redis_memory_max_bytes",
        80.0,
        lambda readings: readings.redis_memory_pct,
        "Redis uses {value:.1f} % of maxmemory",
        is_quiet_without_data=True,
    ),
    Rule(
        "sbx-ticks",
        "No fresh ticks",
        "system",
        "critical",
        "time() - last_tick_time{feed=primary}",
        FRESH_TICKS_S,
        lambda readings: readings.tick_age_s,
        "The primary feed's newest tick is {value:.0f} s old",
    ),
    Rule(
        "sbx-var",
        "VaR over limit",
        "risk",
        "critical",
        "100 * var_99 / limit",
        100.0,
        lambda readings: readings.over_limit("var_99"),
        "VaR 99 is at {value:.0f} % of its limit",
    ),
    Rule(
        "sbx-es",
        "ES over limit",
        "risk",
        "critical",
        "100 * es_975 / limit",
        100.0,
        lambda readings: readings.over_limit("es_975"),
        "ES 97.5 is at {value:.0f} % of its limit",
    ),
    Rule(
        "sbx-drawdown",
        "Drawdown over limit",
        "risk",
        "critical",
        "100 * drawdown_pct / limit",
        100.0,
        lambda readings: readings.over_limit("drawdown_pct"),
        "Drawdown is at {value:.0f} % of its limit",
    ),
)


@dataclass(slots=True)
class Standing:
    """Where one rule stands."""

    rule: Rule
    state: State = "Normal"
    value: float | None = None
    active_at: datetime | None = None
    """Since when the condition or the lack of data has held."""
    evaluated_at: datetime | None = None
    took_s: float = 0.0
    has_had_data: bool = False
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_routed(self) -> bool:
        """Whether the Alertmanager has an alert of this rule."""
        return self.state in ("Alerting", "NoData")

    @property
    def summary(self) -> str:
        """Return the annotation as it reads now."""
        if self.state == "NoData" or self.value is None:
            return f"No data for: {self.rule.query}"
        return self.rule.summary.format(value=self.value)

    def evaluate(self, readings: Readings | None, now: datetime, took_s: float) -> None:
        """Take in one evaluation; no readings means that the data source is gone."""
        value = self.rule.read(readings) if readings is not None else None
        self.has_had_data |= value is not None
        is_warming_up = not self.has_had_data and now - self.updated_at < timedelta(seconds=WARM_UP_S)
        is_empty_well = readings is not None and (self.rule.is_quiet_without_data or is_warming_up)
        is_missing = value is None and not is_empty_well
        is_over = value is not None and value > self.rule.threshold
        was = self.state
        self.value, self.evaluated_at, self.took_s = value, now, took_s
        if is_missing:
            self._hold("NoData", now, was_active=was == "NoData")
        elif is_over:
            self._hold("Alerting", now, was_active=was in ("Pending", "Alerting"))
        else:
            self.state, self.active_at = "Normal", None
        if self.state != was:
            self.updated_at = now

    def _hold(self, state: State, now: datetime, *, was_active: bool) -> None:
        if not was_active or self.active_at is None:
            self.active_at = now
        # The loop's own jitter must not cost a whole further look.
        has_held = now - self.active_at >= timedelta(seconds=HELD_FOR_S - 0.05)
        # NoData waits for nothing: what cannot be seen is not normal.
        self.state = state if has_held or state == "NoData" else "Pending"
