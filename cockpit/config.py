"""The configuration: where the platform is and what its things are called; every name is a default."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import yaml
from msgspec import Meta, field, structs

from cockpit.address.postgres import PostgresAddress
from cockpit.address.redis import RedisAddress
from cockpit.address.web import BrokerAddress, EngineAddress, WebAddress
from cockpit.errors import NOT_OURS, ConfigError
from cockpit.model.severity import Severity
from cockpit.model.world import World
from cockpit.parts import Part, parsed
from cockpit.quantities import (
    CLASSES,
    ORDER_STREAMS,
    Classes,
    ExchangeName,
    Fraction,
    OrderStreams,
    Seconds,
    SiteName,
    Window,
)
from cockpit.reading import read_yaml
from cockpit.secret import Secret


class RedisPart(Part, frozen=True, kw_only=True):
    """Redis and the names of the keys in it."""

    url: RedisAddress = "redis://127.0.0.1:6379/0"
    """redis://, rediss:// or unix://, without the password."""
    password: Secret | None = None
    timeout_s: Seconds = 2.0
    container: str | None = "redis"
    """The container that runs it, for the Docker panel."""
    kill_switch_key: str = "policy:kill_switch"
    route_override_key: str = "policy:route_override"
    venue_status_key: str = "venue:status"
    limits_key: str = "risk:limits"
    positions_key: str = "positions"
    heartbeats_key: str = "engine:hb"
    metrics_stream: str = "risk.metrics"
    candle_status_key: str = "candles:status"
    active_feed_key: str = "ingest:active"
    order_streams: OrderStreams = field(default_factory=lambda: dict(ORDER_STREAMS))
    """Label -> stream, in the order of the flow."""
    router_group: str = "router"
    tick_stream_prefix: str = "ticks."
    watched_streams: tuple[str, ...] = ()
    """Further streams to watch."""
    loading_s: Seconds = 120.0
    """So long it may load its data after a restart; a large append-only file takes minutes."""
    stop_s: Annotated[int, Meta(ge=1, le=600)] = 10
    """So long it may save when its container is restarted, before Docker kills it."""
    save_s: Seconds = 300.0
    """So long a save of all its data may take."""
    dump_file: Path | None = None
    """Its RDB file as this host sees it; None: asked of a Redis on this host, else the keys are copied one by one."""


class VenuePart(Part, frozen=True, kw_only=True):
    """One broker: how the cockpit reaches it by itself, and what takes its orders when it is down."""

    name: str
    """As in venue:status."""
    probe: BrokerAddress | None = None
    """`tws://host:port` for IBKR's handshake, `https://...` for an HTTP probe, none for neither."""
    phone: str | None = None
    """Whom to call to have trading blocked there, where nothing else stops it."""
    token: Secret | None = None
    """`api_key:access_token`, for an HTTP probe that also asks whether the token is accepted, and what is held."""
    client_id: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """The API client as which a `tws://` gateway is asked what is held; one that nobody else uses. None: not asked."""
    backup: str | None = None
    """The adapter that takes its orders when it is down."""
    exchange: ExchangeName | None = None
    """Where its orders go (NSE, BSE, NYSE, NASDAQ, LSE): while that is closed, what is held there stays open."""
    reset_utc: Window | None = None
    """Its nightly reset, `HH:MM-HH:MM` UTC: an outage in it is expected, and at no other time, whatever it says."""


class FeedsPart(Part, frozen=True, kw_only=True):
    """The market data feeds and the registry that names the primary one."""

    names: tuple[str, ...] = ("yahoo", "moneycontrol")
    registry: Path = Path("registry.yaml")
    """Below the platform's root unless absolute."""
    primary_path: str = "primary_feed"
    """Where in the file the primary feed stands; dots descend: `ingestion.feeds.primary`."""
    backup_path: str = "backup_feed"
    deployment: str = "ws-gateway"
    """The deployment that takes the feeds in, and reads the registry when a pod of it starts."""
    gap_s: Seconds = 1.0
    """A silence longer than this is a gap."""
    exchanges: dict[str, ExchangeName] = field(default_factory=dict)
    """Feed -> the exchange whose prices it carries: while that is closed its silence is expected. Else it never is."""

    def __post_init__(self) -> None:
        unknown = sorted(self.exchanges.keys() - set(self.names))
        if unknown:
            raise ValueError(f"exchanges: there is no feed {unknown[0]} among `names`")


