"""What all screens share: the session once it exists, the newest snapshot, the theme, the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from textual import events

from cockpit.clock import Clock, SystemClock
from themes.look import Look
from themes.night import NIGHT
from widgets.line import Line
from widgets.view import View

if TYPE_CHECKING:
    from rich.style import Style
    from textual.screen import Screen

    from cockpit.config import Settings
    from cockpit.model.snapshot import Snapshot
    from cockpit.model.world import World
    from cockpit.screens.ports import SessionPort
    from widgets.canvas import Drawn

Readiness = Callable[[View], Line]
Send = Callable[["Screen[Any]", "Sequence[Drawn]", "Callable[[str], Style]"], bool]
"""Brings rows of a screen, their inks in these styles, to the terminal past the toolkit; whether that could be done."""
TYPED_AHEAD = 16
"""So many keys are kept; nobody means more unseen."""
TAKES_BACK = ("escape", "q")


def _no_readiness(view: View) -> Line:
    return ()


@dataclass(slots=True, eq=False, repr=False)
class Desk:
    """The operator's desk."""

    clock: Clock = field(default_factory=SystemClock)
    looks: tuple[Look, ...] = (NIGHT,)
    look: Look = NIGHT
    settings: Settings | None = None
    """Which platform it is; known before there is a session."""
    session: SessionPort | None = None
    snapshot: Snapshot | None = None
    progress: list[str] = field(default_factory=list)
    typed_at: float = float("-inf")
    """The moment of the last key, on the clock that never goes back."""
    owed: Callable[[], None] | None = None
    """What a key asked for before there was a session."""
    behind: list[events.Key] = field(default_factory=list)
    """The keys after it: they are meant for what it opens."""
    leaving_at: float = float("-inf")
    """When somebody last wanted to leave a halt that this cockpit watches over, on the clock that never goes back."""
    parting: tuple[str, ...] = ()
    """What is said on the terminal that is left."""
    soon: Callable[..., None] = lambda function, *arguments: function(*arguments)
    """Has the screen's own thread call something; for callbacks that arrive on other threads."""
    send: Send = lambda screen, rows, style: False
    judge_readiness: Readiness = _no_readiness
    """Whether a halt would work now; put in once a halt can be asked for."""

    def view(self) -> View | None:
        """The present; None while the cockpit starts."""
        if self.snapshot is None or self.settings is None:
            return None
        # Imported only here: the first frame has no snapshot.
        from cockpit.alerting.force import in_force
        from cockpit.severity.watch import as_of

        now, settings = self.clock.now(), self.settings
        # The panels mark what is late by the same thresholds as the findings.
        judged_by = in_force(settings, self.snapshot.alerting.value)
        return View(as_of(self.snapshot, now, settings.interval_s), now, judged_by)

    @property
    def world(self) -> World | None:
        """Which world this is, as soon as it is known."""
        return self.settings.world if self.settings else None

    @property
    def site(self) -> str:
        """Which site this is, as soon as it is known."""
        return self.settings.site if self.settings else ""

    @property
    def operator(self) -> str:
        """Who sits here, as soon as it is known."""
        return self.session.operator.label if self.session else ""

    def note_key(self, event: events.Key) -> bool:
        """A key was typed; whether it is kept, with what it follows, until there is a session. Esc takes all back."""
        self.typed_at = self.clock.monotonic()
        if self.owed is None:
            return False
        if event.key in TAKES_BACK:
            self.owed = None
            self.behind.clear()
            return event.key == "escape"
        if len(self.behind) < TYPED_AHEAD:
            self.behind.append(event)
        return True

    def settle(self) -> list[events.Key]:
        """Open what is owed; the keys that came after it."""
        owed, keys = self.owed, self.behind
        self.owed, self.behind = None, []
        if owed is not None:
            owed()
        return keys

    def next_look(self) -> Look:
        """Turn to the next theme."""
        at = self.looks.index(self.look) if self.look in self.looks else -1
        self.look = self.looks[(at + 1) % len(self.looks)]
        return self.look
