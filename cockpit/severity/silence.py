"""Backends that do not answer: one finding for each, and what it hides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cockpit.config import Settings
from cockpit.errors import NO_ANSWER
from cockpit.model.finding import Finding, Since
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.severity import sections, words


@dataclass(frozen=True, slots=True)
class Backend:
    """One source of samples and how bad its silence is."""

    name: str
    fields: tuple[str, ...]
    severity: Severity
    panel: str
    section: str | None = None
    verb: str = "does not answer"
    by_hand: str = ""
    """What a person does where no step starts it again."""


WRONG = "cannot be used"
DENIED = "refuses us"
RIGHTS = "mend redis.password, or its rights"
"""Where to look: it is there, and no restart changes what it lets us do."""
BRIEF = 60
"""In more cells than this the cause would be the part of an error that a wall cuts."""
REDIS_FIELDS = ("kill_switch", "venues", "flow", "feeds", "risk", "redis", "heartbeats")
SILENT, UNREAD, UNUSABLE = "backend_silent", "payload_unreadable", "backend_unusable"
"""The last: it may be well, and is not asked, or does not let us; what answers a crash does not answer that."""
BACKENDS = (
    Backend("Redis", REDIS_FIELDS, Severity.P1, "redis", sections.REDIS),
    Backend("Postgres", ("postgres",), Severity.P1, "postgres", sections.POSTGRES),
    Backend("Postgres' maintenance database", ("databases",), Severity.P4, "postgres"),
    Backend("Kubernetes API", ("kubernetes",), Severity.P3, "kubernetes", sections.FEED),
    Backend("Docker", ("docker",), Severity.P3, "redis", by_hand="no step restarts Docker: do it on its host"),
    Backend("Grafana", ("alerts",), Severity.P3, "alerts", by_hand="no step restarts Grafana: do it where it runs"),
    Backend("broker probe", ("reach",), Severity.P2, "brokers", sections.BROKER),
    Backend("registry.yaml", ("registry",), Severity.P3, "feeds", sections.FEED, "cannot be read"),
    Backend("alerts.yaml", ("alerting",), Severity.P3, "alerts", verb=WRONG),
    Backend("dump", ("dump",), Severity.P3, "postgres", sections.POSTGRES, "cannot be read"),
)

FIRST_DUMP_S = 15.0
"""So long a platform that has just been started may take for its first dump."""

UNREADABLE: Mapping[str, tuple[str, Severity]] = {
    "kill_switch": ("risk", Severity.P2),
    "venues": ("brokers", Severity.P2),
    "flow": ("flow", Severity.P2),
    "feeds": ("feeds", Severity.P2),
    "risk": ("risk", Severity.P2),
    "redis": ("redis", Severity.P2),
    "heartbeats": ("flow", Severity.P3),
}
"""One broken payload in a Redis that answers: its panel, and how bad it is not to know."""

PANELS: Mapping[str, tuple[str, ...]] = {
    "brokers": ("venues", "reach"),
    "flow": ("flow",),
    "feeds": ("feeds", "registry"),
    "redis": ("redis",),
    "risk": ("risk", "kill_switch"),
    "postgres": ("postgres", "dump"),
    "kubernetes": ("kubernetes",),
    "alerts": ("alerts",),
}
"""What each panel must know to be called OK."""

BESIDE: Mapping[str, str] = {
    "redis_container": "kubernetes",
    "postgres_container": "kubernetes",
    "worker_silent": "kubernetes",
}
"""A panel that shows what these rules find too, beside the one that they belong to: it is as ill as its worst row."""


def configured(settings: Settings) -> frozenset[str]:
    """The fields of the snapshot that this configuration fills."""
    fields: set[str] = {"registry", "alerting"}
    if settings.redis:
        fields.update(REDIS_FIELDS)
    if any(venue.probe for venue in settings.venues):
        fields.add("reach")
    if settings.postgres:
        fields.update(("postgres", "databases", "dump"))
    fields.update(name for name in ("kubernetes", "docker") if getattr(settings, name))
    if settings.grafana:
        fields.add("alerts")
    return frozenset(fields)


def silent(snapshot: Snapshot, settings: Settings) -> Iterator[Finding]:
    """A finding for every backend that was asked and gives nothing that may be shown as the present."""
    there = configured(settings)
    for backend in BACKENDS:
        fields = [field for field in backend.fields if field in there]
        failing = [field for field in fields if is_failing(_sample(snapshot, field), snapshot.taken_at)]
        if failing == ["dump"] and _is_first_awaited(snapshot, there):
            continue
        if failing == ["databases"] and is_failing(snapshot.postgres, snapshot.taken_at):
            continue  # one server that is down is one finding
        if failing and len(failing) == len(fields):
            yield _silence(backend, _sample(snapshot, failing[-1]), snapshot.taken_at)
        elif len(failing) > len(fields) / 2:
            # It answers, and serves nothing: loading its data, or not for this user.
            yield _silence(replace(backend, verb="serves no data"), _sample(snapshot, failing[0]), snapshot.taken_at)
        elif failing:
            yield from (_unreadable(field, _sample(snapshot, field), snapshot.taken_at) for field in failing)


def is_complete(snapshot: Snapshot, there: frozenset[str]) -> bool:
    """Whether everything was tried: what is not called silent then was not."""
    return all(_sample(snapshot, field).tried_at is not None for field in there)


def is_failing(sample: Sample[Any], now: float) -> bool:
    """Whether it was tried and has no present value; what was never tried is not down."""
    return sample.tried_at is not None and not sample.is_live(now)


def stopped_at(snapshot: Snapshot, settings: Settings, silence: Finding) -> float | None:
    """When what does not answer came to an end, where its container's engine says so."""
    docker, part = snapshot.docker, settings.redis
    if silence.subject != BACKENDS[0].name or part is None or docker.value is None or docker.value_at is None:
        return None
    found = next((one for one in docker.value.containers if one.name == part.container), None)
    if found is None or found.stopped_age_s is None or not docker.is_live(snapshot.taken_at):
        return None
    return docker.value_at - found.stopped_age_s


