"""Where the cockpit keeps its own things, by the XDG base directory specification."""

from __future__ import annotations

import os
from pathlib import Path


def config_file() -> Path | None:
    """The configuration to use: $COCKPIT_CONFIG, else the user's, else the host's, else none."""
    named = os.environ.get("COCKPIT_CONFIG")
    if named:
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or _home() / ".config")
    candidates = (home / "cockpit" / "cockpit.yaml", Path("/etc/cockpit/cockpit.yaml"))
    return next((path for path in candidates if path.is_file()), None)


def state_folder(site: str) -> Path:
    """The folder of one site's journals; whoever writes makes it, for a halt must be possible without it."""
    home = Path(os.environ.get("XDG_STATE_HOME") or _home() / ".local" / "state")
    return home / "cockpit" / site


def _home() -> Path:
    """The user's home; where there is none, the place that accounts without a home have by convention."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


def runtime_folder() -> Path:
    """A short-lived, private folder with a short path (sockets hold 107 bytes)."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) if base and Path(base).is_dir() else Path("/tmp")  # noqa: S108
