"""The only thing that a panel sees: every probe's sample, at one moment, with the judgement on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from cockpit.model.finding import Assessment
from cockpit.model.sample import Sample

if TYPE_CHECKING:
    # A dataclass takes a millisecond to define: what only some probe fills is loaded with that probe.
    from cockpit.model.alerting import Alerting
    from cockpit.model.approval import Request
    from cockpit.model.backends import Alerts, Databases, Docker, Dump, Kubernetes, PostgresServer, RedisServer
    from cockpit.model.incident import Incident
    from cockpit.model.job import Job
    from cockpit.model.latch import Latch
    from cockpit.model.states import (
        Feeds,
        Heartbeat,
        KillSwitch,
        OrderFlow,
        Reach,
        Registry,
        Risk,
        Venue,
    )
    from cockpit.model.world import World

NOT_ASSESSED = Assessment()
NO_TRENDS: Mapping[str, tuple[float | None, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The platform at one moment; immutable."""

    seq: int
    taken_at: float
    """Unix seconds."""
    world: World
    site: str
    kill_switch: Sample[KillSwitch] = field(default_factory=Sample)
    venues: Sample[tuple[Venue, ...]] = field(default_factory=Sample)
    reach: Sample[tuple[Reach, ...]] = field(default_factory=Sample)
    flow: Sample[OrderFlow] = field(default_factory=Sample)
    feeds: Sample[Feeds] = field(default_factory=Sample)
    registry: Sample[Registry] = field(default_factory=Sample)
    risk: Sample[Risk] = field(default_factory=Sample)
    redis: Sample[RedisServer] = field(default_factory=Sample)
    postgres: Sample[PostgresServer] = field(default_factory=Sample)
    databases: Sample[Databases] = field(default_factory=Sample)
    dump: Sample[Dump] = field(default_factory=Sample)
    kubernetes: Sample[Kubernetes] = field(default_factory=Sample)
    docker: Sample[Docker] = field(default_factory=Sample)
    alerts: Sample[Alerts] = field(default_factory=Sample)
    alerting: Sample[Alerting] = field(default_factory=Sample)
    heartbeats: Sample[tuple[Heartbeat, ...]] = field(default_factory=Sample)
    trends: Mapping[str, tuple[float | None, ...]] = field(default_factory=lambda: NO_TRENDS)
    """Series name -> the newest points, oldest first, one a tick; None = unknown then."""
    assessment: Assessment = NOT_ASSESSED
    jobs: tuple[Job, ...] = ()
    """Running and recently ended jobs, newest first."""
    are_jobs_read: bool = False
    """Whether they are known: until the journals were read once, no job means nothing."""
    incidents: Sample[tuple[Incident, ...]] = field(default_factory=Sample)
    """The open incidents, newest first, without their timelines; an empty one says that none is open."""
    latch: Latch | None = None
    """The wish to be halted that this host keeps."""
    latch_unread: str = ""
    """Why that cannot be read now; empty where it can."""
    requests: tuple[Request, ...] = ()
    """What others ask a second person for."""
    config_changed: tuple[str, float] | None = None
    """The configuration's name and when (Unix seconds) it was seen to be another than the one that was read."""


PROBES = (
    "kill_switch",
    "venues",
    "reach",
    "flow",
    "feeds",
    "registry",
    "risk",
    "redis",
    "postgres",
    "databases",
    "dump",
    "kubernetes",
    "docker",
    "alerts",
    "alerting",
    "heartbeats",
)
"""The snapshot's samples by field name."""
