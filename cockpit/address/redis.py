"""The address of a Redis, taken apart: host and port or a socket, who we are there, and which database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple
from urllib.parse import parse_qs, unquote

from cockpit.address.sound import sound_address, sound_host, taken_apart

USUAL_PORT = 6379
_TLS = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
_OTHERS = (
    "protocol", "client_name", "decode_responses", "encoding", "health_check_interval", "max_connections",
    "retry_on_timeout", "socket_connect_timeout", "socket_keepalive", "socket_timeout", "timeout",
)  # fmt: skip
"""How other programs use a connection; the same URL may be theirs."""
_CHOICES = {
    "ssl_cert_reqs": ("required", "optional", "none"),
    "ssl_check_hostname": ("true", "yes", "1", "false", "no", "0"),
}
_DATABASE = re.compile(r"[0-9]{1,9}")
_OPTION = re.compile(r"[a-z_]{1,40}")


class RedisPlace(NamedTuple):
    """Where it is, and as whom."""

    host: str
    port: int
    path: str | None
    """Of a socket; then there is neither host nor port."""
    user: str
    database: int
    tls: Mapping[str, str] | None
    """What the URL says of it; None without."""


def redis_place(url: str) -> RedisPlace:
    """What the URL of one server says: which of several is the primary is not ours to find out.

    >>> redis_place("rediss://ops@redis.internal/3")
    RedisPlace(host='redis.internal', port=6379, path=None, user='ops', database=3, tls={})
    >>> redis_place("unix:///run/redis.sock?db=1").path
    '/run/redis.sock'

    Raises:
        ValueError: it leads nowhere, or says what is not understood; the text repeats no value of it.
    """
    scheme, sign, _ = url.partition("://")
    if "sentinel" in scheme or "cluster" in scheme:
        raise ValueError(f"{scheme}:// is not supported: name the primary itself, as redis://HOST:PORT/0")
    if not sign or scheme not in ("redis", "rediss", "unix"):
        raise ValueError("it must begin with redis://, rediss:// or unix://")
    parts, is_socket = taken_apart(url), scheme == "unix"
    host = unquote(parts.hostname or ("" if is_socket else "localhost"))
    if is_socket and (host or not parts.path):
        raise ValueError("a socket is named with three slashes: unix:///PATH")
    named = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    for name, value in named.items():
        _check_option(name, value, scheme)
    database = named.get("db") or ("" if is_socket else parts.path.strip("/"))
    if database and not _DATABASE.fullmatch(database):
        how = "?db=NUMBER" if is_socket else "/NUMBER"
        raise ValueError(f"its database is no number: it ends in {how}, or in nothing for 0")
    tls = {name: value for name, value in named.items() if name in _TLS}
    return RedisPlace(
        host=host if is_socket else sound_host(host),
        port=parts.port or USUAL_PORT,
        path=unquote(parts.path) if is_socket else None,
        user=unquote(parts.username or ""),
        database=int(database or 0),
        tls=tls if scheme == "rediss" else None,
    )


def _check_option(name: str, value: str, scheme: str) -> None:
    if name in _TLS and scheme != "rediss":
        raise ValueError(f"{name} is for TLS, which begins with rediss://")
    if name != "db" and name not in _TLS and name not in _OTHERS:
        # With nothing after it, it may be a value that lost its name.
        shown = name if value and _OPTION.fullmatch(name) else "an option in it"
        raise ValueError(f"{shown} is not understood: take it out; known are db, {', '.join(_TLS)}")
    choices = _CHOICES.get(name)
    if choices is not None and value.lower() not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}")


def _one_redis(url: str) -> str:
    redis_place(url)
    return url


RedisAddress = Annotated[str, sound_address, _one_redis]
