"""What the terminal can show, and whether the cockpit may start on it; decided before the toolkit is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

_SCRUBBED = ("COLUMNS", "LINES")
"""Exported, they freeze the size at what it once was."""
_PREFIX = "TEXTUAL"
"""TEXTUAL_DRIVER imports a module, TEXTUAL_PRESS presses keys: not here."""
_FRAMES_PER_S = "500"
"""The toolkit waits so long between two frames that a key pressed just after the tick's had to wait for 16 ms."""
_MANY_COLOURS = ("-256color", "-direct", "-kitty", "alacritty", "xterm-ghostty", "wezterm", "foot", "contour")
_ASCII_ONLY = ("linux", "vt100", "vt102", "vt220", "ansi", "cons25")
"""Their fonts lack the box corners and most of the blocks."""


class Abilities(NamedTuple):
    """What this terminal can show."""

    has_colour: bool
    has_many_colours: bool
    is_ascii: bool


def scrub(environment: MutableMapping[str, str]) -> None:
    """Take out what would make the toolkit do something else than asked.

    >>> found = {"TEXTUAL_PRESS": "q", "COLUMNS": "80", "TERM": "xterm"}; scrub(found); found
    {'TERM': 'xterm'}
    """
    for name in [each for each in environment if each in _SCRUBBED or each.startswith(_PREFIX)]:
        del environment[name]


def why_not() -> str | None:
    """Why the full-screen cockpit cannot run here; None where it can."""
    if not (os.isatty(0) and os.isatty(2)):
        return "cockpit needs a terminal for its keyboard and screen; without one use `cockpit status`"
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        return "cockpit needs a terminal that can move its cursor (TERM is dumb or unset); use `cockpit status`"
    return None


def abilities(environment: Mapping[str, str], encoding: str) -> Abilities:
    """What the environment says of the terminal.

    >>> abilities({"TERM": "xterm-256color"}, "utf-8")
    Abilities(has_colour=True, has_many_colours=True, is_ascii=False)
    >>> abilities({"TERM": "linux"}, "utf-8")
    Abilities(has_colour=True, has_many_colours=False, is_ascii=True)
    >>> abilities({"TERM": "screen", "NO_COLOR": "", "LC_ALL": "C"}, "ascii")
    Abilities(has_colour=False, has_many_colours=False, is_ascii=True)
    """
    term = environment.get("TERM", "")
    is_true = environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    many = is_true or any(term.endswith(each) or term == each for each in _MANY_COLOURS)
    has_colour = "NO_COLOR" not in environment and not term.startswith("vt")
    is_utf8 = encoding.lower().replace("-", "") == "utf8" and _is_utf8_locale(environment)
    return Abilities(has_colour, has_colour and many, term in _ASCII_ONLY or not is_utf8)


def _is_utf8_locale(environment: Mapping[str, str]) -> bool:
    """Python calls everything UTF-8 under LANG=C; the terminal need not agree."""
    locale = next((environment[each] for each in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(each)), "")
    if locale in ("C", "POSIX"):
        return False
    charset = locale.partition(".")[2].partition("@")[0].lower().replace("-", "")
    return charset in ("", "utf8")


def wanted(found: Abilities, colours: str, is_ascii: bool) -> Abilities:
    """What was found out, and what the operator says instead.

    >>> wanted(Abilities(True, True, False), "none", True)
    Abilities(has_colour=False, has_many_colours=False, is_ascii=True)
    """
    if colours != "auto":
        found = found._replace(has_colour=colours != "none", has_many_colours=colours in ("all", "256"))
    return found._replace(is_ascii=found.is_ascii or is_ascii)


def prepare(colours: str = "auto", is_ascii: bool = False) -> Abilities:
    """Scrub the environment and force what was found out or asked for; before the toolkit is imported."""
    found = wanted(abilities(os.environ, getattr(sys.__stderr__, "encoding", None) or "ascii"), colours, is_ascii)
    scrub(os.environ)
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TEXTUAL_FPS"] = _FRAMES_PER_S
    is_true = colours == "all" or (colours == "auto" and os.environ.get("COLORTERM", "") in ("truecolor", "24bit"))
    if not found.has_colour:
        os.environ["NO_COLOR"] = "1"
    else:
        os.environ.pop("NO_COLOR", None)
        many = "truecolor" if is_true else "256"
        os.environ["TEXTUAL_COLOR_SYSTEM"] = many if found.has_many_colours else "standard"
    return found
