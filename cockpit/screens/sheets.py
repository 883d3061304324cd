"""Opens the sheets over the wall, and does what they answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cockpit.model.action import ActionSpec, row_named
from cockpit.screens.approval import ApprovalScreen
from cockpit.screens.choose import open_step
from cockpit.screens.chooser import ChooserScreen
from cockpit.screens.help import HelpScreen
from cockpit.screens.leave import LeaveScreen
from cockpit.screens.palette import PaletteScreen
from cockpit.screens.parting import parting
from cockpit.screens.wall import Wall
from widgets.palette_rows import Entry

UNWATCHED = "A halt is latched: with no cockpit open nobody watches it. q again leaves"
AGAIN_S = 4.0
"""So long that is said, and the second q counts as one."""
NOT_YET = "Opens as soon as the cockpit has started; Esc takes it back"


async def open_sheet(screen: Wall, what: str, which: str = "") -> None:
    """The sheet of that name."""
    match what:
        case "step":
            _step(screen, which)
        case "steps":
            _steps(screen)
        case "commands":
            _commands(screen)
        case "second":
            _second(screen)
        case "help":
            screen.app.push_screen(HelpScreen(screen.desk, screen.SCOPE))
        case "incident" | "note" | "severity":
            from cockpit.screens import incident_forms as forms

            {"incident": forms.open_or_go, "note": forms.note, "severity": forms.open_ones_severity}[what](screen)
        case "leave":
            _leave(screen)


def _step(screen: Wall, name: str) -> None:
    """The dialog of the step of that name, or of the first that performs that action."""
    session = screen.desk.session
    if session is None:
        _owe(screen, partial(_step, screen, name))
        return
    row = row_named(session.actions(), name)
    if row is not None:
        open_step(screen.app, screen.desk, row)
    else:
        screen.hint(f"The runbook has no step {name}")


def _owe(screen: Wall, opening: Callable[[], None]) -> None:
    """The wall is there before what acts is: a hand that reaches for the halt then need not reach twice."""
    screen.desk.owed = opening
    screen.hint(NOT_YET)


def _steps(screen: Wall) -> None:
    if screen.desk.session is None:
        _owe(screen, partial(_steps, screen))
        return

    def chosen(step: ActionSpec | str | None) -> None:
        if isinstance(step, str):
            screen.action_go(step)
        elif step is not None:
            open_step(screen.app, screen.desk, step)

    screen.app.push_screen(ChooserScreen(screen.desk), chosen)


def _commands(screen: Wall) -> None:
    async def taken(entry: Entry | None) -> None:
        if entry is not None:
            await screen.run_action(entry.action)

    screen.app.push_screen(PaletteScreen(screen.desk, screen.SCOPE), taken)


def _second(screen: Wall) -> None:
    """What others ask for, where anybody does."""
    snapshot = screen.desk.snapshot
    if snapshot is None or not snapshot.requests:
        screen.hint("Nobody asks for a second person")
        return
    screen.app.push_screen(
        ApprovalScreen(screen.desk, snapshot.requests), lambda said: screen.hint(said) if said else None
    )


def _leave(screen: Wall) -> None:
    desk = screen.desk
    snapshot, now = desk.snapshot, desk.clock.monotonic()
    running = sum(1 for job in snapshot.jobs if not job.phase.is_over) if snapshot else 0
    if running:
        screen.app.push_screen(LeaveScreen(desk, running), lambda leaves: _exit(screen) if leaves else None)
    elif snapshot is not None and snapshot.latch is not None and now - desk.leaving_at > AGAIN_S:
        desk.leaving_at = now
        screen.hint(UNWATCHED)
    else:
        _exit(screen)


def _exit(screen: Wall) -> None:
    desk = screen.desk
    if desk.snapshot is not None:
        desk.parting = parting(desk.snapshot, desk.clock.now())
    screen.app.exit(0)
