"""Where a sandbox keeps its files and which ports it listens on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback TCP ports, chosen free at the start and kept until the sandbox goes down."""

    redis: int
    postgres: int
    kubernetes: int
    grafana: int
    ibkr: int
    kite: int
    slack: int
    smtp: int


@dataclass(frozen=True, slots=True)
class Layout:
    """One sandbox: its folder, its ports, its seed, its rates."""

    folder: Path
    ports: Ports
    seed: int = 7
    orders_per_s: float = 50.0
    ticks_per_s: float = 200.0
    """Over both feeds together."""

    @property
    def root(self) -> Path:
        """The platform's root: registry.yaml, alerts.yaml, backend/, backups/, ledger.db, runbooks/."""
        return self.folder / "platform"

    @property
    def run(self) -> Path:
        """Unix sockets and pid files (short: a socket's path holds 107 bytes)."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """Output of every process."""
        return self.folder / "logs"

    @property
    def bin(self) -> Path:
        """Programs that already point at this sandbox: redis-cli, psql, kubectl and so on."""
        return self.folder / "bin"

    @property
    def redis_dir(self) -> Path:
        """Redis' data folder."""
        return self.folder / "redis"

    @property
    def postgres_dir(self) -> Path:
        """Postgres' data folder."""
        return self.folder / "postgres"

    @property
    def ledger(self) -> Path:
        """The hash-chained SQLite ledger."""
        return self.root / "ledger.db"

    @property
    def registry(self) -> Path:
        """Which feed is primary and which is backup."""
        return self.root / "registry.yaml"

    @property
    def dump(self) -> Path:
        """The newest `pg_dump -Fc` of database hedgefund."""
        return self.root / "backups" / "pg" / "latest.dump"

    @property
    def config(self) -> Path:
        """The cockpit's configuration for this sandbox."""
        return self.folder / "cockpit.yaml"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with one context, for the sandbox's Kubernetes API."""
        return self.folder / "kubeconfig"

    @property
    def control_socket(self) -> Path:
        """Where the supervisor takes commands: status, inject, clear, down."""
        return self.run / "control.sock"

    @property
    def docker_socket(self) -> Path:
        """The Docker Engine API."""
        return self.run / "docker.sock"

    @property
    def venues_socket(self) -> Path:
        """Where the router's adapters reach the simulated brokers."""
        return self.run / "venues.sock"

    @property
    def feeds_socket(self) -> Path:
        """Where ws-gateway pods subscribe to the feeds."""
        return self.run / "feeds.sock"

    @property
    def file(self) -> Path:
        """Where this value itself is kept."""
        return self.folder / "sandbox.json"

    def save(self) -> None:
        """Write sandbox.json."""
        fields = asdict(self) | {"folder": str(self.folder)}
        self.file.write_text(json.dumps(fields, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Layout:
        """Read sandbox.json."""
        fields = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            folder=Path(fields["folder"]),
            ports=Ports(**fields["ports"]),
            seed=fields["seed"],
            orders_per_s=fields["orders_per_s"],
            ticks_per_s=fields["ticks_per_s"],
        )
