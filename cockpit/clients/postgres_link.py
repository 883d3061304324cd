"""A connection to Postgres that may change something: one for each act, closed after it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from cockpit.clients.postgres_driver import load_driver
from cockpit.clients.postgres_words import in_words
from cockpit.clients.revealing import Revealing
from cockpit.config import PostgresPart
from cockpit.errors import BackendError, Refused
from cockpit.secret import Secret
from cockpit.text import clean

if TYPE_CHECKING:
    import psycopg
    from psycopg import AsyncConnection

CONNECT_S = 5
APPLICATION = "ops-cockpit"
SWAPPER = "ops-cockpit swap"
"""The name of a session that swaps databases: whoever looks whether it was done sees by it that it is being done."""


def keywords(part: PostgresPart, *, as_admin: bool = True) -> dict[str, Any]:
    """libpq's keywords, without the password.

    Raises:
        BackendError: the dsn is no use.
    """
    load_driver()
    import psycopg.conninfo

    dsn = part.admin_dsn if as_admin and part.admin_dsn is not None else part.dsn
    try:
        return dict(psycopg.conninfo.conninfo_to_dict(dsn))
    except psycopg.Error:
        # Its text quotes the dsn, in which somebody may have put a password.
        raise BackendError("postgres.dsn is not written as libpq's keywords or URL") from None


def database_name(part: PostgresPart) -> str:
    """The platform's database, as libpq would find it.

    Raises:
        BackendError: the dsn is no use.
    """
    given = keywords(part, as_admin=False)
    return str(given.get("dbname") or given.get("user") or "hedgefund")


def conninfo(part: PostgresPart, database: str) -> str:
    """What a program is given to connect with: no password.

    Raises:
        BackendError: the dsn is no use.
    """
    load_driver()
    import psycopg.conninfo

    return str(psycopg.conninfo.make_conninfo("", **{**keywords(part), "dbname": database}))


def password(part: PostgresPart) -> str | None:
    """Of whoever changes something; blocks where it is the output of a command.

    Raises:
        ConfigError: it is not where the configuration says.
    """
    secret = _secret(part)
    return None if secret is None else secret.reveal()


def password_of(part: PostgresPart) -> Revealing:
    """The same, for whoever must not block."""
    return Revealing(_secret(part))


def _secret(part: PostgresPart) -> Secret | None:
    return part.password if part.admin_dsn is None else part.admin_password


def environment(part: PostgresPart) -> dict[str, str]:
    """For pg_dump and pg_restore: the password is seen by nobody else there, which arguments would be.

    Raises:
        ConfigError: the password is not where the configuration says.
    """
    kept = ("PATH", "HOME", "USER", "LOGNAME", "TZ", "TMPDIR")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    found |= {name: value for name, value in os.environ.items() if name.startswith("PG") and name != "PGPASSWORD"}
    said = password(part)
    return found | {"LC_ALL": "C", "PGAPPNAME": APPLICATION} | ({} if said is None else {"PGPASSWORD": said})


def _words(error: psycopg.Error) -> BackendError:
    """What is not permitted here is not what reading would need."""
    if error.sqlstate == "42501":
        return Refused(clean(error.diag.message_primary, 160))
    return in_words(error, CONNECT_S)


@asynccontextmanager
async def linked(
    part: PostgresPart,
    database: str,
    is_read_only: bool = False,
    name: str = APPLICATION,
    password: Revealing | None = None,
) -> AsyncIterator[AsyncConnection]:
    """A connection in autocommit to one database of the server; who opens it again and again keeps the `password`.

    Raises:
        BackendError: in an operator's words; was_sent where something may have been done all the same.
        ConfigError: the password is not where the configuration says.
    """
    given = await asyncio.to_thread(keywords, part)
    said = await (password or password_of(part)).get()
    import psycopg

    options = f"{given.get('options') or ''} -c statement_timeout=0 -c lock_timeout=5s -c idle_session_timeout=0"
    options += " -c default_transaction_read_only=on" if is_read_only else ""
    ours = {"dbname": database, "application_name": name, "connect_timeout": CONNECT_S, "autocommit": True}
    more: dict[str, Any] = {"options": options.strip(), "keepalives_idle": 5, "prepare_threshold": None}
    secret = {} if said is None else {"password": said}
    is_open = False
    try:
        async with await psycopg.AsyncConnection.connect(**{**given, **ours, **more, **secret}) as connection:
            is_open = True
            yield connection
    except psycopg.Error as error:
        words = _words(error)
        words.was_sent = is_open and error.sqlstate is None
        raise words from None
