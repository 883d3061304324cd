"""What the probes found out about the servers below the platform: Redis, Postgres, Kubernetes, Docker, Grafana.

Ages (`_s`) are as of the moment the probe read them; None means unknown or not set.
"""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.redis_server import RedisServer as RedisServer


@dataclass(frozen=True, slots=True)
class Blocker:
    """A Postgres backend that waits for a lock, and who holds it."""

    pid: int
    blocked_by: tuple[int, ...]
    waiting_s: float
    user: str
    query: str
    blocker_state: str
    blocker_query: str


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A Postgres backend that waits for nothing itself and holds a lock that others wait for."""

    pid: int
    began_us: int | None
    """When its session began, in microseconds: with the pid it names this session and no later one; None = hidden."""
    user: str
    application: str
    client: str
    """From where it came."""
    state: str
    transaction_s: float | None
    query: str
    is_superuser: bool
    is_ours_to_end: bool
    """Whether the cockpit's role may end it."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """pg_stat_* in one query."""

    version: str
    connections: int
    max_connections: int
    oldest_transaction_s: float | None
    blocked: tuple[Blocker, ...]
    is_in_recovery: bool
    replicas: int
    replay_lag_s: float | None
    size_bytes: int
    wal_bytes: int | None
    wal_bytes_per_s: float | None
    commits_per_s: float | None
    rollbacks_per_s: float | None
    missing_tables: tuple[str, ...]
    """Tables that the configuration expects and the database lacks."""
    holders: tuple[LockHolder, ...] = ()
    role: str = ""
    """As whom the cockpit reads."""
    rows: tuple[tuple[str, int], ...] = ()
    """Table -> about how many rows, as the server estimates; written as COPY writes its name."""
    writes: int | None = None
    """Rows inserted, updated and deleted in the expected tables since their counters began."""

    def roots(self) -> tuple[tuple[LockHolder, int, float], ...]:
        """Who holds others up, how many of them through whomever, and the longest wait: the most first."""
        found = []
        for holder in self.holders:
            waiting = self.waiting_for(holder.pid)
            found.append((holder, len(waiting), max((one.waiting_s for one in waiting), default=0.0)))
        return tuple(sorted(found, key=lambda one: (-one[1], -one[2], one[0].pid)))

    def waiting_for(self, pid: int) -> tuple[Blocker, ...]:
        """Everybody who cannot go on before this backend does."""
        behind = {pid}
        while True:
            more = {one.pid for one in self.blocked if behind.intersection(one.blocked_by)} - behind
            if not more:
                return tuple(one for one in self.blocked if one.pid in behind and one.pid != pid)
            behind |= more


@dataclass(frozen=True, slots=True)
class Database:
    """One database of the server: the platform's own, or one that a restore made or put aside."""

    name: str
    owner: str
    is_ours: bool
    """Whether the cockpit's role may change it."""
    takes_connections: bool
    sessions: int
    superuser_sessions: int
    """Which the cockpit's role cannot end."""
    prepared: int
    """Prepared transactions."""
    slots: int
    """Logical replication slots."""
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Databases:
    """What the server has of databases, and what the cockpit's role may do with them."""

    wanted: str
    """The platform's database, by the configuration."""
    role: str
    is_superuser: bool
    may_create: bool
    roles: tuple[str, ...]
    """Whose objects it may make."""
    version: int
    """180006."""
    is_in_recovery: bool
    free_bytes: int | None
    """Where the server keeps its data; None where that cannot be seen from here."""
    found: tuple[Database, ...]
    is_swapping: bool = False
    """Whether one is being put in the place of another at this moment."""

    def named(self, name: str) -> Database | None:
        """One of them."""
        return next((one for one in self.found if one.name == name), None)

    @property
    def current(self) -> Database | None:
        """The platform's."""
        return self.named(self.wanted)


