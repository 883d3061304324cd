"""Addresses as a configuration may hold them: with a port that is one, and without a password."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

_PASSWORD = re.compile(r"://[^@]*:[^@]+@|password\s*=", re.IGNORECASE)
"""Between the user and the host of a URL, as a parameter of it, or as one of libpq's keywords."""


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
        try:
            urlsplit(text).port  # noqa: B018
        except ValueError:
            raise ValueError("it is no URL with a host and a port from 0 to 65535") from None
    return text


def one_redis(url: str) -> str:
    """The address of one server: which of several is the primary is not ours to find out.

    Raises:
        ValueError: it is of another kind.
    """
    scheme, sign, _ = url.partition("://")
    if sign and scheme in ("redis", "rediss", "unix"):
        return url
    if "sentinel" in scheme or "cluster" in scheme:
        raise ValueError(f"{scheme}:// is not supported: name the primary itself, as redis://HOST:PORT/0")
    raise ValueError("it must begin with redis://, rediss:// or unix://")


Address = Annotated[str, sound_address]
RedisAddress = Annotated[Address, one_redis]
