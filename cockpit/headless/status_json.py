"""A snapshot as JSON with stable keys: what is unknown is null, never 0."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from cockpit.config import Settings
from cockpit.model.incident import Incident
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.severity.silence import PANELS, configured
from cockpit.severity.trading import halt_readiness, trading

FORMAT = 1
EXIT_BASE = 10


def as_json(snapshot: Snapshot, settings: Settings) -> str:
    """One line, in ASCII: a file's name is as whoever made it wrote it."""
    return json.dumps(facts(snapshot, settings), allow_nan=False)


def facts(snapshot: Snapshot, settings: Settings) -> dict[str, Any]:
    """Everything but the trends."""
    now, worst = snapshot.taken_at, snapshot.assessment.severity
    state = trading(snapshot)
    there = configured(settings)
    found = {
        "format": FORMAT,
        "taken_at": iso(now),
        "world": snapshot.world.value,
        "site": snapshot.site,
        "severity": worst.label,
        "exit_code": 0 if worst is Severity.OK else EXIT_BASE + worst,
        "trading": {
            "state": state.word.value,
            "since": iso(state.since),
            "by": state.by,
            "reason": state.reason,
            "last_known": state.last_known.value if state.last_known else None,
            "age_s": state.age_s,
        },
        "halt": asdict(halt_readiness(snapshot, settings)),
        "panels": {
            name: {"severity": snapshot.assessment.panel(name).label, "age_s": age_of(snapshot, name, there)}
            for name in PANELS
        },
        "findings": [
            asdict(finding) | {"severity": finding.severity.label, "since": iso(finding.since)}
            for finding in snapshot.assessment.findings
        ],
        "incidents": _incidents(snapshot.incidents.value),
        "jobs": [asdict(job) for job in snapshot.jobs],
        "samples": {name: _sample(getattr(snapshot, name), now) if name in there else None for name in PROBES},
    }
    plain: dict[str, Any] = _plain(found)
    return plain


def age_of(snapshot: Snapshot, panel: str, there: frozenset[str]) -> float | None:
    """The age of the oldest thing that the panel shows; None where something was never read."""
    samples: list[Sample[Any]] = [getattr(snapshot, field) for field in PANELS[panel] if field in there]
    ages = [sample.age_s(snapshot.taken_at) for sample in samples]
    known = [age for age in ages if age is not None]
    return max(known) if known and len(known) == len(ages) else None


def iso(at: float | None) -> str | None:
    """Unix seconds as ISO 8601 in UTC.

    >>> iso(1700000000.25)
    '2023-11-14T22:13:20.250+00:00'
    """
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None


def _incidents(found: tuple[Incident, ...] | None) -> list[dict[str, Any]] | None:
    """The open ones; None where it is not known whether any is."""
    if found is None:
        return None
    return [
        {
            "id": one.id,
            "title": one.title,
            "severity": one.severity.label,
            "opened": iso(one.opened_at),
            "began": iso(one.from_at),
            "rto_minutes": one.rto_minutes,
            "roles": dict(one.roles),
        }
        for one in found
    ]


def _sample(sample: Sample[Any], now: float) -> dict[str, Any]:
    return {
        "value": sample.value,
        "age_s": sample.age_s(now),
        "is_live": sample.is_live(now),
        "error": sample.error,
        "value_at": iso(sample.value_at),
        "tried_at": iso(sample.tried_at),
        "took_s": sample.took_s,
    }


def _plain(value: Any) -> Any:
    """Facts as what JSON knows."""
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
