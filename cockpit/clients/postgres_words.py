"""What Postgres and libpq say of a failure, in an operator's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.text import clean

if TYPE_CHECKING:
    import psycopg

_AT = re.compile(r'(?:connection to server )?(?:at|on socket) "([^"]*)"(?: \([^)]*\))?(?:, port (\d+))?')


def in_words(error: psycopg.Error, timeout_s: float) -> BackendError:
    """The error that says what to do about it."""
    state = error.sqlstate
    said = error.diag.message_primary or str(error)
    if state == "57014":
        return TimedOut(f"Postgres did not finish within {timeout_s:g} s: {clean(said, 120)}")
    if state == "55P03":
        return BackendError(f"Postgres did not finish within {timeout_s:g} s: {clean(said, 120)}")
    if state == "42501":
        return Refused(f"{clean(said, 120)}: GRANT pg_monitor to the cockpit's role")
    return explain(said, timeout_s)


def explain(text: str, timeout_s: float) -> BackendError:
    r"""As much as libpq's prose tells: a failed connection has no SQLSTATE.

    >>> explain('connection failed: connection to server at "10.0.0.9", port 5432 failed: Connection refused\n\tIs '
    ...         'the server running on that host and accepting TCP/IP connections?', 2)
    Unreachable('cannot reach Postgres at 10.0.0.9:5432: connection refused')
    >>> explain('connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  password '
    ...         'authentication failed for user "hedgefund_user"', 2)
    Refused('password authentication failed for user "hedgefund_user"')
    >>> explain("terminating connection due to administrator command", 2)
    BackendError('Postgres: terminating connection due to administrator command')
    """
    found = _AT.search(text)
    place = "Postgres" if found is None else f"Postgres at {found[1]}" + (f":{found[2]}" if found[2] else "")
    place = clean(place)
    if "timeout expired" in text or "connection timeout" in text:
        return TimedOut(f"{place} did not answer within {timeout_s:g} s")
    if "Connection refused" in text:
        return Unreachable(f"cannot reach {place}: connection refused")
    if "No such file" in text:
        return Unreachable(f"cannot reach {place}: there is no such socket")
    if "could not translate host name" in text or "Name or service not known" in text or "[Errno -" in text:
        return Unreachable(f"cannot reach {place}: its name is not known")
    if "closed the connection unexpectedly" in text or "connection is closed" in text or "Connection reset" in text:
        return Unreachable("Postgres hung up")
    reason = clean(text.strip().splitlines()[0].rpartition("FATAL:")[2].strip() if text.strip() else "no reason given")
    if "authentication failed" in text or "no pg_hba.conf entry" in text or "permission denied" in text:
        return Refused(reason)
    if "does not exist" in text and "database" in text:
        return Refused(reason)
    return BackendError(f"Postgres: {reason.removeprefix('connection failed: ')}")