def _is_first_awaited(snapshot: Snapshot, there: frozenset[str]) -> bool:
    """Whether there never was a dump, on a platform so young, by its Redis, that none need be there yet."""
    redis = snapshot.redis
    if snapshot.dump.value is not None or "redis" not in there:
        return False
    if redis.tried_at is None:
        return True
    uptime_s = redis.value.uptime_s if redis.value is not None and redis.is_live(snapshot.taken_at) else None
    return uptime_s is not None and uptime_s < FIRST_DUMP_S


def _silence(backend: Backend, sample: Sample[Any], now: float) -> Finding:
    age_s, rule = sample.age_s(now), SILENT
    if not sample.is_ready and sample.error is not None:
        # Whether it answers is known once something is sent to it.
        backend = replace(backend, verb="is not asked yet", section=None, severity=Severity.UNKNOWN)
        why, observed, rule = sample.error, sample.error, UNUSABLE
    elif not sample.is_asked and sample.error is not None:
        # Nothing that the runbook could restart: it is the cockpit that has to be configured.
        backend, why, observed = (
            replace(backend, verb="is not asked", section=None, by_hand=""),
            sample.error,
            sample.error,
        )
        rule = UNUSABLE
    elif sample.is_denied and sample.error is not None:
        backend, rule, observed = replace(backend, verb=DENIED, section=None), UNUSABLE, RIGHTS
        why = f"{_reason(sample.error, BRIEF)}: {RIGHTS}"
    else:
        said = len(f"{backend.name} {backend.verb}: ")
        why = "" if sample.error == NO_ANSWER else _reason(_unnamed(sample.error, backend.name), BRIEF - said)
        observed = "never answered" if age_s is None else f"no answer for {words.seconds(age_s)}"
        if backend.verb == WRONG and age_s is not None:
            observed = f"the last good one, {words.seconds(age_s)} old, counts"
    return Finding(
        rule=rule,
        subject=backend.name,
        severity=backend.severity,
        panel=backend.panel,
        summary=f"{backend.name} {backend.verb}" + (f": {why}" if why else " in time"),
        observed=observed,
        threshold=words.seconds(sample.stale_after_s),
        since=now,
        section=backend.section,
        by_hand=backend.by_hand,
        since_is=_since(sample),
    )


def _unnamed(error: str | None, name: str) -> str | None:
    """The error without the backend's name, which stands before it.

    >>> _unnamed("Kubernetes hangs in an earlier call", "Kubernetes API")
    'hangs in an earlier call'
    """
    head, _, rest = (error or "").partition(" ")
    return rest if rest and head.rstrip(":") == name.split()[0] else error


def _reason(error: str | None, room: int) -> str:
    """Why it does not answer; where that is too long, its last part, which holds the cause.

    >>> _reason("cannot reach http://127.0.0.1:3000: connection refused", 30)
    'connection refused'
    """
    if error is None:
        return "its data is old"
    return error if len(error) <= room else error.rpartition(": ")[2]


def _unreadable(field: str, sample: Sample[Any], now: float) -> Finding:
    panel, severity = UNREADABLE[field]
    age_s = sample.age_s(now)
    return Finding(
        rule=UNREAD,
        subject=field,
        severity=severity,
        panel=panel,
        summary=f"{field.replace('_', ' ')} unreadable: {sample.error or 'its data is old'}",
        observed="never read" if age_s is None else f"{words.seconds(age_s)} old",
        threshold=words.seconds(sample.stale_after_s),
        since=now,
        section=None if sample.is_denied else sections.REDIS,
        since_is=_since(sample),
    )


def _since(sample: Sample[Any]) -> Since:
    return Since.OR_EARLIER if sample.value is None else Since.EXACT


def _sample(snapshot: Snapshot, field: str) -> Sample[Any]:
    sample: Sample[Any] = getattr(snapshot, field)
    return sample
