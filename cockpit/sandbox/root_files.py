"""Fills the platform's root: registry.yaml, alerts.yaml, the runbook's scripts, the folders for dumps and incidents."""

from __future__ import annotations

import shutil
from pathlib import Path

from cockpit.sandbox.credentials import Credentials, write_private
from cockpit.sandbox.layout import Layout

SCRIPTS = {
    "replay_with_params.py": "backend/ops",
    "hedger.py": "backend/ops",
    "scenario_generator.py": "backend/ops",
    "candle_aggregator.py": "backend/ingestion",
}
"""Where the runbook expects them."""

REGISTRY = """\
# Market data feeds. ws-gateway reads this file when it starts:
# after a change, kubectl rollout restart deploy/ws-gateway
primary_feed: yahoo          # what strategies and candles follow
backup_feed: moneycontrol    # hot standby, recorded all the time

feeds:
  yahoo:
    kind: websocket
    symbols: all
  moneycontrol:
    kind: websocket
    symbols: all
"""

ALERTS = """\
# Thresholds and routing of the platform's alerts.
risk:
  drawdown:
    enabled: true
    threshold_pct: 5.0
    severity: critical
  var_breach:
    enabled: true
    threshold_pct: 100.0       # of the limit in risk:limits
    severity: critical
execution:
  latency:
    enabled: true
    budget_ms: 100
    severity: warn
  broker_disconnect:
    enabled: true
    severity: critical
system:
  redis_memory:
    enabled: true
    threshold_pct: 80.0
    severity: warn
  group_lag:
    enabled: true
    max_lag_ms: 5000
    severity: warn
notify:
  channels: [slack, email]
routing:
  slack:
    webhook_url: {webhook}
  email:
    to: [ops@example.invalid]
    smtp:
      host: 127.0.0.1
      port: {smtp_port}
      security: none
      from: cockpit@example.invalid
audiences:
  ops:
    channels: [slack, email]
    detail: full
  risk_officer:
    channels: [email]
    to: [risk@example.invalid]
    detail: full
  stakeholders:
    channels: [email]
    to: [stakeholders@example.invalid]
    detail: summary
"""


def write_root(layout: Layout, credentials: Credentials) -> None:
    """Write everything that the platform's root has before anything runs."""
    root = layout.root
    layout.dump.parent.mkdir(parents=True)
    (root / "runbooks" / "incidents").mkdir(parents=True)
    layout.registry.write_text(REGISTRY, encoding="utf-8")
    webhook = f"http://127.0.0.1:{layout.ports.slack}/services/TSANDBOX/BSANDBOX/{credentials.slack}"
    # The webhook's address is a secret: whoever has it can post.
    write_private(root / "alerts.yaml", ALERTS.format(webhook=webhook, smtp_port=layout.ports.smtp))
    for source in sorted((Path(__file__).parent / "scripts").rglob("*.py")):
        folder = SCRIPTS.get(source.name)
        if folder is not None:
            (root / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / folder / source.name)
