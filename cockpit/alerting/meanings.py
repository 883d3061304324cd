"""What a rule of alerts.yaml means here: which threshold its numbers are, and which judgement it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cockpit.model.alerting import AlertingRule

Numbers = Mapping[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that both the file and the judgement know."""

    names: tuple[str, ...]
    """As funds call it."""
    numbers: Numbers = field(default_factory=dict)
    """Key in the file -> our threshold, and by what the number is multiplied."""
    rules: tuple[str, ...] = ()
    """The judgement's rules that go off with it."""
    is_essential: bool = False
    """The runbook's P1 lines are judged whatever the file says: a dead Redis is never green."""
    sections: tuple[str, ...] = ("risk", "execution", "market", "sentiment", "system")
    early: bool = field(default=False)
    """Its number is a share of a limit; below 100 % it is an early warning, never a higher limit."""


PERCENT, MS = 0.01, 0.001

MEANINGS = (
    Meaning(("drawdown", "max_drawdown", "intraday_drawdown"), {"threshold_pct": ("drawdown_fraction", PERCENT)},
            ("drawdown_over",)),
    Meaning(("var_99", "var", "var_breach", "value_at_risk"), {"threshold_pct": ("var_share", PERCENT)},
            ("var_over",), early=True),
    Meaning(("es_975", "es", "es_breach", "expected_shortfall", "cvar"), {"threshold_pct": ("es_share", PERCENT)},
            ("es_over",), early=True),
    Meaning(("gross_exposure", "gross", "exposure"), {"threshold_pct": ("gross_share", PERCENT)},
            ("gross_over",), early=True),
    Meaning(("order_round_trip", "order_latency", "broker_latency", "latency"),
            {"budget_ms": ("venue_latency_ms", 1.0), "max_latency_ms": ("venue_latency_ms", 1.0)},
            ("venue_slow",), sections=("execution",)),
    Meaning(("reject_rate", "rejection_rate", "order_rejects"), {"threshold_pct": ("reject_fraction", PERCENT)},
            ("rejects_many",), sections=("execution",)),
    Meaning(("feed_latency", "feed_lag", "tick_latency", "data_latency", "latency"),
            {"max_lag_ms": ("feed_lag_ms", 1.0), "budget_ms": ("feed_lag_ms", 1.0)},
            ("feed_late",), sections=("market", "system")),
    Meaning(("feed_stalled", "feed_silence", "stale_data", "stale_ticks"),
            {"max_silence_ms": ("feed_stalled_s", MS), "max_lag_ms": ("feed_stalled_s", MS),
             "max_age_ms": ("feed_stalled_s", MS)}, ("feed_stalled",)),
    Meaning(("redis_memory", "redis_mem"), {"threshold_pct": ("redis_memory_fraction", PERCENT)}),
    Meaning(("redis_latency", "redis_round_trip"), {"budget_ms": ("round_trip_ms", 1.0)}, ("redis_slow",)),
    Meaning(("worker_heartbeat", "heartbeat", "heartbeats"),
            {"max_age_ms": ("heartbeat_s", MS), "max_silence_ms": ("heartbeat_s", MS)}, ("worker_silent",)),
    Meaning(("consumer_lag", "stream_lag", "group_lag"),
            {"max_lag": ("group_lag", 1.0), "max_entries": ("group_lag", 1.0)}, ("group_behind", "ticks_behind")),
    Meaning(("candle_gaps", "missing_candles"), {"max_missing": ("candles_missing", 1.0)}, ("candles_missing",)),
    Meaning(("postgres_connections", "db_connections"), {"threshold_pct": ("connections_fraction", PERCENT)},
            ("postgres_connections",)),
    Meaning(("broker_down", "broker_disconnect", "broker_disconnected"), {"max_silence_ms": ("venue_silent_s", MS)},
            ("venue_down",), is_essential=True),
    Meaning(("redis_down", "postgres_down", "db_down", "kill_switch", "trading_halted"), is_essential=True),
)  # fmt: skip
"""The first that fits counts."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the rules of a file come to."""

    thresholds: dict[str, float] = field(default_factory=dict)
    off: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    early: dict[str, str] = field(default_factory=dict)


def meaning(rule: AlertingRule) -> Meaning | None:
    """What this rule is about; None where the cockpit judges nothing of the kind."""
    name = rule.name.lower().replace("-", "_")
    return next((one for one in MEANINGS if name in one.names and rule.section in one.sections), None)


def effect(rules: Iterable[AlertingRule]) -> Effect:
    """All of them together; of two numbers for one threshold the stricter counts."""
    found = Effect()
    for rule in rules:
        known = meaning(rule)
        if known is None:
            continue
        if not rule.is_enabled:
            found.off.extend(() if known.is_essential else known.rules)
            if "redis_memory" in known.names:
                found.thresholds["redis_memory_fraction"] = 1.0
            continue
        if rule.severity == "critical":
            found.raised.extend(known.rules)
        if known.early and rule.severity is not None:
            found.early.update(dict.fromkeys(known.rules, rule.severity))
        for key, value in rule.numbers:
            if key in known.numbers:
                name, factor = known.numbers[key]
                found.thresholds[name] = min(value * factor, found.thresholds.get(name, value * factor))
    return found
