"""Starts and ends the full-screen cockpit: the platform's clients are loaded only after the first frame."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cockpit import interpreter
from cockpit.errors import CockpitError
from cockpit.terminal import environment
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.model.action import ActionSpec
    from cockpit.screens.application import Begin, Progress
    from cockpit.screens.desk import Readiness
    from cockpit.screens.ports import SessionPort
    from cockpit.session import Session
    from cockpit.terminal.driver import CockpitDriver
    from widgets.line import Line
    from widgets.view import View

USAGE = 2
HEAD_START_S = 0.5
"""What acts is loaded after the first data, or after this."""
STOP_S = 1.0
CLOSE_S = 6.0


class OpeningPort(Protocol):
    """What opens a session behind the first frame, and closes what it has opened."""

    @property
    def is_lasting(self) -> bool:
        """Whether the platform is still there once this is closed."""

    def open(self, progress: Progress, begin: Begin) -> tuple[SessionPort, Readiness]:
        """On the opening thread; what `begin` answers may hear snapshots before there is a session."""

    def close(self) -> None:
        """Within a bounded time."""


class Opening:
    """Opens the session on the opening thread, and closes whatever was opened."""

    def __init__(self, config: Path | None) -> None:
        self._config = config
        self._session: Session | None = None
        self._close: Callable[[], None] | None = None
        self.is_lasting = False

    def open(self, progress: Progress, begin: Begin) -> tuple[Session, Readiness]:
        """Everything heavy is imported here, behind the first frame; the platform's data come before what acts."""
        progress("loading")
        from cockpit.clock import SystemClock
        from cockpit.observe.lookout import Lookout
        from cockpit.session import Session, open_world, world_file

        settings, self._close, self.is_lasting = open_world(self._config, progress)
        clock = SystemClock()
        lookout = Lookout(settings, clock)
        lookout.begin(begin(settings, lookout.shown))
        lookout.until_shown(HEAD_START_S)
        file = world_file(self._config) if self.is_lasting else None
        self._session = Session.open(settings, clock, is_attended=True, lookout=lookout, file=file)
        return self._session, partial(readiness, steps=self._session.actions)

    def close(self) -> None:
        """Stop watching, end a sandbox of one's own; hang on nothing."""
        for end, limit_s in ((self._stop, STOP_S + 0.5), (self._close, CLOSE_S)):
            if end is not None:
                thread = threading.Thread(target=end, daemon=True)
                thread.start()
                thread.join(limit_s)

    def _stop(self) -> None:
        if self._session is not None:
            self._session.stop(STOP_S)


def readiness(view: View, steps: Callable[[], Sequence[ActionSpec]]) -> Line:
    """Whether a halt would work now, and by which rung, with the keys of that of the runbook's steps, as a line."""
    from actions.kill_switch.words import HALT_ROUTER
    from cockpit.model.action import row_named
    from cockpit.severity.trading import halt_readiness

    found = halt_readiness(view.snapshot, view.settings, view.now)
    if found.word == "ready":
        ink = "ok" if found.is_durable else "warn"
        return (("ready", ink), (f" via {found.rung}, {found.reason}", "text" if found.is_durable else ink))
    is_degraded = found.word == "degraded"
    row = row_named(steps(), HALT_ROUTER) if is_degraded else None
    # Before the words: whoever needs it must not find it cut.
    keys = ((" › ", "accent"), (row.keys, "key")) if row is not None else ()
    ink = "warn" if is_degraded else "crit"
    return ((found.word.upper(), ink), *keys, (f": {found.rung}", ink), (f" ({found.reason})", "text"))


def run_app(config: Path | None = None, colours: str = "auto", is_ascii: bool = False) -> int:
    """Run it until the operator leaves; the exit code."""
    return run(Opening(config), colours, is_ascii)


def run(opening: OpeningPort, colours: str = "auto", is_ascii: bool = False) -> int:
    """Run what is opened. Does not return while anything could still delay leaving."""
    refusal = environment.why_not()
    if refusal:
        print(refusal, file=sys.stderr)
        return USAGE
    abilities = environment.prepare(colours, is_ascii)
    # Nothing of what is imported now is garbage; looking for some costs 7 % of the start.
    gc.disable()
    interpreter.be_quick()
    interpreter.be_frugal()
    from cockpit.screens.application import CockpitApp
    from cockpit.terminal import crash, strips
    from cockpit.terminal.gate import GateFilter
    from cockpit.terminal.outlet import Outlet

    strips.uncircle()
    app = CockpitApp(
        opening.open,
        has_colour=abilities.has_colour,
        has_many_colours=abilities.has_many_colours,
        gate=GateFilter(abilities.is_ascii),
        outlet=Outlet(),
        driver_class=_driver(),
        reporter=lambda error: crash.told(error, crash.report(error)),
    )
    returned = app.run(mouse=False)
    code = app.return_code or returned or 0
    # A terminal that has hung up takes no words, and that is no failure.
    with contextlib.suppress(OSError):
        if app.failure is not None:
            print(_why(app.failure), file=sys.stderr, flush=True)
        elif opening.is_lasting and app.desk.parting:
            print(*app.desk.parting, sep="\n", flush=True)
    opening.close()
    # Threads that hang on a dead backend must not keep the operator here.
    os._exit(code)


def _driver() -> type[CockpitDriver] | None:
    """Ours; a toolkit that has become another drives the terminal by itself, rather than not at all."""
    from cockpit.terminal import seams
    from cockpit.terminal.driver import CockpitDriver

    if not seams.missing_in_driver():
        return CockpitDriver
    # By it, an interrupt is ended in order only as an exception.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return None


def _why(failure: BaseException) -> str:
    from cockpit.terminal import crash

    if isinstance(failure, CockpitError):
        return f"cockpit: {clean(failure, limit=2000)}"
    return crash.told(failure, crash.report(failure))
