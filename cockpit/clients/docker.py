"""The Docker Engine API, Podman's too: containers by name. No version is pinned: engines refuse old and new ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cockpit.clients.web import Trust, Web
from cockpit.clock import Clock
from cockpit.config import DockerPart
from cockpit.errors import BackendError

MAX_BYTES = 4 << 20
NAME = "Docker"
INSPECTED_S = 10.0
"""So long an inspection counts of a container that runs on and on. One started anew says for a minute that it has been
up for seconds; whoever looks more seldom than that could miss it, and a list has no moment of the start."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine's answers: per container its row of `docker ps` and its inspection, None where it is absent."""

    version: str
    containers: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]] | None]


class DockerEngine:
    """One engine over its unix socket or TCP."""

    def __init__(self, settings: DockerPart, clock: Clock) -> None:
        self._clock = clock
        self._names = settings.containers
        self._web = connect(settings)
        self._version = ""
        self._known: dict[str, tuple[Mapping[str, Any], Mapping[str, Any], float]] = {}
        """Row and inspection of each container, and when they were asked for."""

    async def read(self) -> Engine:
        """The configured containers: one list, and an inspection of each that exists and may be another by now.

        Raises:
            BackendError: in an operator's words.
        """
        now = self._clock.now()
        try:
            if not self._version:
                said = await self._web.get_json("/version")
                self._version = str(said.get("Version", "")) if isinstance(said, dict) else ""
            filters = json.dumps({"name": list(self._names)})
            rows = await self._web.get_json("/containers/json", {"all": "1", "filters": filters})
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise BackendError("Docker answered something else than a list of containers")
            found = [self._still(name, rows, now) for name in self._names]
            if not all(found):
                found = await asyncio.gather(*(self._container(name, rows, now) for name in self._names))
        except BaseException:
            self._version = ""  # it may come back as another one
            self._known.clear()
            raise
        return Engine(self._version, dict(zip(self._names, found, strict=True)))

    async def close(self) -> None:
        """Close the connections."""
        await self._web.close()

    def _still(self, name: str, rows: list[Any], now: float) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """What is known of one that has been up for minutes and still is: started anew, it would be up for seconds."""
        row, known = _row_of(name, rows), self._known.get(name)
        if row is None or known is None or known[0] != row or not 0 <= now - known[2] < INSPECTED_S:
            return None
        status = str(row.get("Status"))
        return known[:2] if status.startswith("Up ") and "second" not in status else None

    async def _container(
        self, name: str, rows: list[Any], now: float
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        row = _row_of(name, rows)
        if row is None:
            return None
        path = f"/containers/{quote(name, safe='')}/json"
        answer = await self._web.get(path)
        if answer.status == 404:
            return None  # removed in between
        if answer.status != 200:
            self._web.reject(answer)
        inspection = self._web.parsed(path, answer)
        if not isinstance(inspection, dict):
            raise BackendError(f"Docker answered something else than the container {name}")
        self._known[name] = row, inspection, now
        return row, inspection


def _row_of(name: str, rows: list[Any]) -> Mapping[str, Any] | None:
    # The filter is a regular expression over parts of names: `redis` also finds `redis-exporter`.
    wanted = {name, f"/{name}"}
    return next((row for row in rows if _is_called(row, wanted)), None)


def _is_called(row: Mapping[str, Any], wanted: Iterable[str]) -> bool:
    names = row.get("Names")
    return isinstance(names, list) and any(name in names for name in wanted)


def connect(settings: DockerPart) -> Web:
    """The engine's address and certificates as its own programs understand them."""
    folder = settings.certificates
    trust = None if folder is None else Trust(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    parts = urlsplit(settings.url)
    if parts.scheme == "unix":
        return Web(
            "http://docker", name=NAME, timeout_s=settings.timeout_s, unix_socket=parts.path, max_bytes=MAX_BYTES
        )
    scheme = {"tcp": "http" if trust is None else "https"}.get(parts.scheme, parts.scheme)
    url = f"{scheme}://{parts.netloc}"
    return Web(url, name=NAME, timeout_s=settings.timeout_s, trust=trust, max_bytes=MAX_BYTES)