class PostgresPart(Part, frozen=True, kw_only=True):
    """Postgres and its newest dump."""

    dsn: PostgresAddress = "host=127.0.0.1 port=5432 dbname=hedgefund user=hedgefund_user"
    """libpq keywords, without the password."""
    password: Secret | None = None
    admin_dsn: PostgresAddress | None = None
    """As whom databases are made, swapped and dropped and backends ended; None: as above. libpq keywords too."""
    admin_password: Secret | None = None
    maintenance_database: str = "postgres"
    """Where the cockpit connects while it works on the platform's own database."""
    timeout_s: Seconds = 2.0
    container: str | None = "postgres"
    """The container that runs it, where Docker is asked for one of that name."""
    tables: tuple[str, ...] = ("orders", "fills", "positions")
    """Tables that must be there."""
    dump: Path = Path("/backups/pg/latest.dump")
    dump_max_age_s: float = 26 * 3600.0
    pg_restore: str = "pg_restore"
    pg_dump: str = "pg_dump"
    restore_jobs: Annotated[int, Meta(ge=1, le=64)] = 1
    """How many tables pg_restore fills at a time."""
    restore_s: Annotated[float, Meta(gt=0)] = 4 * 3600.0
    """So long a dump or a restore may take."""
    kept_s: Annotated[float, Meta(ge=0)] = 24 * 3600.0
    """So long the database that a restore put aside is kept before it may be dropped without a reason."""


class KubernetesPart(Part, frozen=True, kw_only=True):
    """The cluster and the deployments of the platform."""

    kubeconfig: Path | None = None
    """None = the kubeconfig of the environment."""
    context: str | None = None
    namespace: str | None = None
    """None = the context's."""
    deployments: tuple[str, ...] = ("ws-gateway",)
    trading_deployments: tuple[str, ...] = ("ws-gateway", "router")
    """Those whose outage touches trading."""
    order_deployments: tuple[str, ...] = ("router",)
    """Those of them that carry orders: without a pod, trading is halted."""
    timeout_s: Seconds = 2.5


class DockerPart(Part, frozen=True, kw_only=True):
    """The Docker Engine and the containers of the platform."""

    url: EngineAddress = "unix:///var/run/docker.sock"
    """unix:///path, tcp://host:2375, or https://host:2376."""
    certificates: Path | None = None
    """A folder with ca.pem, cert.pem and key.pem, as Docker's own programs read it; makes tcp:// speak TLS."""
    containers: tuple[str, ...] = ("redis",)
    timeout_s: Seconds = 2.0


class GrafanaPart(Part, frozen=True, kw_only=True):
    """Grafana's alerting API, or a plain Alertmanager."""

    url: WebAddress = "http://127.0.0.1:3000"
    token: Secret | None = None
    is_alertmanager: bool = False
    ca: Path | None = None
    """PEM file of a private authority that its certificate may be signed by."""
    timeout_s: Seconds = 2.0


class ApprovalsPart(Part, frozen=True, kw_only=True):
    """The second person for steps of class danger."""

    required_in: tuple[World, ...] = (World.LIVE, World.PAPER)
    """In these worlds somebody else must approve; in the sandbox one person trains alone."""
    lapse_s: Seconds = 600.0
    """A request, and an approval, counts for so long."""


class ScriptsPart(Part, frozen=True, kw_only=True):
    """The platform's own programs, run from its root as the runbook writes them."""

    path: tuple[Path, ...] = ()
    """Folders that come first on PATH for them."""
    env: tuple[str, ...] = ()
    """Names of further variables that they are given; beside those: PATH, HOME, USER, TZ, LANG, LC_* and REDIS_URL."""
    gap_fill: tuple[str, ...] = ("python", "backend/ingestion/candle_aggregator.py", "--gap-fill")
    replay: tuple[str, ...] = ("python", "backend/ops/replay_with_params.py", "--source", "ledger.db")
    flatten: tuple[str, ...] = ("python", "backend/ops/hedger.py", "--flatten-all")
    scenarios: tuple[str, ...] = ("python", "backend/ops/scenario_generator.py", "--all")
    ledger: Path = Path("ledger.db")
    """The ledger that they read, below the platform's root unless absolute."""
    slice_usd: Annotated[float, Meta(gt=0)] = 150_000.0
    """The largest order that the flattening program sends."""
    orders_per_s: Annotated[int, Meta(ge=1)] = 10
    """What the flattening program sends at most, per venue: the exchange's rule."""
    gap_fill_timeout_s: Seconds = 300.0
    replay_timeout_s: Seconds = 900.0
    flatten_timeout_s: Seconds = 180.0
    """It gives up by itself after 120 s."""
    scenarios_timeout_s: Seconds = 120.0


