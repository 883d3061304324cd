"""Grafana's alerting API, and a plain Alertmanager's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cockpit.clients.bounded import SoloThread
from cockpit.clients.revealing import awaited
from cockpit.clients.web import Trust, Web
from cockpit.config import GrafanaPart
from cockpit.errors import BackendError, Refused

HEALTH = "/api/health"
RULES = "/api/prometheus/grafana/api/v1/rules"
INSTANCES = "/api/alertmanager/grafana/api/v2/alerts"
SILENCES = "/api/alertmanager/grafana/api/v2/silences"
ALERTMANAGER_SILENCES = "/api/v2/silences"
ALERTMANAGER_STATUS = "/api/v2/status"
ALERTMANAGER_ALERTS = "/api/v2/alerts"
ALERTMANAGER = "Alertmanager"
ALL_INSTANCES = {"active": "true", "silenced": "true", "inhibited": "true"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alerting:
    """What the server said: the rules (none from an Alertmanager) and the alerts that it routes."""

    is_database_ok: bool
    rules: tuple[Json, ...]
    instances: tuple[Json, ...]
    silences: tuple[Json, ...] = ()
    silences_error: str | None = None
    """Why the silences are not known: reading them is a permission of its own."""


class AlertServer:
    """One Grafana or Alertmanager."""

    def __init__(self, settings: GrafanaPart) -> None:
        self._settings = settings
        self.source = ALERTMANAGER if settings.is_alertmanager else "Grafana"
        self._web = Web(settings.url, name=self.source, timeout_s=settings.timeout_s, trust=Trust(ca=settings.ca))
        self._thread = SoloThread(f"the token's place for {self.source}")
        self._headers: dict[str, str] | None = None

    async def read(self) -> Alerting:
        """All of it, asked for at once.

        Raises:
            BackendError: in an operator's words.
        """
        if self._headers is None:
            await self._thread.call(self._settings.timeout_s, self._authorize)
        try:
            return await (self._alertmanager() if self._settings.is_alertmanager else self._grafana())
        except Refused:
            self._headers = None  # the token may have been renewed where it is kept
            raise

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        token = self._settings.token
        return awaited(token, "token") if self._headers is None and token is not None else ""

    async def close(self) -> None:
        """Close the connections."""
        await self._web.close()

    async def _grafana(self) -> Alerting:
        health: Any
        rules: Any
        instances: Any
        silences: Any
        health, rules, instances, silences = await asyncio.gather(
            self._health(),
            self._get(RULES, {"limit_alerts": "16"}),
            self._get(INSTANCES, ALL_INSTANCES),
            self._silences(SILENCES),
            return_exceptions=True,
        )
        if isinstance(health, BaseException):
            raise health
        is_ok = bool(health)
        for failed in (rules, instances, silences):
            if isinstance(failed, BackendError) and not is_ok:
                raise BackendError(f"Grafana's database is failing: {failed}")
            if isinstance(failed, BaseException):
                raise failed
        groups = _rows(_field(_field(rules, "data"), "groups"), "rule groups")
        found = [rule for group in groups for rule in _rows(group.get("rules") or [], "rules")]
        return Alerting(is_ok, tuple(found), tuple(_rows(instances, "alerts")), *silences)

    async def _health(self) -> bool:
        """Whether Grafana's own database works: 503 and `failing` when it does not."""
        answer = await self._web.get(HEALTH)
        if answer.status not in (200, 503):
            self._web.reject(answer)
        return answer.status == 200 and _field(answer.json(), "database") == "ok"

    async def _alertmanager(self) -> Alerting:
        status, instances, silences = await asyncio.gather(
            self._get(ALERTMANAGER_STATUS, None),
            self._get(ALERTMANAGER_ALERTS, ALL_INSTANCES),
            self._silences(ALERTMANAGER_SILENCES),
        )
        cluster = _field(_field(status, "cluster"), "status")
        is_ok = cluster in ("ready", "disabled", None)
        return Alerting(is_ok, (), tuple(_rows(instances, "alerts")), *silences)

    async def _silences(self, path: str) -> tuple[tuple[Json, ...], str | None]:
        """The silences, or why they are not known: the alerts are worth having without them."""
        try:
            return tuple(_rows(await self._get(path, None), "silences")), None
        except BackendError as error:
            return (), str(error)

    async def _get(self, path: str, params: Mapping[str, str] | None) -> Any:
        return await self._web.get_json(path, params, self._headers)

    def _authorize(self) -> None:
        """Reveal the token; blocks where a command prints it.

        Raises:
            ConfigError: it is not where the configuration says.
        """
        token = self._settings.token
        self._headers = {} if token is None else {"Authorization": f"Bearer {token.reveal().strip()}"}


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _rows(value: Any, what: str) -> list[Json]:
    """A list of JSON objects.

    Raises:
        BackendError: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise BackendError(f"answered something else than {what}")
    return value
