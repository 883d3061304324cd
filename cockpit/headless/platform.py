"""The platform that a command without a screen works on."""

from __future__ import annotations

import sys
from pathlib import Path

from cockpit.config import Settings
from cockpit.errors import ConfigError


def find_platform(config: Path | None) -> Settings:
    """The configured one, else the shared sandbox, else the newest private one, which is named on stderr.

    Raises:
        ConfigError: there is none, or its configuration is wrong.
    """
    from cockpit.session import NO_PLATFORM, find_world

    settings = find_world(config, lambda words: print(f"cockpit: {words}", file=sys.stderr))
    if settings is None:
        raise ConfigError(NO_PLATFORM)
    return settings
