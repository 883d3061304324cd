"""Reads the alert rules and what they say now: firing, pending, without data, silenced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from cockpit.clients.grafana import ALERTMANAGER, Alerting, AlertServer
from cockpit.clients.moments import age_s, unix_time
from cockpit.clients.parts import Json, parts
from cockpit.clock import Clock
from cockpit.config import AlertingPart, Settings
from cockpit.errors import ConfigError
from cockpit.model.backends import AlertRule, Alerts, Silence
from cockpit.model.severity import Severity
from cockpit.text import clean

PREFIXES = (
    ("alerting", "firing"),
    ("firing", "firing"),
    ("err", "error"),
    ("nodata", "nodata"),
    ("pending", "pending"),
    ("recovering", "recovering"),
    ("normal", "normal"),
    ("inactive", "normal"),
    ("ok", "normal"),
)
"""A state may carry a reason, `Alerting (NoData)`, so it is its beginning that counts."""
ORDER = ("firing", "error", "nodata", "unknown", "pending", "recovering", "normal")
"""The worst first; what nobody knows is not normal."""

Classify = Callable[[str | None], Severity]
"""What a label `severity` is taken for."""
USUAL: Classify = AlertingPart().severity


class AlertsProbe:
    """One look at Grafana or Alertmanager."""

    name = "alerts"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if settings.grafana is None:
            raise ConfigError("grafana is not configured")
        self._clock = clock
        self._class = settings.alerting.severity
        self._server = AlertServer(settings.grafana)
        self._before: tuple[Alerting, Alerts, float] | None = None
        self.interval_s = settings.interval_s
        self.deadline_s = 2 * settings.grafana.timeout_s + 0.5

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether there is a server to ask."""
        return settings.grafana is not None

    async def read(self) -> Alerts:
        """The alerts as they are now.

        Raises:
            BackendError: the server did not answer, or refused.
        """
        said = await self._server.read()
        now, before = self._clock.now(), self._before
        found = None
        if before is not None and before[0] == said:
            found = aged(before[1], now - before[2])
        if found is None:
            found = alerts(self._server.source, said, now, self._class)
        self._before = said, found, now
        return found

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        return self._server.awaits()

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()


def alerts(source: str, said: Alerting, now: float, severity: Classify = USUAL) -> Alerts:
    """The answers as facts: one entry a rule; of a plain Alertmanager, one an alert's name.

    Where alerts of one name differ in what they are labelled, the worst that stands counts, by `severity`.
    """
    if said.rules:
        found = tuple(_rule(rule, said.instances, now, severity) for rule in said.rules)
    else:
        # Without the right to a folder Grafana shows its alerts and hides its rules.
        groups: dict[str | None, list[Json]] = {}
        for alert in said.instances:
            groups.setdefault(_label(alert, "alertname"), []).append(alert)
        found = tuple(_group(name, members, now, severity) for name, members in groups.items())
    has_rules = bool(said.rules) or source == ALERTMANAGER
    return Alerts(
        source=source,
        is_database_ok=said.is_database_ok,
        rules=found,
        has_rules=has_rules,
        silences=tuple(one for item in said.silences if (one := silence(item, now)) is not None),
        silences_error=None if said.silences_error is None else clean(said.silences_error),
    )


def aged(before: Alerts, by_s: float) -> Alerts | None:
    """The same so much later; None where that has to be read anew: an age of 0 may lie ahead of our clock.

    Rules are evaluated every ten seconds or more seldom, and until then the answers are the same, byte for byte.
    """
    if (
        by_s < 0
        or any(one.since_s == 0.0 for one in before.rules)
        or any(one.left_s <= by_s for one in before.silences)
    ):
        return None
    rules = (one if one.since_s is None else replace(one, since_s=one.since_s + by_s) for one in before.rules)
    silences = (replace(one, left_s=one.left_s - by_s) for one in before.silences)
    return replace(before, rules=tuple(rules), silences=tuple(silences))


def silence(item: Json, now: float) -> Silence | None:
    """A silence that is in force or will be; None for one that has ended, or is none.

    >>> matcher = {"name": "alertname", "value": "Latency", "isRegex": False, "isEqual": True}
    >>> said = {"id": "a1", "endsAt": "1970-01-01T00:10:00Z", "createdBy": "asha", "matchers": [matcher]}
    >>> silence(said, 0.0)
    Silence(id='a1', words='alertname = "Latency"', by='asha', comment='', left_s=600.0)
    >>> silence(said, 600.0)
    """
    ends_at = unix_time(item.get("endsAt"))
    if ends_at is None or ends_at <= now or not isinstance(item.get("id"), str):
        return None
    matchers = parts(item, "matchers")
    return Silence(
        id=clean(item["id"], 60),
        words=clean(", ".join(map(_matcher, matchers)) or "nothing that we can read", 120),
        by=clean(item.get("createdBy") or "unknown", 60),
        comment=clean(item.get("comment") or "", 160),
        left_s=ends_at - now,
    )