class JobsPart(Part, frozen=True, kw_only=True):
    """How steps are worked through, by processes of their own."""

    systemd: Literal["auto", "never", "always"] = "auto"
    """Whether a worker is started in a scope of its own: auto where logind would kill it at the end of the session."""
    output_max_bytes: Annotated[int, Meta(ge=1 << 16)] = 256 << 20
    """What is kept of the output of one job."""
    disk_free_min_bytes: Annotated[int, Meta(ge=0)] = 64 << 20
    """With less than this free, output is not kept: the journals need the room."""


class SnapshotsPart(Part, frozen=True, kw_only=True):
    """What is kept of Redis and the ledger before a step that may lose something."""

    folder: Path = Path("backups/cockpit")
    """Below the platform's root unless absolute; made for this user alone where it is missing."""
    max_age_s: Annotated[float, Meta(gt=0)] = 900.0
    """An older snapshot does not count as one of the state that is about to be changed."""


class AlertingPart(Part, frozen=True, kw_only=True):
    """alerts.yaml, and how what it and Grafana call severe is classified and told."""

    file: Path = Path("alerts.yaml")
    """Below the platform's root unless absolute; a site may do without one."""
    severities: Classes = field(default_factory=lambda: dict(CLASSES))
    """Label `severity` of Grafana's rules, and `severity` in alerts.yaml -> class. What is not named here is P2."""
    automatic: tuple[str, ...] = ("ops", "risk_officer")
    """The audiences that are told of P1 and P2 by themselves, where alerts.yaml says `notify: {enabled: true}`."""
    settle_s: Seconds = 5.0
    """A finding must stand for so long before it is told by itself."""
    clear_s: Seconds = 60.0
    """Nothing may stand for so long before the all-clear is told."""
    pause_s: Seconds = 60.0
    """Between two messages that go out by themselves; P1 waits for P1 only."""
    hourly: Annotated[int, Meta(ge=1)] = 12
    """Of those, at most so many an hour; what is left out is in the next one. Those of P1 are counted by themselves."""
    attempt_s: Seconds = 10.0
    """One try of a channel takes no longer."""
    send_within_s: Seconds = 45.0
    """All tries of a channel together; then it is not delivered."""

    def severity(self, label: str | None) -> Severity:
        """The class of what is labelled so; unsure goes up."""
        return Severity[self.severities.get((label or "").lower(), "P2")]


class IncidentsPart(Part, frozen=True, kw_only=True):
    """The incident log."""

    folder: Path = Path("runbooks/incidents")
    """Below the platform's root unless absolute. A team shares it as a 2770 folder; its files are 0660 then."""
    rto_minutes: Annotated[float, Meta(gt=0)] | None = 15.0
    """Within this time an incident has to be over; none = no clock runs against it."""
    git: bool = False
    """Commit each change that matters, where the folder is in a git repository."""


class Thresholds(Part, frozen=True, kw_only=True):
    """From where on something is a finding."""

    feed_lag_ms: float = 100.0
    feed_stalled_s: float = 1.7
    gap_recent_s: float = 1.5
    """A feed with a gap this recently is a gappy one."""
    redis_memory_fraction: Fraction = 0.80
    redis_full_fraction: Fraction = 0.97
    round_trip_ms: float = 100.0
    venue_latency_ms: float = 250.0
    venue_silent_s: float = 5.0
    reroute_left_s: float = 60.0
    """A broker that has been up for so long and whose orders still go to its backup is told of."""
    group_lag: int = 100
    group_behind_s: float = 1.0
    """A group that is this long behind its stream's rate is late, also below `group_lag`."""
    pending_age_s: float = 5.0
    heartbeat_s: float = 5.0
    blocked_s: float = 1.0
    blocked_long_s: float = 10.0
    connections_fraction: Fraction = 0.9
    candles_missing: int = 0
    reject_fraction: Fraction | None = None
    """From this share of the decided orders on, too many are rejected; not judged where it is not set."""
    drawdown_fraction: Fraction | None = None
    """Beside the limit in Redis; the lower one counts."""
    var_share: Fraction = 1.0
    """From this share of its limit on, VaR is near it."""
    es_share: Fraction = 1.0
    gross_share: Fraction = 1.0
    token_left_s: float = 1800.0
    risk_age_s: float = 5.0
    clear_after_s: float = 1.0
    """A finding stands until its rule has been quiet for this long."""


