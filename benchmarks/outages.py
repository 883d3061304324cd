"""The five outages of the runbook: how each is recovered with keys alone, and with the runbook's own lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.operator import Operator
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot

Keys = Callable[[Operator, Callable[[], None]], None]
"""Recovers; the second is to be called once nothing but the world outside is still broken: it mends that."""
TRADES = "redis-cli HSET policy:kill_switch enabled false"
HALTS = "redis-cli HSET policy:kill_switch enabled true"
SWITCHES = (
    "sed -i 's/^primary_feed:.*/primary_feed: moneycontrol/; s/^backup_feed:.*/backup_feed: yahoo/' registry.yaml"
)


@dataclass(frozen=True, slots=True)
class Outage:
    """One section's outage."""

    section: str
    fault: str
    panel: str
    """Where it is seen."""
    keys: Keys
    lines: tuple[str, ...]
    """The runbook's lines, as they are written there."""
    added: tuple[str, ...] = ()
    """What has to follow by hand for the platform to recover, that the runbook has no line for."""
    passes: bool = False
    """Whether the cause is outside and ends by itself: the broker comes back, the market calms."""
    then: tuple[str, ...] = ()
    """What is left to do by hand after that."""
    leaves: tuple[str, ...] = ()
    """What may be said until the cause has passed, by the finding's rule or subject."""

    def is_seen(self, shown: Snapshot) -> bool:
        """Whether the wall says it."""
        return any(one.panel == self.panel and one.severity <= Severity.P2 for one in shown.assessment.findings)

    def is_over(self, shown: Snapshot) -> bool:
        """Whether nothing is wrong but what only the world outside can mend."""
        return shown.seq > 0 and all({one.rule, one.subject} & set(self.leaves) for one in shown.assessment.findings)


def _walk(operator: Operator, section: str) -> None:
    """The section that is suggested, from its first step to its last."""
    operator.sees(lambda text: "Enter closes" not in text)
    operator.press("2")
    operator.sees(lambda text: bool(re.search(rf"{re.escape(section)} .*◆ suggested by", text)))
    operator.press("w")
    while True:
        operator.take()
        operator.program.drain(0.3)
        if f"{section}" in operator.program.text and "steps are behind" in operator.program.text:
            return


def _step(operator: Operator, keys: str) -> None:
    operator.sees(lambda text: "Enter closes" not in text)
    operator.chord(" " + keys)
    operator.take()


def _broker(operator: Operator, mends: Callable[[], None]) -> None:
    _walk(operator, "3.1")
    mends()
    _step(operator, "bo")


def _feed(operator: Operator, mends: Callable[[], None]) -> None:
    _walk(operator, "3.2")
    mends()


def _redis(operator: Operator, mends: Callable[[], None]) -> None:
    _walk(operator, "3.3")
    _step(operator, "bu")


def _postgres(operator: Operator, mends: Callable[[], None]) -> None:
    _step(operator, "pr")


def _risk(operator: Operator, mends: Callable[[], None]) -> None:
    operator.press("K")
    operator.take()
    _walk(operator, "3.5")
    mends()
    _step(operator, "bu")


OUTAGES = (
    Outage(
        "3.1",
        "broker-down",
        "brokers",
        _broker,
        (HALTS, "redis-cli XLEN orders.validated", "redis-cli XLEN orders.fills"),
        ("redis-cli HSET policy:route_override IBKR zerodha", TRADES),
        passes=True,
        then=("redis-cli HDEL policy:route_override IBKR",),
        leaves=("IBKR", "pending_old"),
    ),
    Outage(
        "3.2",
        "feed-stalled",
        "feeds",
        _feed,
        (
            SWITCHES,
            "kubectl rollout restart deploy/ws-gateway",
            "python backend/ingestion/candle_aggregator.py --gap-fill",
        ),
        passes=True,
        leaves=("yahoo",),
    ),
    Outage(
        "3.3",
        "redis-lost",
        "redis",
        _redis,
        ("docker restart redis", "python backend/ops/replay_with_params.py --source ledger.db"),
    ),
    Outage(
        "3.4",
        "postgres-table-lost",
        "postgres",
        _postgres,
        ("pg_restore -U hedgefund_user -d hedgefund /backups/pg/latest.dump",),
    ),
    Outage(
        "3.5",
        "var-breach",
        "risk",
        _risk,
        ("python backend/ops/hedger.py --flatten-all", "python backend/ops/scenario_generator.py --all"),
        passes=True,
        then=(TRADES,),
        leaves=("kill_switch_engaged",),
    ),
)
