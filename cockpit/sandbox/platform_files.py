"""Puts the platform's files into its root: registry.yaml, alerts.yaml, the four scripts, runbooks/incidents/."""

from __future__ import annotations

import os
from pathlib import Path
from string import Template

from cockpit.sandbox.layout import Layout

SOURCES = Path(__file__).parent / "scripts"
SCRIPTS = {
    "replay_with_params.py": "backend/ops",
    "hedger.py": "backend/ops",
    "scenario_generator.py": "backend/ops",
    "candle_aggregator.py": "backend/ingestion",
}
"""Script -> folder under the platform's root, as the runbook has them."""


def write_platform_files(layout: Layout, slack_webhook_url: str = "", smtp_security: str = "none") -> None:
    """Write the scripts anew, and the settings only where there are none: an operator may have changed them."""
    root = layout.root
    for folder in ("runbooks/incidents", "backups/pg", *SCRIPTS.values()):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, folder in SCRIPTS.items():
        target = root / folder / name
        target.write_bytes((SOURCES / name).read_bytes())
        target.chmod(0o755)
    settings = {
        "slack_webhook_url": slack_webhook_url
        or f"http://127.0.0.1:{layout.ports.slack}/services/TSANDBOX/BSANDBOX/none",
        "smtp_port": str(layout.ports.smtp),
        "smtp_security": smtp_security,
    }
    if not layout.registry.exists():
        layout.registry.write_bytes((SOURCES / "registry.yaml").read_bytes())
    alerts = root / "alerts.yaml"
    if not alerts.exists():
        text = Template((SOURCES / "alerts.yaml").read_text(encoding="utf-8")).substitute(settings)
        # The webhook's address is a secret: whoever knows it can post.
        with os.fdopen(os.open(alerts, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
