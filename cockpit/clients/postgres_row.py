"""The one row of a query that is asked every second: the driver's cursors take longer over it than all else here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection

Parameter = bool | str | Sequence[str]
_NAME = re.compile(rb"%\((\w+)\)s|%%")
_BOOL, _TEXT, _TEXTS = 16, 25, 1009
"""Postgres' own numbers for the types."""


class RowQuery:
    """A query with the driver's names for its parameters, prepared for being asked on one connection after another."""

    def __init__(self, query: bytes) -> None:
        self._names: list[str] = []
        self._query = _NAME.sub(self._numbered, query)

    async def ask(self, connection: AsyncConnection, parameters: Mapping[str, Parameter]) -> dict[str, Any] | None:
        """The first row by its columns' names; None where there is none. Nobody else may use the connection meanwhile.

        Raises:
            psycopg.Error: it was refused, or the connection is lost.
        """
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