class ContactPart(Part, frozen=True, kw_only=True):
    """Somebody to call in the night; stands on the paper copy of the runbook."""

    name: str
    phone: str
    role: str = ""


def _told_apart(venues: tuple[VenuePart, ...]) -> tuple[VenuePart, ...]:
    names = [venue.name for venue in venues]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two brokers are called {twice[0]}")
    return venues


class Settings(Part, frozen=True, kw_only=True):
    """The whole configuration of one site."""

    site: SiteName
    world: World = World.LIVE
    root: Path
    """The platform's root folder; below the configuration's own folder unless absolute."""
    state: Path | None = None
    """Where journals are kept, below the configuration's folder unless absolute; None = the user's state folder."""
    interval_s: Seconds = 1.0
    redis: RedisPart | None = None
    venues: Annotated[tuple[VenuePart, ...], _told_apart] = ()
    feeds: FeedsPart = field(default_factory=FeedsPart)
    postgres: PostgresPart | None = None
    kubernetes: KubernetesPart | None = None
    docker: DockerPart | None = None
    grafana: GrafanaPart | None = None
    scripts: ScriptsPart = ScriptsPart()
    jobs: JobsPart = JobsPart()
    approvals: ApprovalsPart = ApprovalsPart()
    snapshots: SnapshotsPart = SnapshotsPart()
    runbook: Path | None = None
    """A fund's own sections and steps, as in actions/runbook.yaml; below the platform's root unless absolute."""
    incidents: IncidentsPart = IncidentsPart()
    thresholds: Thresholds = Thresholds()
    """Where alerts.yaml sets one too, that counts: it is the platform's own."""
    alerting: AlertingPart = field(default_factory=AlertingPart)
    contacts: tuple[ContactPart, ...] = ()
    critical_workers: tuple[str, ...] = ("risk", "router", "ledger")
    """Components, and consumer groups of the same names, without which orders are not safely traded."""
    cosmetic_workers: tuple[str, ...] = ("api",)
    """Components that trading does not need."""
    paper_adapters: tuple[str, ...] = ("paper",)
    """Adapters whose orders reach no market: on LIVE nothing is rerouted to them without a reason."""
    exchanges: tuple[ExchangeName, ...] = ("NSE", "NYSE")
    """Exchanges whose local time and session stand in the top line."""
    holidays: dict[ExchangeName, tuple[date, ...]] = field(default_factory=dict)
    """Exchange -> days on which it stays closed: `NSE: [2026-01-26]`."""

    def below_root(self, path: Path) -> Path:
        """A path of the configuration, resolved against the platform's root."""
        return path if path.is_absolute() else self.root / path

    @property
    def incidents_folder(self) -> Path:
        """Where incidents are kept."""
        return self.below_root(self.incidents.folder)


def load(file: Path, text: str | None = None) -> Settings:
    """Read the configuration, or take this text for the file's.

    Raises:
        ConfigError: it cannot be read or is wrong; the text names the file, the place and the reason.
    """
    try:
        raw = read_yaml(file.read_text(encoding="utf-8") if text is None else text)
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError(f"cannot read {file}: {why}") from error
    except (yaml.YAMLError, *NOT_OURS) as error:
        # A date that no calendar has is a plain ValueError of the reader, a tag that does not fit any of the others.
        # The reader, given a text, does not know the file's name.
        why = str(error).replace('"<unicode string>"', str(file))
        raise ConfigError(f"{file} is not valid YAML: {why}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{file} holds no settings: it must be a mapping with at least `site` and `root`")
    try:
        settings = parsed(Settings, raw)
    except ConfigError as error:
        raise ConfigError(f"{file} is wrong:\n{error}") from None
    # Workers and cockpits that are started elsewhere mean the same folders.
    here = file.absolute().parent
    state = None if settings.state is None else here / settings.state
    return structs.replace(settings, root=here / settings.root, state=state)
