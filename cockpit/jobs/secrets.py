"""Every secret that the configuration names, so that no output of a command shows one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.parts import Part
from cockpit.secret import Secret

ADDRESS = re.compile(r"\w[\w+.-]*://[^:/@]*:([^@]+)@")
"""An address with a password."""
SHORTEST_VARIABLE = 8
"""What is shorter is a word like `true`, of which half the output is made."""


def revealed(settings: Settings, variables: Iterable[str] = ()) -> tuple[str, ...]:
    """The secrets as they are now; one that cannot be had cannot be printed by a command either.

    `variables`: the names of those of our environment that commands are given beside the configured ones.
    """
    found: list[str] = []
    for secret in _secrets(settings):
        try:
            value = secret.reveal()
        except ConfigError:
            continue
        # `api_key:access_token` is one secret to us and two to whoever prints it.
        parts = [value, *value.split(":")]
        # In an address it stands quoted, and whoever prints the address prints it so.
        found += [*parts, *(quote(part, safe="") for part in parts)]
    for name in (*settings.scripts.env, *variables):
        found += _hidden(os.environ.get(name, ""))
    return tuple(dict.fromkeys(one.strip() for one in found if one.strip()))


def _hidden(value: str) -> tuple[str, ...]:
    """What of a variable may be a secret: nothing says so, hence all that is neither short nor a place on this host.

    >>> _hidden("postgres://ops:s3cret@db/x")
    ('postgres://ops:s3cret@db/x', 's3cret')
    >>> _hidden("north"), _hidden("/etc/passwd")
    ((), ())
    """
    if len(value) < SHORTEST_VARIABLE or os.path.exists(value):  # noqa: PTH110 - a long text is no place, and no error
        return ()
    password = ADDRESS.match(value)
    return (value, password[1]) if password else (value,)


def _secrets(part: object) -> Iterator[Secret]:
    if isinstance(part, Secret):
        yield part
    elif isinstance(part, Part):
        for name in part.__struct_fields__:
            yield from _secrets(getattr(part, name))
    elif isinstance(part, tuple | list):
        for one in part:
            yield from _secrets(one)
    elif isinstance(part, dict):
        for one in part.values():
            yield from _secrets(one)
