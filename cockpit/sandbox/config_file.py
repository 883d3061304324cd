"""Writes the cockpit's configuration for a sandbox."""

from __future__ import annotations

from typing import Any

import yaml

from cockpit.sandbox.credentials import Credentials
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.postgres_server import PostgresServer
from cockpit.sandbox.schema import DATABASE, ROLE

SITE = "sandbox"


def write_config(layout: Layout, postgres: PostgresServer, credentials: Credentials) -> None:
    """Write cockpit.yaml; the secrets in it are names of files."""
    text = yaml.safe_dump(settings(layout, postgres, credentials), sort_keys=False)
    layout.config.write_text(text, encoding="utf-8")


def settings(layout: Layout, postgres: PostgresServer, credentials: Credentials) -> dict[str, Any]:
    """The configuration as plain values."""
    ports = layout.ports
    return {
        "site": SITE,
        "world": "SANDBOX",
        "root": str(layout.root),
        "state": str(layout.folder / "state"),
        "scripts": {"path": [str(layout.bin)]},
        "redis": {"url": f"redis://127.0.0.1:{ports.redis}/0", "container": "redis"},
        "venues": [
            {"name": "IBKR", "probe": f"tws://127.0.0.1:{ports.ibkr}", "client_id": 91, "backup": "zerodha"},
            {
                "name": "ZERODHA",
                "probe": f"http://127.0.0.1:{ports.kite}",
                "token": {"file": str(credentials.file("kite"))},
                "backup": "paper",
            },
            {"name": "PAPER"},
        ],
        "postgres": {
            "dsn": f"host=127.0.0.1 port={ports.postgres} dbname={DATABASE} user={ROLE}",
            "password": {"file": str(credentials.file("postgres"))},
            "dump": str(layout.dump),
            "dump_max_age_s": 300.0,
            "pg_restore": str(postgres.programs / "pg_restore"),
            "pg_dump": str(postgres.programs / "pg_dump"),
        },
        "kubernetes": {
            "kubeconfig": str(layout.kubeconfig),
            "deployments": ["ws-gateway", "router", "api"],
        },
        "docker": {"url": f"unix://{layout.docker_socket}", "containers": ["redis", "postgres"]},
        "grafana": {
            "url": f"http://127.0.0.1:{ports.grafana}",
            "token": {"file": str(credentials.file("grafana"))},
        },
    }
