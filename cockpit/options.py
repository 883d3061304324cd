"""The options of the full screen: what the parser is told of them, and read without it where nothing is to explain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

OPTIONS: dict[str, dict[str, Any]] = {
    "config": {
        "type": Path,
        "default": None,
        "metavar": "FILE",
        "help": "the platform's configuration (YAML)",
    },
    "colours": {
        "choices": ("auto", "all", "256", "16", "none"),
        "default": "auto",
        "help": "what the terminal can show; found out by itself otherwise (NO_COLOR, COLORTERM, TERM)",
    },
    "ascii": {
        "action": "store_true",
        "default": False,
        "help": "draw with ASCII characters only",
    },
}
"""Name -> what argparse calls these things. `read_plainly` knows of no others."""


def read_plainly(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The options' values as the parser would find them; None where the parser has to look, or to explain.

    To load and build the parser takes a fiftieth of the time until the first frame.

    >>> read_plainly(["--colours=16", "--ascii"])
    {'config': None, 'colours': '16', 'ascii': True}
    >>> [read_plainly([each]) for each in ("--help", "--config", "--config=", "--colours=17", "status")]
    [None, None, None, None, None]
    """
    found = {name: option["default"] for name, option in OPTIONS.items()}
    rest = iter(arguments)
    for argument in rest:
        name, sign, value = argument.removeprefix("--").partition("=")
        option = OPTIONS.get(name)
        if option is None or not argument.startswith("--"):
            return None
        if "action" in option:
            if sign:
                return None
            found[name] = True
            continue
        value = value if sign else next(rest, "")
        if not value or value.startswith("-") or value not in option.get("choices", (value,)):
            return None
        found[name] = option.get("type", str)(value)
    return found
