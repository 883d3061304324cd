"""The application: first the wall, then, on a thread, everything that fills it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import RenderableType
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.filter import ANSIToTruecolor, LineFilter
from textual.screen import Screen

from cockpit.clock import Clock, SystemClock
from cockpit.errors import CockpitError
from cockpit.interpreter import Garbage
from cockpit.screens.desk import Desk, Readiness
from cockpit.screens.full import FullScreen
from cockpit.screens.overview import OverviewScreen
from cockpit.screens.pulse import NEARLY_S, Pulse
from cockpit.screens.sheet import Sheet
from themes.catalogue import offered
from themes.toolkit import toolkit_name, toolkit_theme

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.model.snapshot import Snapshot
    from cockpit.screens.ports import SessionPort
    from widgets.canvas import Drawn

Progress = Callable[[str], None]
Begin = Callable[["Settings", Callable[[], None]], "Callable[[Snapshot], None]"]
"""Told which platform it is, and whom to call once its first data are on the screen; the answer hears its snapshots,
from any thread, before the session is there."""
Opener = Callable[[Progress, Begin], "tuple[SessionPort, Readiness]"]
"""Imports, configures and opens the session; runs on its own thread and may take its time."""


class OutletPort(Protocol):
    """What sends updates to the terminal, knowing what is on it."""

    def show(self, app: App[Any], screen: Screen[Any], update: object) -> bool:
        """Whether it has been dealt with; if not, the toolkit has to."""

    def show_rows(
        self, app: App[Any], screen: Screen[Any], rows: Sequence[Drawn], style: Callable[[str], Style]
    ) -> bool:
        """The same for whole rows, whose inks have these styles."""

    def forget(self) -> None:
        """Nothing is known of the terminal any more."""


Reporter = Callable[[Exception], str]
"""Files a crash and says in one line where."""


def _unfiled(error: Exception) -> str:
    return f"cockpit: internal error ({type(error).__name__})"


class CockpitApp(App[int], inherit_bindings=False):
    """Owns the screens, the session and the passage between their threads."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        opener: Opener,
        clock: Clock | None = None,
        *,
        has_colour: bool = True,
        has_many_colours: bool = True,
        gate: LineFilter | None = None,
        outlet: OutletPort | None = None,
        driver_class: type[Driver] | None = None,
        reporter: Reporter = _unfiled,
    ) -> None:
        looks = offered(has_colour, has_many_colours)
        super().__init__(driver_class=driver_class, ansi_color=True if looks[0].is_ansi else None)
        self.animation_level = "none"
        self.desk = Desk(clock or SystemClock(), looks, looks[0])
        for look in looks:
            if not look.is_ansi:
                self.register_theme(toolkit_theme(look))
        # Told before the first style is read, none has to be read again.
        self.set_reactive(App.theme, toolkit_name(looks[0]))
        self.stylesheet.set_variables(self.get_css_variables())
        self.overview = OverviewScreen(self.desk)
        self.failure: BaseException | None = None
        """Why the world could not be opened."""
        self._opener = opener
        self._gate = gate
        self._outlet = outlet
        self._reporter = reporter
        self._latest: Snapshot | None = None
        self._is_woken = threading.Event()
        self._when_shown: Callable[[], None] | None = None
        self._has_told_of_jobs = False
        self._opened_at = float("-inf")
        self._drawn_at = float("-inf")
        self._garbage = Garbage()
        self._pulse: Pulse | None = None
        self._screen_context: Context | None = None
        self.desk.soon = self._soon

    def get_default_screen(self) -> OverviewScreen:
        """The wall."""
        return self.overview

    @property
    def front(self) -> FullScreen:
        """The full screen that is to be seen, be it beneath a sheet; only this one draws."""
        return next((each for each in reversed(self.screen_stack) if isinstance(each, FullScreen)), self.overview)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The toolkit's own, and last our gate.

        Nothing here is drawn in ANSI colours where the theme has others, so nothing need be searched for them.
        """
        filters = [one for one in super().get_line_filters() if not isinstance(one, ANSIToTruecolor)]
        return [*filters, self._gate] if self._gate is not None else filters

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Only the changed cells are sent, where the outlet can; as the toolkit does it otherwise."""
        if self._outlet is None or not self._outlet.show(self, screen, renderable):
            super()._display(screen, renderable)
        else:
            self.post_display_hook()

    def repaint(self) -> None:
        """The terminal may show anything: draw all of it."""
        if self._outlet is not None:
            self._outlet.forget()
        self.refresh(layout=True)

    def on_mount(self) -> None:
        """Open the world behind the first frame."""
        self._screen_context = copy_context()
        if self._outlet is not None:
            self.desk.send = partial(self._outlet.show_rows, self)
        self._pulse = Pulse(partial(self._guarded, self.tick), self._screen_context)
        self.call_after_refresh(threading.Thread(target=self._open, name="opening", daemon=True).start)

    def tick(self) -> None:
        """Once a second; ages grow also when no snapshot comes."""
        if not self.is_running:
            return
        if self.desk.clock.monotonic() - self._drawn_at >= NEARLY_S:
            self._draw()
        # What lies beneath a sheet goes on: it is looked at, and what it asked must not grow old unasked.
        self.front.tick()
        # At the very end there is none left.
        top = self.screen_stack[-1] if self.screen_stack else None
        if isinstance(top, Sheet):
            top.tick()
        self._garbage.tidy(self.desk.clock.monotonic(), self.desk.typed_at)

    def _soon(self, function: Callable[..., None], *arguments: object) -> None:
        """On the screen's thread, in its context (timers need it); nothing where that has ended meanwhile."""
        loop = self._loop
        if loop is None:
            return
        with contextlib.suppress(RuntimeError):  # it may end just now
            loop.call_soon_threadsafe(self._guarded, function, *arguments, context=self._screen_context)

    def _guarded(self, function: Callable[..., None], *arguments: object) -> None:
        """The loop would swallow an error, and the wall would stand still without a word."""
        try:
            function(*arguments)
        except Exception as error:
            self._handle_exception(error)

    def _open(self) -> None:
        def begin(settings: Settings, when_shown: Callable[[], None]) -> Callable[[Snapshot], None]:
            self.desk.settings, self._when_shown = settings, when_shown
            return self._heard

        try:
            session, readiness = self._opener(lambda text: self._soon(self._told, text), begin)
            # Loaded before anybody needs them in a hurry.
            import_module("cockpit.screens.sheets")
        except BaseException as error:  # whatever it was, the operator is told and the terminal restored
            self._soon(self._failed, error)
        else:
            self._soon(self._opened, session, readiness)

    def _told(self, text: str) -> None:
        self.desk.progress.append(text)
        self.front.draw()

    def _opened(self, session: SessionPort, readiness: Readiness) -> None:
        self.desk.settings = session.settings
        self.desk.session, self.desk.judge_readiness = session, readiness
        self._opened_at = self.desk.clock.now()
        session.start(self._heard)
        self._garbage.settle(self.desk.clock.monotonic())
        self.front.draw()
        for key in self.desk.settle():
            self.post_message(events.Key(key.key, key.character))

    def _heard(self, snapshot: Snapshot) -> None:
        """Called on the observing thread: keep the newest, wake the screen once."""
        self._latest = snapshot
        if not self._is_woken.is_set():
            self._is_woken.set()
            self._soon(self._take)

    def _take(self) -> None:
        self._is_woken.clear()
        self.desk.snapshot = self._latest
        if not self._has_told_of_jobs and self._latest is not None and self._latest.jobs:
            self._has_told_of_jobs = True
            self._tell_of(self._latest)
        self._draw()
        if self._pulse is not None:
            self._pulse.feed()
        has_data = self._latest is not None and self._latest.kill_switch.tried_at is not None
        if has_data and self._when_shown is not None:
            when_shown, self._when_shown = self._when_shown, None
            self.call_after_refresh(when_shown)

    def _tell_of(self, snapshot: Snapshot) -> None:
        """What this operator has left behind, once: reconnecting is nothing more than looking at it."""
        left = [job for job in snapshot.jobs if job.submitted_at < self._opened_at]
        mine = [job for job in left if job.by == self.desk.operator]
        running = [job.title for job in mine if not job.phase.is_over]
        doubtful = [job.title for job in mine if job.phase.value == "in doubt"]
        if running or doubtful:
            words = f"{running[0]} goes on" if running else f"{doubtful[0]} is IN DOUBT"
            self.front.hint(f"Yours: {words}; 6 shows it")

    def _draw(self) -> None:
        self._drawn_at = self.desk.clock.monotonic()
        self.front.draw()

    def _failed(self, error: BaseException) -> None:
        self.failure = error
        self.exit(error.exit_code if isinstance(error, CockpitError) else 1)

    def _handle_exception(self, error: Exception) -> None:
        """No traceback with values on the terminal: one line there, the rest in a private file."""
        self._return_code = 1
        is_first = self._exception is None and not self._exit_renderables
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        # What fails because of the first failure is not worth a second report.
        if is_first:
            self.panic(Text(self._reporter(error)))