def _matcher(one: Json) -> str:
    sign = ("=" if one.get("isEqual", True) else "!") + ("~" if one.get("isRegex") else "")
    return f'{one.get("name")} {"!=" if sign == "!" else sign} "{one.get("value")}"'


def normalised(state: object) -> str:
    """A state of Grafana's rules or alerts in our words.

    >>> [normalised(s) for s in ("Alerting (NoData)", "Normal (MissingSeries)", "NoData", "inactive", "firing", None)]
    ['firing', 'normal', 'nodata', 'normal', 'firing', 'unknown']
    """
    return _ours_for(str(state)[:40])


@lru_cache(maxsize=64)
def _ours_for(state: str) -> str:
    """Each rule says a few of a handful of words."""
    word = state.lower()
    return next((ours for theirs, ours in PREFIXES if word.startswith(theirs)), "unknown")


def _rule(rule: Json, instances: Iterable[Json], now: float, severity: Classify) -> AlertRule:
    alerts = parts(rule, "alerts")
    # A rule in Error or NoData keeps the state `inactive`: its health and its alerts tell.
    states = [normalised(alert.get("state")) for alert in alerts] + _standing(rule)
    state = _worst(states)
    if state == "firing" and _is_silenced(rule, instances):
        state = "silenced"
    current = [alert for alert in alerts if normalised(alert.get("state")) == _worst(states)]
    ages = [age for alert in current if (age := age_s(alert.get("activeAt"), now)) is not None]
    return AlertRule(
        name=clean(rule.get("name") or "unnamed", 80),
        state=state,
        severity=_text(_worst_label([*current, rule], severity)),
        since_s=max(ages, default=None),
        summary=_summary([*current, rule]),
        silenced_by=_silenced_by(_ours(rule, instances)),
    )


def _standing(rule: Json) -> list[str]:
    """The rule's own state, which one that only records does not have, and its health."""
    states = [] if rule.get("type") == "recording" else [normalised(rule.get("state"))]
    if rule.get("health") != "unknown":
        return [*states, normalised(rule.get("health"))]
    # Never evaluated yet: nothing is known, so it is not normal, unless somebody wants it so.
    return states if rule.get("isPaused") else [*states, "nodata"]


def _silenced_by(instances: Iterable[Json]) -> tuple[str, ...]:
    """The silences that keep these alerts back."""
    found = [one.get("status") for one in instances]
    lists = [status.get("silencedBy") for status in found if isinstance(status, dict)]
    ids = [clean(one, 60) for names in lists if isinstance(names, list) for one in names]
    return tuple(dict.fromkeys(ids))


def _ours(rule: Json, instances: Iterable[Json]) -> list[Json]:
    """The alerts of the rule."""
    uid, name = rule.get("uid"), rule.get("name")
    return [
        alert
        for alert in instances
        if (uid and _label(alert, "__alert_rule_uid__") == uid)
        or (not _label(alert, "__alert_rule_uid__") and _label(alert, "alertname") == name)
    ]


def _is_silenced(rule: Json, instances: Iterable[Json]) -> bool:
    """Whether every alert of the rule is kept back by a silence or an inhibition."""
    ours = _ours(rule, instances)
    return bool(ours) and all(_instance_state(alert) == "silenced" for alert in ours)


def _worst_label(things: Iterable[Json], severity: Classify) -> str | None:
    found = [label for thing in things if (label := _label(thing, "severity"))]
    return min(found, key=severity, default=None)


def _group(name: str | None, instances: list[Json], now: float, severity: Classify) -> AlertRule:
    states = [_instance_state(alert) for alert in instances]
    state = next((state for state in ("firing", "pending") if state in states), "silenced")
    ages = [age for alert in instances if (age := age_s(alert.get("startsAt"), now)) is not None]
    return AlertRule(
        name=clean(name or "unnamed", 80),
        state=state,
        severity=_text(_worst_label([one for one in instances if _instance_state(one) == state], severity)),
        since_s=max(ages, default=None),
        summary=_summary(instances),
        silenced_by=_silenced_by(instances),
    )


def _instance_state(alert: Json) -> str:
    status = alert.get("status")
    word = status.get("state") if isinstance(status, dict) else None
    return {"suppressed": "silenced", "unprocessed": "pending"}.get(str(word), "firing")


def _worst(states: list[str]) -> str:
    return next((state for state in ORDER if state in states), "normal")


def _label(thing: Json, name: str) -> str | None:
    labels = thing.get("labels")
    value = labels.get(name) if isinstance(labels, dict) else None
    return value if isinstance(value, str) else None


def _summary(things: Iterable[Json]) -> str | None:
    for thing in things:
        notes = thing.get("annotations")
        for key in ("summary", "description", "message"):
            value = notes.get(key) if isinstance(notes, dict) else None
            if isinstance(value, str) and value.strip():
                return clean(value)
    return None


def _text(value: str | None) -> str | None:
    return None if value is None else clean(value, 20)
