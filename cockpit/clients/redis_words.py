"""Redis' errors in words that an operator understands: one line, the cause first, the address where it helps."""

from __future__ import annotations

import errno
import socket
import ssl

from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import RedisError

from cockpit.errors import BackendError, Refused, TimedOut, Unreachable
from cockpit.text import clean

_BY_CODE = {
    "LOADING": "is loading its data",
    "NOAUTH": "needs a password, none is configured",
    "WRONGPASS": "wrong password",
    "BUSY": "is busy running a script",
    "MASTERDOWN": "is a replica that lost its primary",
}
_BY_ERRNO = {
    errno.ECONNREFUSED: "refused the connection",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to the network",
    errno.ENOENT: "no such socket",
    errno.EACCES: "no permission to open the socket",
    errno.ECONNRESET: "reset the connection",
    errno.EPIPE: "closed the connection",
    errno.ETIMEDOUT: "the connection timed out",
}


def reply_text(error: RedisError) -> str:
    """The server's own words, its error code first."""
    code = code_of(error)
    words = str(error)
    return clean(words if not code or words.startswith(code) else f"{code} {words}")


def code_of(error: RedisError) -> str:
    """The first word of an error reply: NOPERM, OOM, MISCONF, ERR; empty where the server said nothing."""
    status = getattr(error, "status_code", None)
    if status:
        return str(status)
    first = str(error).partition(" ")[0]
    return first if first.isupper() and not isinstance(error, ConnectionFailed) else ""


def is_reply(error: RedisError) -> bool:
    """Whether the server said it; if not, the connection is lost."""
    return not isinstance(error, ConnectionFailed) or getattr(error, "status_code", None) is not None


def refusal(error: RedisError) -> Refused:
    """An error reply."""
    code = code_of(error)
    words = str(error).lower()
    if code == "NOPERM":
        return Refused(f"no permission: {reply_text(error)}")
    if "without any password configured" in words:
        return Refused("a password is configured, but the server asks for none")
    if "invalid password" in words or "invalid username" in words:
        return Refused("wrong password")
    return Refused(_BY_CODE.get(code) or reply_text(error))


def connection_failure(error: BaseException, place: str) -> BackendError:
    """A connection that could not be made, or was lost; redis-py hides the reason in the exception's context."""
    if isinstance(error, RedisError) and is_reply(error):
        return refusal(error)
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, socket.gaierror):
        return Unreachable(f"its name cannot be resolved ({place})")
    if isinstance(cause, ssl.SSLError):
        return Unreachable(f"TLS failed ({place}): {clean(cause.reason or cause, 80)}")
    if isinstance(cause, TimeoutError):
        return TimedOut(f"the connection timed out ({place})")
    if cause is not None:
        words = _BY_ERRNO.get(cause.errno or 0) or clean(cause.strerror or cause, 80)
        return Unreachable(f"{words} ({place})")
    return Unreachable(f"closed the connection ({place})")
