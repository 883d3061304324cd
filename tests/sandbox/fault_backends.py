"""Every backend of a sandbox behind a proxy of its own, one cockpit for each, so that one fault costs one panel."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis
import yaml

from actions.runbook import Runbook
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.model.sample import Sample
from cockpit.model.snapshot import Snapshot
from cockpit.observe.lookout import watch
from cockpit.observe.observer import Observer
from cockpit.parts import parsed
from tests.patience import PATIENCE_S
from tests.sandbox.fault_proxy import FLOOD_BYTES, FaultProxy

HTTP = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {FLOOD_BYTES}\r\n\r\n".encode()
HUNG_HOST = "hung.invalid"
WRONG = "sesame"
"""For a password and for a token."""
REDIS_FIELDS = ("kill_switch", "flow", "feeds", "risk", "redis", "heartbeats", "venues")


@dataclass(frozen=True, slots=True)
class Credential:
    """A file that a configuration names, with what is right in it and what is wrong."""

    file: Path
    right: str
    wrong: str

    def mend(self) -> None:
        self.file.write_text(self.right)

    def spoil(self) -> None:
        self.file.write_text(self.wrong)


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend: its samples, where its address stands, and how it is given another one."""

    name: str
    fields: tuple[str, ...]
    target: tuple[str, int] | str
    """Host and port, or the path of a unix socket."""
    preface: bytes
    at: Callable[[dict[str, Any], str, int, str], None]
    """Puts host, port or socket into a configuration."""
    credential: Callable[[dict[str, Any], Path], Credential] | None = None
    """Has a configuration with the address in it take credentials from a file; None where there are none."""
    venue: str | None = None


@dataclass(slots=True)
class Watched:
    """A cockpit whose way to one backend can be broken."""

    backend: Backend
    proxy: FaultProxy
    settings: Settings
    credential: Credential | None = None
    newest: Snapshot | None = None
    observer: Observer | None = field(default=None)

    def open(self) -> None:
        self.observer = watch(self.settings, SystemClock(), Runbook(()), lambda: (), self._hear)

    def close(self) -> None:
        if self.observer is not None:
            self.observer.stop(1.0)
        self.proxy.close()

    def _hear(self, snapshot: Snapshot) -> None:
        self.newest = snapshot

    def samples(self, names: tuple[str, ...]) -> list[Sample[Any]]:
        return [] if self.newest is None else [getattr(self.newest, name) for name in names]

    @property
    def is_well(self) -> bool:
        """The backend's own samples are live and say nothing bad."""
        now = time.time()
        found = self.samples(self.backend.fields)
        return self.newest is not None and all(one.is_live(now) and one.error is None for one in found) and self._is_up

    @property
    def _is_up(self) -> bool:
        if self.backend.venue is None:
            return True
        reach = self.newest.reach.value if self.newest else None
        return any(one.venue == self.backend.venue and one.is_up for one in reach or ())

    @property
    def is_said(self) -> bool:
        """Somebody who looks at the wall is told, with a reason and with the age of what is still shown."""
        if self.newest is None:
            return False
        if self.backend.venue is not None:
            return any(one.subject == self.backend.venue for one in self.newest.assessment.findings)
        if self.is_well:
            return False
        found = self.samples(self.backend.fields)
        return any(one.error for one in found) and bool(self.newest.assessment.findings)

    @property
    def why(self) -> str:
        if self.backend.venue is not None and self.newest is not None:
            return next((one.detail for one in self.newest.reach.value or () if one.venue == self.backend.venue), "")
        return next((str(one.error) for one in self.samples(self.backend.fields) if one.error), "")

    @property
    def others_live(self) -> bool:
        """What comes from another backend is still live."""
        witness = ("postgres",) if self.backend.name == "Redis" else ("risk", "redis")
        found = self.samples(witness)
        return bool(found) and all(one.is_live(time.time()) for one in found)


def backends(raw: dict[str, Any]) -> list[Backend]:
    """All of a sandbox's."""
    kubeconfig = yaml.safe_load(Path(raw["kubernetes"]["kubeconfig"]).read_text())
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    ibkr, kite = (next(one for one in raw["venues"] if one["name"] == name) for name in ("IBKR", "ZERODHA"))
    return [
        Backend("Redis", REDIS_FIELDS, _host(raw["redis"]["url"]), f"${FLOOD_BYTES}\r\n".encode(), _redis, _redis_user),
        Backend(
            "Postgres",
            ("postgres", "databases"),
            _dsn(raw),
            b"D\x06\x40\x00\x00",
            _postgres,
            partial(_secret, "postgres", "password"),
        ),
        Backend("Kubernetes", ("kubernetes",), _host(server), HTTP, _kubernetes, _kubeconfig),
        Backend("Docker", ("docker",), raw["docker"]["url"].removeprefix("unix://"), HTTP, _docker),
        Backend(
            "Grafana", ("alerts",), _host(raw["grafana"]["url"]), HTTP, _grafana, partial(_secret, "grafana", "token")
        ),
        Backend("IBKR", (), _host(ibkr["probe"]), b"\x06\x40\x00\x00", partial(_venue, "IBKR", "tws"), venue="IBKR"),
        Backend("Zerodha", (), _host(kite["probe"]), HTTP, partial(_venue, "ZERODHA", "http"), _kite, "ZERODHA"),
    ]


