"""What an operator must see of each fault of the sandbox: panel, severity and words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cockpit.model.finding import Finding
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot

P1, P2, P3, P4 = Severity.P1, Severity.P2, Severity.P3, Severity.P4


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding that must stand while the fault does, and must be gone when the fault is."""

    fault: str
    panel: str
    severity: Severity
    words: str
    """A regular expression, searched in the finding's summary."""
    beside: str = ""
    """Words of another finding, as bad, that comes of it: a breached limit halts trading."""

    def seen_in(self, snapshot: Snapshot) -> Finding | None:
        """The finding that says it, if it stands in the right panel at its severity."""
        if self.beside and not any(
            re.search(self.beside, one.summary) and one.severity <= self.severity
            for one in snapshot.assessment.findings
        ):
            return None
        for finding in snapshot.assessment.findings:
            if finding.panel == self.panel and re.search(self.words, finding.summary):
                return finding if finding.severity <= self.severity else None
        return None


EXPECTED = (
    Expected("broker-down", "brokers", P1, r"IBKR (down|unreachable)"),
    Expected("broker-partial", "brokers", P2, r"IBKR degraded"),
    Expected("broker-slow", "brokers", P2, r"IBKR (slow|latency|answers)"),
    Expected("ibkr-reset", "brokers", P1, r"IBKR (down|unreachable)"),
    Expected("ibkr-blackhole", "brokers", P1, r"IBKR (down|unreachable)"),
    Expected("zerodha-token", "brokers", P2, r"ZERODHA token"),
    Expected("zerodha-blackhole", "brokers", P1, r"ZERODHA (down|unreachable)"),
    Expected("feed-stalled", "feeds", P2, r"yahoo stalled"),
    Expected("feed-late", "feeds", P2, r"yahoo p95 \d+ ms > 100 ms"),
    Expected("feed-gappy", "feeds", P2, r"yahoo gappy"),
    Expected("gateway-crashloop", "kubernetes", P2, r"ws-gateway"),
    Expected("gateway-pod-crash", "kubernetes", P3, r"ws-gateway: 1 pod .*(CrashLoopBackOff|Error)"),
    Expected("gateway-bad-rollout", "kubernetes", P3, r"ws-gateway.*(ImagePullBackOff|ErrImagePull)"),
    Expected("redis-killed", "redis", P1, r"Redis .*refused"),
    Expected("redis-lost", "redis", P1, r"Redis .*refused"),
    Expected("redis-memory-85", "redis", P2, r"Redis memory \d+ % > 80 %"),
    Expected("redis-memory-full", "redis", P1, r"Redis memory full"),
    Expected("redis-misconf", "redis", P1, r"MISCONF"),
    Expected("redis-slow", "redis", P2, r"Redis .*(slow|round trip)"),
    Expected("redis-blackhole", "redis", P1, r"Redis .*(answer)"),
    Expected("postgres-killed", "postgres", P1, r"Postgres .*refused"),
    Expected("postgres-table-lost", "postgres", P1, r"fills"),
    Expected("postgres-blocker", "postgres", P3, r"block"),
    Expected("postgres-blackhole", "postgres", P1, r"Postgres .*answer"),
    Expected("lag-risk", "flow", P2, r"risk"),
    Expected("lag-router", "flow", P2, r"router"),
    Expected("lag-ledger", "flow", P2, r"ledger"),
    Expected("lag-candles", "feeds", P3, r"candles"),
    Expected("drawdown", "risk", P1, r"(?i)drawdown", beside="trading HALTED"),
    Expected("var-breach", "risk", P1, r"VaR"),
    Expected("grafana-down", "alerts", P3, r"Grafana .*refused"),
    Expected("grafana-nodata", "alerts", P3, r"NoData"),
    Expected("grafana-blackhole", "alerts", P3, r"Grafana .*answer"),
    Expected("api-crashloop", "kubernetes", P4, r"api 0 of 2 pods ready"),
    Expected("kubernetes-down", "kubernetes", P3, r"Kubernetes .*refused"),
    Expected("kubernetes-blackhole", "kubernetes", P3, r"Kubernetes .*answer"),
    Expected("docker-down", "redis", P3, r"Docker .*(refused|socket|reach)"),
    Expected("docker-blackhole", "redis", P3, r"Docker .*answer"),
)

RUNBOOK = (
    ("1 P1 trading halted", P1, ("drawdown", "var-breach")),
    ("1 P1 broker disconnected", P1, ("broker-down", "ibkr-blackhole", "zerodha-blackhole")),
    ("1 P1 Redis down", P1, ("redis-killed", "redis-lost", "redis-blackhole")),
    ("1 P1 DB down", P1, ("postgres-killed", "postgres-blackhole")),
    ("1 P1 kill switch engaged", P1, ("drawdown",)),
    ("1 P2 data feed degraded", P2, ("feed-stalled", "feed-gappy")),
    ("1 P2 latency > 100 ms", P2, ("feed-late",)),
    ("1 P2 partial broker disconnect", P2, ("broker-partial",)),
    ("1 P3 dashboards unavailable", P3, ("grafana-down", "grafana-blackhole")),
    ("1 P3 minor worker crash", P3, ("gateway-pod-crash",)),
    ("1 P4 cosmetic or UI", P4, ("api-crashloop",)),
    ("1 P4 non-trading component down", P4, ("api-crashloop",)),
    ("4 latency > 100 ms", P2, ("feed-late",)),
    ("4 Redis memory > 80 %", P2, ("redis-memory-85",)),
    ("4 VaR/ES > limits", P1, ("var-breach",)),
)
"""Each line of the runbook's sections 1 and 4: how bad it is, and the faults that produce it."""
