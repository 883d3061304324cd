"""The lines that an operator types for the same: they name the server, for another one may answer as well."""

from __future__ import annotations

import shlex
from urllib.parse import parse_qs, unquote, urlsplit

from cockpit.config import DockerPart, KubernetesPart, PostgresPart, RedisPart, Settings
from cockpit.errors import BackendError

USUAL_REDIS = RedisPart().url
USUAL_DOCKER = DockerPart().url
"""There the runbook's own line, which names no server, means the same."""
TLS_FILES = {"ssl_ca_certs": "--cacert", "ssl_certfile": "--cert", "ssl_keyfile": "--key"}


def redis(part: RedisPart | None, *words: str) -> str:
    """redis-cli."""
    head = ["redis-cli"] if part is None or part.url == USUAL_REDIS else redis_cli(part)
    return shlex.join([*head, *words])


def redis_cli(part: RedisPart) -> list[str]:
    """redis-cli for this Redis; its password is in REDISCLI_AUTH.

    >>> redis_cli(RedisPart(url="rediss://ops@redis.internal:6380/3"))
    ['redis-cli', '-u', 'rediss://redis.internal:6380/3', '--user', 'ops']
    >>> redis_cli(RedisPart(url="unix:///run/redis.sock?db=3"))
    ['redis-cli', '-s', '/run/redis.sock', '-n', '3']
    """
    url = urlsplit(part.url)
    query = parse_qs(url.query)
    # In the address redis-cli would take a lone name for the password.
    user = ["--user", unquote(url.username)] if url.username else []
    files = [word for name, option in TLS_FILES.items() if name in query for word in (option, query[name][0])]
    database = query.get("db", [""])[0]
    if url.scheme == "unix":
        return ["redis-cli", "-s", unquote(url.path), *(["-n", database] if database else []), *user]
    place = url._replace(netloc=url.netloc.rpartition("@")[2], query="", path=url.path or f"/{database or 0}")
    return ["redis-cli", "-u", place.geturl(), *user, *files]


def psql(part: PostgresPart, database: str, sql: str) -> str:
    """psql, as whoever the cockpit would be; the password is in PGPASSWORD."""
    return shlex.join(["psql", _place(part, database), "-c", sql])


def createdb(part: PostgresPart, name: str) -> str:
    """createdb, empty."""
    place = _place(part, part.maintenance_database)
    return shlex.join(["createdb", "--maintenance-db", place, "-T", "template0", name])


def _place(part: PostgresPart, database: str) -> str:
    # The driver is loaded by nobody who needs it for nothing else.
    from cockpit.clients.postgres_link import conninfo

    try:
        return conninfo(part, database)
    except BackendError:
        return f"dbname={database}"


def docker(part: DockerPart | None, *words: str) -> str:
    """docker."""
    return shlex.join(["docker", *_engine(part), *words])


def _engine(part: DockerPart | None) -> list[str]:
    if part is None or part.url == USUAL_DOCKER:
        return []
    is_secure = part.url.startswith("https://") or part.certificates is not None
    place = part.url.replace("https://", "tcp://", 1).replace("http://", "tcp://", 1)
    folder = part.certificates
    names = {"--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem"}
    files = [] if folder is None else [word for option, name in names.items() for word in (option, str(folder / name))]
    return ["-H", place, *(["--tlsverify"] if is_secure else []), *files]


def kubectl(settings: Settings, *words: str) -> str:
    """kubectl."""
    return shlex.join([*cluster(settings.kubernetes), *words])


def cluster(part: KubernetesPart | None) -> list[str]:
    """kubectl for this cluster."""
    line = ["kubectl"]
    if part is not None:
        line += ["--kubeconfig", str(part.kubeconfig)] if part.kubeconfig else []
        line += ["--context", part.context] if part.context else []
        line += ["-n", part.namespace] if part.namespace else []
    return line


def stop_orders(settings: Settings) -> str:
    """What stops trading where Redis does not: everything that carries orders; empty where nothing is said to."""
    part = settings.kubernetes
    names = (KubernetesPart() if part is None else part).order_deployments
    return kubectl(settings, "scale", *(f"deploy/{name}" for name in names), "--replicas=0") if names else ""
