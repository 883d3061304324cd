"""All that the overview shows: the live view, the wall's own (older while frozen), and where the operator stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from widgets.line import Line
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.world import World


class Scene(NamedTuple):
    """The state of the screen at one moment."""

    now: float
    live: View | None = None
    """What is true now; None while the cockpit starts."""
    wall: View | None = None
    """What the panels show: the live view, or the frozen one."""
    world: World | None = None
    site: str = ""
    operator: str = ""
    readiness: Line = ()
    """Whether a halt would work now, and by which rung."""
    progress: tuple[str, ...] = ()
    """What the start is doing, newest last."""
    selected: str | None = None
    needle: str = ""
    """Text that the panels are filtered by."""
    frozen_since: float | None = None
