"""The way to a Redis, as its URL names it: host and port or a socket, who we are there, and which database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from cockpit.errors import ConfigError

if TYPE_CHECKING:
    import ssl

USUAL_PORT = 6379
_TLS = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
_OTHERS = (
    "protocol", "client_name", "decode_responses", "encoding", "health_check_interval", "max_connections",
    "retry_on_timeout", "socket_connect_timeout", "socket_keepalive", "socket_timeout", "timeout",
)  # fmt: skip
"""How other programs use a connection; the same URL may be theirs."""


@dataclass(frozen=True, slots=True)
class RedisWay:
    """Where it is, and as whom."""

    host: str
    port: int
    path: str | None
    """Of a socket; then there is neither host nor port."""
    user: str
    database: int
    tls: Mapping[str, str] | None
    """What the URL says of it; None without."""

    def greeting(self, password: str | None) -> list[tuple[str | int, ...]]:
        """What is said before all else."""
        words: list[tuple[str | int, ...]] = []
        if self.user:
            words.append(("AUTH", self.user, password or ""))
        elif password is not None:
            words.append(("AUTH", password))
        return [*words, ("SELECT", self.database)] if self.database else words

    def context(self) -> ssl.SSLContext | None:
        """For TLS; None without.

        Raises:
            ConfigError: a file that the URL names is not there, or not what it should be.
        """
        if self.tls is None:
            return None
        import ssl

        try:
            made = ssl.create_default_context(cafile=self.tls.get("ssl_ca_certs"), capath=self.tls.get("ssl_ca_path"))
            made.check_hostname = self.tls.get("ssl_check_hostname", "true").lower() not in ("false", "0", "no")
            if self.tls.get("ssl_cert_reqs", "required") == "none":
                made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            if "ssl_certfile" in self.tls:
                made.load_cert_chain(self.tls["ssl_certfile"], self.tls.get("ssl_keyfile"))
        except OSError as error:
            raise ConfigError(f"redis.url: its TLS files cannot be used: {error.strerror or error}") from None
        return made


def way_to(url: str) -> RedisWay:
    """What the URL says.

    >>> way_to("rediss://ops@redis.internal/3")
    RedisWay(host='redis.internal', port=6379, path=None, user='ops', database=3, tls={})
    >>> way_to("unix:///run/redis.sock?db=1").path
    '/run/redis.sock'

    Raises:
        ConfigError: it leads nowhere, or says what is not understood.
    """
    try:
        parts = urlsplit(url)
        named = {name: values[0] for name, values in parse_qs(parts.query).items()}
        port = parts.port or USUAL_PORT
    except ValueError as error:
        raise ConfigError(f"redis.url: {error}") from None
    if parts.scheme not in ("redis", "rediss", "unix") or (parts.scheme == "unix" and not parts.path):
        raise ConfigError("redis.url: it must be redis://HOST:PORT/0, rediss://HOST:PORT/0 or unix:///PATH")
    for name in named:
        if name != "db" and name not in _OTHERS and not (name in _TLS and parts.scheme == "rediss"):
            raise ConfigError(f"redis.url: {name} is not understood")
    is_socket = parts.scheme == "unix"
    database = named.get("db") or ("" if is_socket else parts.path.strip("/"))
    if database and not database.isdecimal():
        raise ConfigError("redis.url: its database is no number")
    tls = {name: value for name, value in named.items() if name in _TLS}
    return RedisWay(
        host=unquote(parts.hostname or "localhost"),
        port=port,
        path=unquote(parts.path) if is_socket else None,
        user=unquote(parts.username or ""),
        database=int(database or 0),
        tls=tls if parts.scheme == "rediss" else None,
    )
