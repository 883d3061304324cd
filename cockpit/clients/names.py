"""Whether the resolver answers for a name: where it hangs, every client says only that the backend is late.

It is asked beside a question that was late, never before one: a platform that is well costs no lookup.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cockpit.clients.bounded import in_daemon_thread
from cockpit.text import clean

SLOW_S = 0.4
"""So long a resolver that works takes at most, mostly a few milliseconds."""


@dataclass(frozen=True, slots=True)
class _Lookup:
    answer: Future[Any]
    began: float


_lookups: dict[str, _Lookup] = {}


def unresolved(host: str) -> str:
    """Why a backend at this host is late, where that is its name; empty where it is not, or is not known yet.

    It never waits: the first call for a late backend begins a lookup, the next one knows what became of it.
    """
    if not host or _is_address(host):
        return ""
    known = _lookups.get(host)
    if known is None or known.answer.done():
        with suppress(RuntimeError):  # no thread is to be had just now
            _lookups[host] = _Lookup(in_daemon_thread(socket.getaddrinfo, host, None), time.monotonic())
        return ""
    is_slow = time.monotonic() - known.began >= SLOW_S
    return f"the resolver does not answer for the name {clean(host, 80)}" if is_slow else ""


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
