"""Every colour is in themes/: nothing else names one."""

from __future__ import annotations

import ast
import re

import pytest

from tests.arch.source import Source, docstrings, shipped

NAMES = "black|red|green|yellow|blue|magenta|cyan|white|gr[ae]y|orange|purple"
COLOUR = re.compile(
    rf"""
    (?<![\w&])\#[0-9a-fA-F]{{6}}\b          # #1e1e2e
    | (?<![\w&])\#[0-9a-fA-F]{{3}}\b(?!\s*\d)
    | \brgba?\(\s*\d
    | \bhsla?\(\s*\d
    | \bansi_(bright_)?({NAMES})\b
    | \bbright_({NAMES})\b
    | ^\s*((bold|dim|italic|underline|reverse|not|on|default|{NAMES})\s*)*\b({NAMES})\b\s*$   # a whole style
    | \[/?(bold\s+|on\s+)*({NAMES})\]       # markup
    | \x1b\[[\d;]*[34]8;[25];               # an escape sequence that sets a colour
    """,
    re.VERBOSE,
)
"""What names a colour in a string."""


@pytest.mark.parametrize("text", ["#1e1e2e", "bold red", "on blue", "red", "ansi_red", "rgb(1,2,3)", "a [red]b[/red]"])
def test_what_counts_as_a_colour(text: str) -> None:
    assert COLOUR.search(text)


@pytest.mark.parametrize("text", ["#12", "issue #4 of 5", "redis", "bold", "orders are blue-chip", "referred", "on"])
def test_what_does_not(text: str) -> None:
    assert not COLOUR.search(text)


def test_no_colour_outside_the_themes() -> None:
    found = [place for source in shipped() if not source.name.startswith("themes/") for place in colours(source)]
    assert found == []


def colours(source: Source) -> list[str]:
    """Where the source names a colour, documentation excepted."""
    documentation = docstrings(source.tree)
    return [
        f"{source.name}:{node.lineno} {node.value!r}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
        and COLOUR.search(node.value)
    ]
