"""The full screens by name: each is imported and made when it is first looked at, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

from textual.app import App
from textual.screen import Screen

from cockpit.screens.desk import Desk

FIRST = "overview"
"""The wall: it lies beneath the others, and is what one comes back to."""


@dataclass(frozen=True, slots=True)
class Place:
    """One screen, and where it is made."""

    name: str
    """As the keymap's `go` names it; also the scope of its keys."""
    title: str
    module: str
    kind: str
    """The class, made of the desk."""


PLACES = (
    Place(FIRST, "Overview", "overview", "OverviewScreen"),
    Place("runbook", "Runbook", "runbook", "RunbookScreen"),
    Place("incident", "Incident", "incident", "IncidentScreen"),
    Place("drills", "Drills", "drills", "DrillsScreen"),
    Place("readiness", "Readiness", "readiness", "ReadinessScreen"),
    Place("jobs", "Jobs", "jobs", "JobsScreen"),
    Place("audit", "Audit", "audit", "AuditScreen"),
)
"""What can be gone to; a screen that is not built is not here, and has no key."""


class Visited(Protocol):
    """A screen that one comes to."""

    def arrived(self) -> None:
        """Somebody has come to it from another screen."""


def go(app: App[Any], desk: Desk, name: str) -> None:
    """Bring that screen to the front; what was there before stays as it was, without drawing."""
    if name == FIRST:
        if len(app.screen_stack) > 1:
            app.pop_screen()
        return
    if not app.is_screen_installed(name):
        app.install_screen(_made(name, desk), name)
    screen = app.get_screen(name)
    if app.screen is screen:
        return
    cast(Visited, screen).arrived()
    if len(app.screen_stack) > 1:
        app.switch_screen(screen)
    else:
        app.push_screen(screen)


def _made(name: str, desk: Desk) -> Screen[None]:
    place = next(place for place in PLACES if place.name == name)
    kind = getattr(import_module(f"cockpit.screens.{place.module}"), place.kind)
    return cast(Screen[None], kind(desk))
