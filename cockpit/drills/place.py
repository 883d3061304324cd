"""Where a drill may be played: on a sandbox that runs on this host, and nowhere else; no message leaves it."""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cockpit.alerting.file import AlertsFile
from cockpit.config import Settings, load
from cockpit.errors import Rejected
from cockpit.model.world import World
from cockpit.sandbox import folders, launcher
from cockpit.sandbox.layout import Layout

Tell = Callable[[str], None]


def sandbox_of(settings: Settings) -> Layout | None:
    """The running sandbox that this configuration is of; None where it is anything else, whatever it says of itself."""
    if settings.world is not World.SANDBOX:
        return None
    layout = launcher.find_running(settings.root.parent)
    if layout is None or layout.root != settings.root or load(layout.config).world is not World.SANDBOX:
        return None
    return layout


def own_folder() -> Path:
    """Where a sandbox is started for a drill, by a cockpit that is on none."""
    return folders.base_folder() / f"cockpit-drill-of-{os.geteuid()}"


def find_place(settings: Settings, tell: Tell) -> tuple[Layout, Settings, bool]:
    """The sandbox to play on, its configuration, and whether it was started for this.

    Raises:
        SandboxError: none could be started.
        Rejected: it is not what it should be.
    """
    found = sandbox_of(settings)
    if found is not None:
        return found, settings, False
    tell(f"{settings.world} {settings.site} is no sandbox: nothing is played here; starting a sandbox for the drill")
    launcher.down(own_folder())
    layout = launcher.up(own_folder())
    theirs = load(layout.config)
    if sandbox_of(theirs) is None:
        raise Rejected(f"{layout.folder} is no sandbox: nothing is played there")
    return layout, theirs, True


def check_ways_out(settings: Settings) -> None:
    """That whatever is told during the drill ends on this host.

    Raises:
        Rejected: a channel of its alerts.yaml leads elsewhere.
    """
    routing = AlertsFile(settings.below_root(settings.alerting.file)).read().routing
    hosts = {"Slack": urlsplit(routing.slack.reveal()).hostname or "" if routing.slack else "127.0.0.1"}
    hosts["mail"] = routing.mail.host if routing.mail else "127.0.0.1"
    for name, host in hosts.items():
        if not _is_here(host):
            raise Rejected(f"the {name} channel of this sandbox leads out of this host: a drill would tell real people")


def _is_here(host: str) -> bool:
    """By its address: a name may mean something else tomorrow.

    >>> _is_here("127.0.0.1"), _is_here("::1"), _is_here("hooks.slack.com"), _is_here("10.0.0.1")
    (True, True, False, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