def watched(backend: Backend, raw: dict[str, Any], folder: Path, fault: str) -> Watched:
    """A cockpit on the sandbox, this backend behind a proxy; DNS and credentials are a matter of its configuration."""
    folder.mkdir()
    target = backend.target

    async def connect() -> Any:
        if isinstance(target, str):
            return await asyncio.open_unix_connection(target)
        return await asyncio.open_connection(*target)

    socket = str(folder / "s") if isinstance(target, str) else None
    proxy = FaultProxy(connect, backend.preface, socket)
    own = _alone(json.loads(json.dumps(raw)), backend)
    own["state"] = str(folder / "state")
    backend.at(own, HUNG_HOST if fault == "hung-dns" else "127.0.0.1", proxy.port, str(folder))
    credential = None
    if fault == "wrong-credentials":
        assert backend.credential is not None
        credential = backend.credential(own, folder)
        credential.spoil()
    return Watched(backend, proxy, parsed(Settings, own), credential)


def _alone(raw: dict[str, Any], backend: Backend) -> dict[str, Any]:
    """Only this backend and a witness: seven whole cockpits in one process would starve each other."""
    witness = "postgres" if backend.name == "Redis" else "redis"
    for part in ("redis", "postgres", "kubernetes", "docker", "grafana"):
        if part not in (witness, backend.name.lower()):
            raw[part] = None
    raw["venues"] = [one for one in raw["venues"] if one["name"] == backend.venue]
    return raw


def _host(url: str) -> tuple[str, int]:
    found = re.search(r"//(?:\w+@)?([^:/]+):(\d+)", url)
    assert found is not None, url
    return found[1], int(found[2])


def _dsn(raw: dict[str, Any]) -> tuple[str, int]:
    fields = dict(part.split("=") for part in raw["postgres"]["dsn"].split())
    return fields["host"], int(fields["port"])


def _redis(raw: dict[str, Any], host: str, port: int, folder: str) -> None:
    raw["redis"]["url"] = f"redis://{host}:{port}/0"


def _redis_user(raw: dict[str, Any], folder: Path) -> Credential:
    """A sandbox's Redis asks nobody but this one for a password."""
    url = raw["redis"]["url"]
    with redis.Redis(port=_host(url)[1], socket_timeout=PATIENCE_S) as client:
        client.acl_setuser("watcher", True, passwords=["+right"], commands=["+@all"], keys=["*"], channels=["*"])
    raw["redis"]["url"] = url.replace("//", "//watcher@")
    return _in_file(raw["redis"], "password", folder / "redis-password", "right")


def _postgres(raw: dict[str, Any], host: str, port: int, folder: str) -> None:
    raw["postgres"]["dsn"] = re.sub(r"host=\S+ port=\d+", f"host={host} port={port}", raw["postgres"]["dsn"])


def _in_file(part: dict[str, Any], name: str, file: Path, right: str, wrong: str = WRONG) -> Credential:
    part[name] = {"file": str(file)}
    made = Credential(file, right, wrong)
    made.mend()
    return made


def _secret(part: str, name: str, raw: dict[str, Any], folder: Path) -> Credential:
    return _in_file(raw[part], name, folder / part, Path(raw[part][name]["file"]).read_text())


def _kubernetes(raw: dict[str, Any], host: str, port: int, folder: str) -> None:
    config = yaml.safe_load(Path(raw["kubernetes"]["kubeconfig"]).read_text())
    cluster = config["clusters"][0]["cluster"]
    cluster["server"] = f"https://{host}:{port}"
    cluster["tls-server-name"] = "127.0.0.1"
    file = Path(folder) / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    file.chmod(0o600)
    raw["kubernetes"]["kubeconfig"] = str(file)


def _kubeconfig(raw: dict[str, Any], folder: Path) -> Credential:
    file = Path(raw["kubernetes"]["kubeconfig"])
    right = file.read_text()
    config = yaml.safe_load(right)
    config["users"][0]["user"] = {"token": WRONG}
    return Credential(file, right, yaml.safe_dump(config))


def _docker(raw: dict[str, Any], host: str, port: int, folder: str) -> None:
    raw["docker"]["url"] = f"unix://{folder}/s"


def _grafana(raw: dict[str, Any], host: str, port: int, folder: str) -> None:
    raw["grafana"]["url"] = f"http://{host}:{port}"


def _venue(name: str, scheme: str, raw: dict[str, Any], host: str, port: int, folder: str) -> None:
    next(one for one in raw["venues"] if one["name"] == name)["probe"] = f"{scheme}://{host}:{port}"


def _kite(raw: dict[str, Any], folder: Path) -> Credential:
    venue = next(one for one in raw["venues"] if one["name"] == "ZERODHA")
    return _in_file(venue, "token", folder / "kite", Path(venue["token"]["file"]).read_text(), f"key:{WRONG}")