@dataclass(frozen=True, slots=True)
class DumpContents:
    """What is in a dump, read out of all of it."""

    database: str
    server_version: str
    """Of the server that it was taken from."""
    begun_at: float | None
    """When it was begun; None where the dump does not say."""
    owners: tuple[str, ...]
    items: int
    rows: tuple[tuple[str, int], ...]
    """Table -> rows, exactly."""
    raw_bytes: int
    """Unpacked."""


@dataclass(frozen=True, slots=True)
class Dump:
    """The newest database dump on disk."""

    path: str
    age_s: float
    size_bytes: int
    is_readable: bool | None
    """Whether pg_restore can parse all of it; None = not known, for the reason in `detail`."""
    detail: str | None = None
    """What pg_restore said, or why it has not been asked."""
    identity: str = ""
    """Names this very file: when it was written, and its size."""
    contents: DumpContents | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod."""

    name: str
    phase: str
    is_ready: bool
    restarts: int
    reason: str | None
    """Why it waits or died last: CrashLoopBackOff, ImagePullBackOff, OOMKilled, Error (exit 1)."""
    age_s: float | None
    unready_age_s: float | None = None
    """Since it lost its readiness; None while it is ready."""


@dataclass(frozen=True, slots=True)
class Previous:
    """The revision that undoing a rollout goes back to."""

    revision: int
    template_id: str
    """Names its pods' template."""
    changes: tuple[str, ...]
    """What going back would change, in words."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment, its rollout and its pods."""

    name: str
    desired: int
    ready: int
    updated: int
    available: int
    rollout: str
    """complete, progressing, stalled (progress deadline exceeded), paused."""
    message: str | None
    restarted_age_s: float | None
    pods: tuple[Pod, ...]
    restarted_at: str | None = None
    """The stamp of the last restart, letter by letter: whose it is shows in it."""
    revision: int | None = None
    template_id: str = ""
    """Names the pods' template that it has now."""
    previous: Previous | None = None
    """None where there is none, or where it is not known."""
    history_error: str | None = None
    """Why its revisions are not known."""
    unavailable_age_s: float | None = None
    """Since it has fewer pods than it must have; None while it has enough."""


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """The deployments of the configured namespace."""

    version: str
    namespace: str
    deployments: tuple[Deployment, ...]
    absent: tuple[str, ...] = ()
    """Configured deployments that the cluster does not have."""
    server: str = ""
    """The API server's address: which cluster this is."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of the Docker Engine."""

    name: str
    state: str
    """running, exited, restarting, paused, dead, absent."""
    status: str
    """The engine's own words: Up 3 seconds, Exited (137) 4 seconds ago."""
    started_age_s: float | None
    exit_code: int | None
    pid: int | None
    ports: tuple[int, ...] = ()
    """Published on its host, also while it does not run."""
    stopped_age_s: float | None = None
    """Since it ended; None while it runs."""


@dataclass(frozen=True, slots=True)
class Docker:
    """The configured containers."""

    version: str
    containers: tuple[Container, ...]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert rule of Grafana or Alertmanager."""

    name: str
    state: str
    """firing, pending, recovering, normal, nodata, error, silenced, unknown."""
    severity: str | None
    since_s: float | None
    summary: str | None
    silenced_by: tuple[str, ...] = ()
    """The silences that keep its alerts back."""


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence that is in force, or will be."""

    id: str
    words: str
    """What it keeps back: alertname = "Latency > 100 ms"."""
    by: str
    comment: str
    left_s: float


@dataclass(frozen=True, slots=True)
class Alerts:
    """Grafana's alerting; NoData is not OK."""

    source: str
    is_database_ok: bool
    rules: tuple[AlertRule, ...]
    has_rules: bool = True
    """Whether it told any rule; an Alertmanager has none to tell, only alerts."""
    silences: tuple[Silence, ...] = ()
    silences_error: str | None = None
    """Why the silences are not known."""

    def count(self, state: str) -> int:
        """Rules in this state."""
        return sum(1 for rule in self.rules if rule.state == state)
