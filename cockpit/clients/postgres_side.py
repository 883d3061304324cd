"""The database beside the platform's own into which a dump is restored: made, counted, made like the other, dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cockpit.clients.postgres_link import linked
from cockpit.config import PostgresPart
from cockpit.text import clean

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.sql import Composable, Composed

LISTS = frozenset(
    (
        "search_path",
        "temp_tablespaces",
        "local_preload_libraries",
        "session_preload_libraries",
        "shared_preload_libraries",
        "unix_socket_directories",
    )
)
"""Settings whose stored text is a list that is quoted already."""
KIND = """
SELECT to_jsonb(base) || jsonb_build_object(
    'owner', pg_get_userbyid(base.datdba), 'encoding', pg_encoding_to_char(base.encoding), 'space', space.spcname,
    'comment', shobj_description(base.oid, 'pg_database')
) FROM pg_database AS base JOIN pg_tablespace AS space ON space.oid = base.dattablespace WHERE base.datname = %s
"""
PROVIDERS = {"i": "icu", "b": "builtin", "c": "libc"}
SETTINGS = """
SELECT nullif(setrole, 0)::regrole::text, unnest(setconfig) FROM pg_db_role_setting
WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = %s)
"""
GRANTS = """
SELECT nullif(grantee, 0)::regrole::text, privilege_type, is_grantable
FROM pg_database, aclexplode(datacl) WHERE datname = %s AND grantee <> datdba
"""
WRITES = """
SELECT sum(
    pg_stat_get_tuples_inserted(to_regclass(name)) + pg_stat_get_tuples_updated(to_regclass(name))
    + pg_stat_get_tuples_deleted(to_regclass(name))
)::bigint FROM unnest(%s::text[]) AS name
"""


async def create_side(part: PostgresPart, side: str, like: str) -> None:
    """An empty database, of the other's owner, encoding, collation and tablespace where there is that other.

    Raises:
        BackendError: in an operator's words.
    """
    from psycopg import sql

    async with linked(part, part.maintenance_database) as connection:
        row = await (await connection.execute(KIND, (like,))).fetchone()
        words: list[Composable] = [sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(side))]
        words += _kind(row[0]) if row is not None else []
        await connection.execute(sql.SQL(" ").join(words))


def _kind(found: Mapping[str, Any]) -> list[Composable]:
    """The columns have had several names: they are read out of JSON."""
    from psycopg import sql

    provider = str(found.get("datlocprovider") or "c")
    locale = found.get("datlocale") or found.get("daticulocale")
    words: list[Composable] = [
        sql.SQL("OWNER {}").format(sql.Identifier(found["owner"])),
        sql.SQL("ENCODING {}").format(sql.Literal(found["encoding"])),
        sql.SQL("LC_COLLATE {}").format(sql.Literal(found["datcollate"])),
        sql.SQL("LC_CTYPE {}").format(sql.Literal(found["datctype"])),
    ]
    if found["space"] != "pg_default":  # the usual one needs no permission as long as it is not named
        words.append(sql.SQL("TABLESPACE {}").format(sql.Identifier(found["space"])))
    if provider != "c" and locale:
        kind = sql.SQL("LOCALE_PROVIDER " + PROVIDERS[provider])
        name = sql.SQL("ICU_LOCALE {}" if provider == "i" else "BUILTIN_LOCALE {}")
        words += [kind, name.format(sql.Literal(locale))]
    return words


async def drop_database(part: PostgresPart, name: str, *, is_forced: bool = False) -> None:
    """Drop it, if it is there.

    Raises:
        BackendError: in an operator's words.
    """
    from psycopg import sql

    how = " WITH (FORCE)" if is_forced else ""
    async with linked(part, part.maintenance_database) as connection:
        statement = sql.SQL("DROP DATABASE IF EXISTS {}" + how)
        await connection.execute(statement.format(sql.Identifier(name)))


async def count_rows(part: PostgresPart, side: str, tables: Iterable[str]) -> dict[str, int | None]:
    """Exactly; None for a table that is not there. The planner's statistics are made on the way.

    Raises:
        BackendError: in an operator's words.
    """
    from psycopg import sql

    found: dict[str, int | None] = {}
    async with linked(part, side) as connection:
        await connection.execute("ANALYZE")
        for table in tables:
            row = await (await connection.execute("SELECT to_regclass(%s)::text", (table,))).fetchone()
            if row is None or row[0] is None:
                found[table] = None
                continue
            # The server's own spelling of a table that is there: quoted where it must be.
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(row[0]))
            counted = await (await connection.execute(count)).fetchone()
            found[table] = int(counted[0]) if counted is not None else None
    return found


async def count_writes(part: PostgresPart, side: str, tables: Iterable[str]) -> int | None:
    """Rows ever inserted, updated and deleted there: what comes later is somebody else's.

    Raises:
        BackendError: in an operator's words.
    """
    async with linked(part, side, is_read_only=True) as connection:
        row = await (await connection.execute(WRITES, (list(tables),))).fetchone()
    return None if row is None or row[0] is None else int(row[0])


async def copy_properties(part: PostgresPart, like: str, side: str) -> tuple[str, ...]:
    """What a dump does not bring: settings, grants, limit and comment of the database itself; returns what was refused.

    Raises:
        BackendError: the server does not answer.
    """
    import psycopg

    missing: list[str] = []
    async with linked(part, part.maintenance_database) as connection:
        for words, statement in await _properties(connection, like, side):
            try:
                await connection.execute(statement)
            except psycopg.Error as error:
                if error.sqlstate is None:
                    raise
                missing.append(f"{words}: {clean(error.diag.message_primary, 80)}")
    return tuple(missing)


async def _properties(connection: AsyncConnection, like: str, side: str) -> list[tuple[str, Composed]]:
    from psycopg import sql

    name, found = sql.Identifier(side), list[tuple[str, "Composed"]]()
    row = await (await connection.execute(KIND, (like,))).fetchone()
    if row is None:
        return found
    if row[0]["datacl"] is not None:
        found.append(("grants", sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name)))
    for grantee, privilege, is_grantable in await (await connection.execute(GRANTS, (like,))).fetchall():
        whom = sql.SQL("PUBLIC") if grantee is None else sql.SQL(grantee)
        also = sql.SQL(" WITH GRANT OPTION" if is_grantable else "")
        grant = sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(sql.SQL(privilege), name, whom, also)
        found.append((f"{privilege} for {grantee or 'everybody'}", grant))
    for role, setting in await (await connection.execute(SETTINGS, (like,))).fetchall():
        key, _, value = setting.partition("=")
        where = sql.SQL("ALTER DATABASE {}").format(name)
        if role is not None:
            where = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.SQL(role), name)
        as_written = sql.SQL(value) if key in LISTS else sql.Literal(value)
        parts = [sql.Identifier(part) for part in key.split(".")]
        found.append((setting, sql.SQL("{} SET {} TO {}").format(where, sql.SQL(".").join(parts), as_written)))
    limit, comment = int(row[0]["datconnlimit"]), row[0]["comment"]
    if limit >= 0:
        found.append(("limit", sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(name, sql.Literal(limit))))
    if comment:
        found.append(("comment", sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(comment))))
    return found
