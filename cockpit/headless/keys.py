"""`cockpit keys`: every key as a table, for the terminal or as Markdown for the README."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cockpit.keymap import SCOPES, of

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def table(is_markdown: bool = False) -> str:
    """All keys, by where they work."""
    return _markdown() if is_markdown else _text()


def _text() -> str:
    blocks = []
    for scope, heading in SCOPES.items():
        rows = of(scope)
        size = max(len(row.written) for row in rows)
        blocks.append("\n".join([heading, *(f"  {row.written:<{size}}  {row.help}" for row in rows)]))
    return "\n\n".join(blocks)


def _markdown() -> str:
    lines = ["| where | key | what it does |", "|---|---|---|"]
    for scope, heading in SCOPES.items():
        for row in of(scope):
            keys = " ".join(f"`{key}`" for key in row.written.split())
            lines.append(f"| {heading} | {keys} | {row.help} |")
    return "\n".join(lines)


def add_arguments(subparsers: Subparsers) -> None:
    """Add `keys`."""
    parser = subparsers.add_parser("keys", help="every key of the cockpit", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    print(table(args.markdown))
    return 0
