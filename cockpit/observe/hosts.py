"""The host of each backend by the name of its source: looked at only where one is late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from cockpit.config import Settings
from cockpit.errors import BackendError


def host_of(settings: Settings, source: str) -> str:
    """Its name or address; empty where it has none, or where only its client knows."""
    found = _HOSTS.get(source)
    return found(settings) if found is not None else ""


def _redis(settings: Settings) -> str:
    return _of_url(settings.redis.url if settings.redis is not None else "")


def _postgres(settings: Settings) -> str:
    from cockpit.clients.postgres_driver import is_loaded
    from cockpit.clients.postgres_link import keywords

    if not is_loaded():
        # It is late because its driver is still being imported; to wait for that here would blind all others too.
        return ""
    try:
        given = keywords(settings.postgres, as_admin=False) if settings.postgres is not None else {}
    except BackendError:
        return ""
    # One that it has an address for is not looked up; of several the first is tried first.
    host = "" if given.get("hostaddr") else str(given.get("host") or "").partition(",")[0]
    return "" if host.startswith(("/", "@")) else host


def _grafana(settings: Settings) -> str:
    return _of_url(settings.grafana.url if settings.grafana is not None else "")


def _docker(settings: Settings) -> str:
    return _of_url(settings.docker.url if settings.docker is not None else "")


def _of_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        return "" if parts.scheme.endswith("unix") else parts.hostname or ""
    except ValueError:
        return ""


_HOSTS: Mapping[str, Callable[[Settings], str]] = {
    "redis": _redis,
    "postgres": _postgres,
    "databases": _postgres,
    "alerts": _grafana,
    "docker": _docker,
}
