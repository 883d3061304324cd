"""What is asked of every address: no password in it, a port that is one, a host that could be there."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_PASSWORD = re.compile(r"://[^@]*:[^@]+@|password\s*=", re.IGNORECASE)
"""Between the user and the host of a URL, as a parameter of it, or as one of libpq's keywords."""
LONGEST_HOST, LONGEST_LABEL = 253, 63


def sound_address(text: str) -> str:
    """The address as it is: configurations are shown, and copied beside every job.

    >>> sound_address("redis://reader@[::1]:6379/0"), sound_address("host=db passfile=/run/pgpass")
    ('redis://reader@[::1]:6379/0', 'host=db passfile=/run/pgpass')

    Raises:
        ValueError: there is a password in it, or no port can be so; the text repeats nothing of it.
    """
    if _PASSWORD.search(text):
        raise ValueError("there is a password in it: take it out, and say under `password:` or `token:` where it is")
    if "://" in text:
        taken_apart(text)
    return text


def taken_apart(url: str) -> SplitResult:
    """Its parts; of these the port can be read.

    Raises:
        ValueError: it is no URL; the text repeats nothing of it.
    """
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        has_port = False
    if not has_port:
        raise ValueError("it is no URL with a host and a port from 1 to 65535")
    return parts


def sound_host(name: str) -> str:
    """The name of a host, or its address.

    >>> sound_host("redis.internal"), sound_host("::1")
    ('redis.internal', '::1')

    Raises:
        ValueError: nothing can be called so; the text does not repeat it.
    """
    if not name:
        raise ValueError("it names no host")
    try:
        spelt = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        spelt = ""
    labels = spelt.removesuffix(".").split(".")
    is_short = len(spelt) <= LONGEST_HOST and all(0 < len(label) <= LONGEST_LABEL for label in labels)
    if not is_short or not spelt.isprintable() or " " in spelt:
        raise ValueError("its host is no name that a machine can have")
    return name
