"""Delivering a message: tries, what came of each, and when to try again; never again once it may have arrived."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from cockpit.errors import Refused, Unreachable
from cockpit.text import clean

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 15.0


class Outcome(StrEnum):
    """What came of one try."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """Not delivered, and trying again would not help."""
    LATER = "later"
    """Not delivered; it may be tried again."""
    UNKNOWN = "unknown"
    """It may have been delivered: trying again could deliver it twice."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try."""

    outcome: Outcome
    detail: str
    after_s: float | None = None
    """When the other side wants to be asked again."""


Attempt = Callable[[float], Awaitable[Try]]
"""One try within so many seconds."""


async def deliver(attempt: Attempt, attempt_s: float, within_s: float, tell: Callable[[str], None]) -> Try:
    """Try until it is delivered, refused or in doubt, or until the time is up."""
    now = asyncio.get_running_loop().time
    ends_at, pause_s, tries = now() + within_s, FIRST_PAUSE_S, 0
    while True:
        tries += 1
        tried = await attempt(max(0.1, min(attempt_s, ends_at - now())))
        if tried.outcome is not Outcome.LATER:
            return tried
        wait_s = pause_s if tried.after_s is None else max(0.1, tried.after_s)
        if now() + wait_s >= ends_at:
            noun = "try" if tries == 1 else "tries"
            return Try(Outcome.REFUSED, f"{tried.detail} ({tries} {noun} in {within_s:.0f} s)")
        tell(f"{tried.detail}; again in {wait_s:.0f} s")
        await asyncio.sleep(wait_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def resolved(host: str, port: int, is_confined: bool) -> str:
    """The address to connect to; blocks while the name is looked up.

    What is confined reaches this machine only: a sandbox or a recording must not wake anybody, whatever a file says.
    It is the address that is judged, and the address that is connected to: a name could change its mind in between.

    Raises:
        Unreachable: the name is not known.
        Refused: it is not an address of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = clean(getattr(error, "strerror", None) or error, 60)
        raise Unreachable(f"{clean(host, 60)} is not known: {why}") from None
    addresses = [str(one[4][0]) for one in found]
    if is_confined and not all(map(_is_here, addresses)):
        raise Refused(f"{clean(host, 60)} is not this machine: a sandbox or a recording tells nobody outside")
    return addresses[0]


def _is_here(address: str) -> bool:
    """Whether it is loopback.

    >>> [_is_here(one) for one in ("127.0.0.1", "::1", "10.0.0.1", "::ffff:127.0.0.1", "0.0.0.0")]
    [True, True, False, True, False]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
