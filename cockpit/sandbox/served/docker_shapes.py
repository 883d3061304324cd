"""What the Docker Engine API says about a container and about itself."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from cockpit.sandbox.served.containers import ContainerRuntime

API_VERSION = "1.50"
MIN_API_VERSION = "1.24"
ENGINE_VERSION = "28.2.2"
NEVER = "0001-01-01T00:00:00Z"

Json = dict[str, Any]


def identity(container: ContainerRuntime) -> str:
    """Return the container's 64-digit id: the same for as long as the container exists."""
    return hashlib.sha256(f"{container.name}@{container.created_at.isoformat()}".encode()).hexdigest()


def image_id(container: ContainerRuntime) -> str:
    """Return the digest that stands for the image's name."""
    return "sha256:" + hashlib.sha256(container.image.encode()).hexdigest()


def inspection(container: ContainerRuntime) -> Json:
    """Return what `docker inspect` shows."""
    command = list(container.command)
    return {
        "Id": identity(container),
        "Created": stamp(container.created_at),
        "Path": command[0] if command else "",
        "Args": command[1:],
        "State": _state(container),
        "Image": image_id(container),
        "Name": "/" + container.name,
        "RestartCount": 0,
        "Driver": "process",
        "Platform": "linux",
        "Mounts": [],
        "HostConfig": {"NetworkMode": "host", "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
        "Config": {"Image": container.image, "Cmd": command, "Env": [], "Labels": {}, "Tty": False, "OpenStdin": False},
        "NetworkSettings": {"Ports": {}, "Networks": {"host": {}}},
    }


def summary(container: ContainerRuntime) -> Json:
    """Return one row of `docker ps`."""
    return {
        "Id": identity(container),
        "Names": ["/" + container.name],
        "Image": container.image,
        "ImageID": image_id(container),
        "Command": " ".join(container.command),
        "Created": int(container.created_at.timestamp()),
        "Ports": [],
        "Labels": {},
        "State": "running" if container.is_running else _ended(container),
        "Status": _status(container),
        "HostConfig": {"NetworkMode": "host"},
        "NetworkSettings": {"Networks": {"host": {}}},
        "Mounts": [],
    }


def version() -> Json:
    """Return what `docker version` shows of the server."""
    return {
        "Platform": {"Name": "Sandbox container engine"},
        "Version": ENGINE_VERSION,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
        "Arch": "amd64",
        "GitCommit": "sandbox",
        "GoVersion": "none",
        "KernelVersion": "",
        "Components": [{"Name": "Engine", "Version": ENGINE_VERSION, "Details": {"ApiVersion": API_VERSION}}],
    }


def info(containers: list[ContainerRuntime]) -> Json:
    """Return what `docker info` shows."""
    running = sum(1 for container in containers if container.is_running)
    return {
        "ID": "sandbox",
        "Name": "sandbox",
        "ServerVersion": ENGINE_VERSION,
        "Containers": len(containers),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": len(containers) - running,
        "Images": len({container.image for container in containers}),
        "Driver": "process",
        "OSType": "linux",
        "OperatingSystem": "Sandbox",
        "Architecture": "x86_64",
        "Plugins": {"Volume": [], "Network": [], "Authorization": None, "Log": []},
        "Swarm": {"LocalNodeState": "inactive"},
        "SecurityOptions": [],
        "Runtimes": {},
        "Warnings": None,
    }


def stamp(moment: datetime | None) -> str:
    """Return the moment as Docker writes it.

    >>> stamp(datetime(2026, 1, 2, 3, 4, 5, 600000, tzinfo=UTC)), stamp(None)
    ('2026-01-02T03:04:05.600000Z', '0001-01-01T00:00:00Z')
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment is not None else NEVER


def spoken(seconds: float) -> str:
    """Return a duration in docker ps' words.

    >>> [spoken(s) for s in (0.4, 1, 59, 75, 400, 9000, 200000)]
    ['Less than a second', '1 second', '59 seconds', 'About a minute', '6 minutes', '2 hours', '2 days']
    """
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    return f"{hours // 24} days"


def _ended(container: ContainerRuntime) -> str:
    return "exited" if container.started_at is not None else "created"


def _state(container: ContainerRuntime) -> Json:
    is_running = container.is_running
    return {
        "Status": "running" if is_running else _ended(container),
        "Running": is_running,
        "Paused": False,
        "Restarting": False,
        "OOMKilled": False,
        "Dead": False,
        "Pid": container.pid if is_running else 0,
        "ExitCode": 0 if is_running else container.exit_code,
        "Error": "",
        "StartedAt": stamp(container.started_at),
        "FinishedAt": stamp(container.finished_at),
    }


def _status(container: ContainerRuntime) -> str:
    now = datetime.now(UTC)
    if container.is_running and container.started_at is not None:
        return f"Up {spoken((now - container.started_at).total_seconds())}"
    if container.finished_at is None:
        return "Created"
    return f"Exited ({container.exit_code}) {spoken((now - container.finished_at).total_seconds())} ago"
