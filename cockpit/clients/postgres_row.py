"""The one row of a query that is asked every second: the driver's cursors take longer over it than all else here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection

Parameter = bool | str | Sequence[str]
_NAME = re.compile(rb"%\((\w+)\)s|%%")
SEAMS = (
    ("psycopg.generators", "execute"),
    ("psycopg.errors", "error_from_result"),
    ("psycopg", "AsyncConnection.wait"),
    ("psycopg.adapt", "Transformer.set_pgresult"),
    ("psycopg.adapt", "Transformer.load_row"),
)
"""What is used of the driver without its promise: module and name."""
_BOOL, _TEXT, _TEXTS = 16, 25, 1009
"""Postgres' own numbers for the types."""


def missing() -> tuple[str, ...]:
    """Those that the driver no longer has; with any of them missing its cursors ask. Blocks where it is not loaded."""
    return tuple(f"{module}.{name}" for module, name in SEAMS if not _is_there(module, name))


def _is_there(module: str, name: str) -> bool:
    """Whether the module has it.

    >>> _is_there("re", "Pattern.match"), _is_there("re", "Pattern.find"), _is_there("re.not_here", "match")
    (True, False, False)
    """
    try:
        attrgetter(name)(import_module(module))
    except (ImportError, AttributeError):
        return False
    return True


class RowQuery:
    """A query with the driver's names for its parameters, prepared for being asked on one connection after another."""

    def __init__(self, query: bytes) -> None:
        self._names: list[str] = []
        self._as_written = query
        self._is_past_cursors: bool | None = None
        self._query = _NAME.sub(self._numbered, query)

    async def ask(self, connection: AsyncConnection, parameters: Mapping[str, Parameter]) -> dict[str, Any] | None:
        """The first row by its columns' names; None where there is none. Nobody else may use the connection meanwhile.

        Raises:
            psycopg.Error: it was refused, or the connection is lost.
        """
        if self._is_past_cursors is None:
            self._is_past_cursors = not missing()
        if not self._is_past_cursors:
            return await self._ask_by_cursor(connection, parameters)

        from psycopg.adapt import Transformer
        from psycopg.errors import error_from_result
        from psycopg.generators import execute
        from psycopg.pq import ExecStatus

        encoding = connection.info.encoding
        told = [_told(parameters[name]) for name in self._names]
        # A database without an encoding takes what it is given; the driver calls that ascii, and puts it in UTF-8.
        values = [value.encode("utf-8" if encoding == "ascii" else encoding) for _, value in told]
        connection.pgconn.send_query_params(self._query, values, param_types=[kind for kind, _ in told])
        result = (await connection.wait(execute(connection.pgconn)))[-1]
        if result.status != ExecStatus.TUPLES_OK:
            raise error_from_result(result, encoding=encoding)
        if not result.ntuples:
            return None
        read = Transformer(connection)
        read.set_pgresult(result)
        names = [(result.fname(at) or b"").decode(encoding) for at in range(result.nfields)]
        return dict(zip(names, read.load_row(0, tuple), strict=True))

    async def _ask_by_cursor(
        self, connection: AsyncConnection, parameters: Mapping[str, Parameter]
    ) -> dict[str, Any] | None:
        from psycopg.rows import dict_row

        # It takes lists for arrays, and any other sequence for a record.
        told = {name: one if isinstance(one, bool | str) else list(one) for name, one in parameters.items()}
        cursor = connection.cursor(row_factory=dict_row)
        return await (await cursor.execute(self._as_written, told)).fetchone()

    def _numbered(self, found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            return b"%"
        name = found[1].decode()
        if name not in self._names:
            self._names.append(name)
        return b"$%d" % (self._names.index(name) + 1)


def _told(parameter: Parameter) -> tuple[int, str]:
    r"""Its type and how it is written.

    >>> _told(["a", 'b"\\c']), _told(True)
    ((1009, '{"a","b\\"\\\\c"}'), (16, 't'))
    """
    if isinstance(parameter, bool):
        return _BOOL, "t" if parameter else "f"
    if isinstance(parameter, str):
        return _TEXT, parameter
    quoted = (one.replace("\\", "\\\\").replace('"', '\\"') for one in parameter)
    return _TEXTS, "{" + ",".join(f'"{one}"' for one in quoted) + "}"
