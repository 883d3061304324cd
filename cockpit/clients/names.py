"""Whether the resolver answers for a name: where it hangs, every client says only that the backend is late.

It is asked beside a question that was late, never before one: a platform that is well costs no lookup.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cockpit.clients.bounded import in_daemon_thread
from cockpit.text import clean

SLOW_S = 0.4
"""So long a resolver that works takes at most, mostly a few milliseconds."""
LATELY_S = 5.0
"""What hung until then is asked once more before it is believed to be well: a resolver that gives up, every few
seconds, has not answered."""


@dataclass(frozen=True, slots=True)
class _Ended:
    at: float
    was_slow: bool


@dataclass(frozen=True, slots=True)
class _Lookup:
    answer: Future[_Ended]
    began: float
    hung_before: bool


_lookups: dict[str, _Lookup] = {}


def unresolved(host: str) -> str:
    """Why a backend at this host is late, where that is its name; empty where it is not, or is not known yet.

    It never waits: the first call for a late backend begins a lookup, the next one knows what became of it.
    """
    if not host or _is_address(host):
        return ""
    known, now = _lookups.get(host), time.monotonic()
    if known is not None and not known.answer.done():
        is_slow = known.hung_before or now - known.began >= SLOW_S
    else:
        ended = known.answer.result() if known is not None else None
        is_slow = ended is not None and ended.was_slow and now - ended.at < LATELY_S
        with suppress(RuntimeError):  # no thread is to be had just now
            _lookups[host] = _Lookup(in_daemon_thread(_look_up, host, now), now, is_slow)
    return f"name resolution hangs for {clean(host, 80)}" if is_slow else ""


@contextmanager
def suspected(host: str, after_s: float) -> Iterator[None]:
    """Begin the lookup beside what is awaited in here, should that take so long: its end then knows the reason."""
    timer = asyncio.get_running_loop().call_later(after_s, unresolved, host)
    try:
        yield
    finally:
        timer.cancel()


def _look_up(host: str, began: float) -> _Ended:
    with suppress(OSError, UnicodeError):  # no such name is an answer
        socket.getaddrinfo(host, None)
    now = time.monotonic()
    return _Ended(now, now - began >= SLOW_S)


def _is_address(host: str) -> bool:
    """Whether there is nothing to look up.

    >>> [_is_address(one) for one in ("10.0.0.7", "::1", "fe80::1%eth0", "redis.internal", "localhost")]
    [True, True, True, False, False]
    """
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
