"""The places inside the toolkit that the last step to the glass is built on, and whether they are still there."""

from __future__ import annotations

import inspect
from typing import Any

from rich.style import Style
from textual import _ansi_sequences, _compositor
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers import linux_driver
from textual.screen import Screen
from textual.strip import Strip

_UPDATES = {"LayoutUpdate": ("strips", "region"), "ChopsUpdate": ("chops", "spans", "chop_ends")}
_STATE = (
    "_batch_count", "_running", "_closed", "_driver", "_sync_available", "cursor_position", "console", "_notifications",
)  # fmt: skip
UNSETTLED = ("_layout_required", "_scroll_required", "_repaint_required", "_recompose_required", "_dirty_widgets")
"""What of a screen is true, or not empty, while the toolkit has still to draw something."""
_DRIVER = ("_run_input_thread", "_sigtstp_application", "_sigcont_application", "stop_application_mode", "close")


def missing() -> tuple[str, ...]:
    """What the toolkit no longer has; with anything missing here, the toolkit sends its updates by itself."""
    gone = [f"App._display{inspect.signature(App._display)}"] if _arguments(App, "_display") != _DISPLAY else []
    for name, arguments in _UPDATES.items():
        made_of = _arguments(getattr(_compositor, name, None), "__init__")
        gone += [f"{name}.{each}" for each in arguments if each not in made_of]
    gone += [f"Strip.{each}" for each in ("cell_length", "__iter__", "divide") if not hasattr(Strip, each)]
    gone += [f"Style.{each}" for each in ("_style_map",) if not hasattr(Style, each)]
    gone += [each for each in ("SYNC_START", "SYNC_END") if not hasattr(_ansi_sequences, each)]
    return tuple(gone)


def missing_in(app: App[Any]) -> tuple[str, ...]:
    """What this application lacks."""
    return tuple(f"App.{each}" for each in _STATE if not hasattr(app, each))


def missing_in_screen(screen: Screen[Any]) -> tuple[str, ...]:
    """What of a screen tells that the toolkit has something to draw, and is not there: then it draws everything."""
    gone = [f"Screen.{each}" for each in UNSETTLED if not hasattr(screen, each)]
    compositor = getattr(screen, "_compositor", None)
    return (*gone, *(() if hasattr(compositor, "_dirty_regions") else ("Compositor._dirty_regions",)))


def missing_in_driver() -> tuple[str, ...]:
    """What the driver is built on."""
    gone = [] if hasattr(linux_driver, "WriterThread") else ["linux_driver.WriterThread"]
    gone += [] if _arguments(XTermParser, "_sequence_to_key_events") == _KEYS else ["XTermParser's keys"]
    return (*gone, *(f"LinuxDriver.{each}" for each in _DRIVER if not hasattr(linux_driver.LinuxDriver, each)))


_DISPLAY = ("self", "screen", "renderable")
_KEYS = ("self", "sequence", "alt")


def _arguments(owner: object, name: str) -> tuple[str, ...]:
    function = getattr(owner, name, None)
    return tuple(inspect.signature(function).parameters) if function is not None else ()
