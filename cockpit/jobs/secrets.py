"""Every secret that the configuration names, so that no output of a command shows one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from pydantic import BaseModel

from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.secret import Secret


def revealed(settings: Settings) -> tuple[str, ...]:
    """The secrets as they are now; one that cannot be had cannot be printed by a command either."""
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
    return tuple(dict.fromkeys(one.strip() for one in found if one.strip()))


def _secrets(part: object) -> Iterator[Secret]:
    if isinstance(part, Secret):
        yield part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _secrets(getattr(part, name))
    elif isinstance(part, tuple | list):
        for one in part:
            yield from _secrets(one)
    elif isinstance(part, dict):
        for one in part.values():
            yield from _secrets(one)
