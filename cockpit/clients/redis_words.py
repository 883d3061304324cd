"""Redis' errors in words that an operator understands: one line, the cause first, the address where it helps."""

from __future__ import annotations

import errno
import socket
import ssl

from hiredis import ProtocolError

from cockpit.clients.resp import ReplyError
from cockpit.errors import BackendError, Denied, Refused, TimedOut, Unreachable
from cockpit.text import clean

_BY_CODE = {
    "LOADING": "is loading its data",
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


FAILURES = (ReplyError, ProtocolError, EOFError, OSError)
"""What ends a connection, or keeps it from being made."""


def reply_text(error: ReplyError) -> str:
    """The server's own words, its error code first."""
    return clean(str(error))


def code_of(error: ReplyError) -> str:
    """The first word of an error reply: NOPERM, OOM, MISCONF, ERR; empty where there is none."""
    first = str(error).partition(" ")[0]
    return first if first.isupper() else ""


def refusal(error: ReplyError) -> Refused:
    """An error reply."""
    code = code_of(error)
    words = str(error).lower()
    if code == "NOPERM":
        return Denied(f"no permission: {reply_text(error)}")
    if code == "NOAUTH":
        return Denied("needs a password, none is configured")
    if "without any password configured" in words:
        return Denied("a password is configured, but the server asks for none")
    if code == "WRONGPASS" or "invalid password" in words or "invalid username" in words:
        return Denied("wrong password")
    return Refused(_BY_CODE.get(code) or reply_text(error))


def failure(error: Exception, place: str) -> BackendError:
    """A connection that could not be made, or was lost: one of FAILURES."""
    if isinstance(error, ReplyError):
        return refusal(error)
    if isinstance(error, ProtocolError):
        return Refused(f"{clean(error, 80)}: is it a Redis? ({place})")
    if isinstance(error, socket.gaierror):
        return Unreachable(f"its name cannot be resolved ({place})")
    if isinstance(error, ssl.SSLError):
        return Unreachable(f"TLS failed ({place}): {clean(error.reason or error, 80)}")
    if isinstance(error, TimeoutError):
        return TimedOut(f"the connection timed out ({place})")
    if isinstance(error, OSError):
        words = _BY_ERRNO.get(error.errno or 0) or clean(error.strerror or error, 80)
        return Unreachable(f"{words} ({place})")
    return Unreachable(f"closed the connection ({place})")
