"""Reads the containers of the Docker Engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cockpit.clients.docker import DockerEngine
from cockpit.clients.moments import age_s
from cockpit.clients.parts import part, parts
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.backends import Container, Docker
from cockpit.text import clean


class DockerProbe:
    """The configured containers, present or not."""

    name = "docker"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if settings.docker is None:
            raise ConfigError("docker is not configured")
        self._clock = clock
        self._engine = DockerEngine(settings.docker, clock)
        self._timeout_s = settings.docker.timeout_s
        self.interval_s = settings.interval_s
        self.deadline_s = 2 * self._timeout_s + 0.5

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether there is an engine to ask."""
        return settings.docker is not None

    async def read(self) -> Docker:
        """The containers as they are now.

        Raises:
            BackendError: the engine did not answer, or refused.
        """
        engine = await self._engine.read()
        now = self._clock.now()
        found = (container(name, said, now) for name, said in engine.containers.items())
        return Docker(version=clean(engine.version, 40), containers=tuple(found))

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.close()


def container(name: str, said: tuple[Mapping[str, Any], Mapping[str, Any]] | None, now: float) -> Container:
    """One container's row and inspection as facts.

    >>> container("redis", None, 0.0).state
    'absent'
    >>> row = {"State": "exited", "Status": "Exited (137) 4 seconds ago"}
    >>> container("redis", (row, {"State": {"Status": "exited", "ExitCode": 137, "Pid": 0}}), 0.0).exit_code
    137
    """
    if said is None:
        return Container(clean(name), "absent", "no such container", None, None, None)
    row, inspection = said
    facts = part(inspection, "State")
    word = clean(facts.get("Status") or row.get("State") or "unknown", 20).lower()
    is_running = word in ("running", "paused")
    pid, code = facts.get("Pid"), facts.get("ExitCode")
    return Container(
        name=clean(name),
        state=word,
        status=clean(row.get("Status") or word, 80),
        started_age_s=age_s(facts.get("StartedAt"), now),
        exit_code=code if isinstance(code, int) and not is_running else None,
        pid=pid if isinstance(pid, int) and pid > 0 else None,
        ports=_ports(inspection),
        stopped_age_s=None if is_running else age_s(facts.get("FinishedAt"), now),
    )


def _ports(inspection: Mapping[str, Any]) -> tuple[int, ...]:
    """Those of its host: as they are, and as they will be where it does not run.

    >>> _ports({"HostConfig": {"PortBindings": {"6379/tcp": [{"HostIp": "", "HostPort": "6380"}]}}})
    (6380,)
    """
    found: set[int] = set()
    for section, name in (("NetworkSettings", "Ports"), ("HostConfig", "PortBindings")):
        published = part(part(inspection, section), name)
        for inner in published:
            ports = (str(one.get("HostPort")) for one in parts(published, inner))
            found.update(int(port) for port in ports if port.isdecimal() and len(port) < 6)
    return tuple(sorted(found))
