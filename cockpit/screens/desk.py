"""What all screens share: the session once it exists, the newest snapshot, the theme, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cockpit.clock import Clock, SystemClock
from themes.look import Look
from themes.night import NIGHT
from widgets.line import Line
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.model.snapshot import Snapshot
    from cockpit.model.world import World
    from cockpit.screens.ports import SessionPort

Readiness = Callable[[View], Line]


def _no_readiness(view: View) -> Line:
    return ()


@dataclass(slots=True)
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
    """What a key asked for before there was a session; the next key takes it back."""
    soon: Callable[..., None] = lambda function, *arguments: function(*arguments)
    """Has the screen's own thread call something; for callbacks that arrive on other threads."""
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

    def note_key(self) -> None:
        """A key was typed."""
        self.typed_at, self.owed = self.clock.monotonic(), None

    def next_look(self) -> Look:
        """Turn to the next theme."""
        at = self.looks.index(self.look) if self.look in self.looks else -1
        self.look = self.looks[(at + 1) % len(self.looks)]
        return self.look
