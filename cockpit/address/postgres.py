"""How to connect to Postgres, as libpq reads it; known without loading it, which takes long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from cockpit.address.sound import sound_address

KEYWORDS = frozenset(
    (
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
        "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives",
        "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname", "load_balance_hosts",
        "max_protocol_version", "min_protocol_version", "oauth_client_id", "oauth_client_secret", "oauth_issuer",
        "oauth_scope", "options", "passfile", "password", "port", "replication", "require_auth", "requirepeer",
        "scram_client_key", "scram_server_key", "service", "ssl_max_protocol_version",
        "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey",
        "sslkeylogfile", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs",
        "tcp_user_timeout", "user",
    )
)  # fmt: skip
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_PAIR = re.compile(
    r"[ \t\n\v\f\r]*([^= \t\n\v\f\r]*)[ \t\n\v\f\r]*=[ \t\n\v\f\r]*"
    r"(?:'((?:[^'\\]|\\.)*)'|(?!')((?:\\.|[^ \t\n\v\f\r\\])*)\\?)",
    re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_]{1,40}")
_NO_CHARACTER = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")


def keywords(dsn: str) -> dict[str, str]:
    r"""What the keywords say; the last of those that stand twice.

    >>> keywords(r"host=db user='o\'hara' port = 5432")
    {'host': 'db', 'user': "o'hara", 'port': '5432'}

    Raises:
        ValueError: libpq would not understand it; the text repeats no value.
    """
    found, at, end = dict[str, str](), 0, len(dsn.rstrip(" \t\n\v\f\r"))
    while at < end:
        pair = _PAIR.match(dsn, at)
        if pair is None or "\0" in dsn:
            raise ValueError("it is not written as libpq's keywords: host=HOST port=PORT dbname=NAME user=NAME")
        _check_known(pair[1])
        found[pair[1]] = re.sub(r"\\(.)", r"\1", pair[3] if pair[2] is None else pair[2], flags=re.DOTALL)
        at = pair.end()
    return found


def _parameters(url: str) -> dict[str, str]:
    if _NO_CHARACTER.search(url):
        raise ValueError("there is a % in it that stands for no character: write %25 for the sign itself")
    found = dict[str, str]()
    for one in url.partition("?")[2].removesuffix("&").split("&"):
        name, sign, value = one.partition("=")
        if one and (not sign or "=" in value):
            raise ValueError("after its ? belong pairs of NAME=VALUE with & between them")
        if one and one != "ssl=true":
            _check_known(name)
            found[name] = value
    return found


def _check_known(name: str) -> None:
    if name not in KEYWORDS:
        raise ValueError(f"libpq has no keyword {name}" if _NAME.fullmatch(name) else "it has a keyword that is none")


def _wrong(said: Mapping[str, str]) -> Iterator[str]:
    ports = said.get("port", "").split(",")
    if any(port and not (port.isascii() and port.isdecimal() and 0 < int(port[:9]) < 65536) for port in ports):
        yield "port must be a number from 1 to 65535"
    if said.get("sslmode") and said["sslmode"] not in MODES:
        yield f"sslmode must be one of {', '.join(MODES)}"


def _for_libpq(dsn: str) -> str:
    is_url = dsn.startswith(("postgresql://", "postgres://"))
    problems = list(_wrong(_parameters(dsn) if is_url else keywords(dsn)))
    if problems:
        raise ValueError("; ".join(problems))
    return dsn


PostgresAddress = Annotated[str, sound_address, _for_libpq]
