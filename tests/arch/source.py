"""The product's own source, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = ("cockpit", "widgets", "actions", "themes")


@dataclass(frozen=True)
class Source:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def of(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))


@cache
def shipped() -> tuple[Source, ...]:
    files = sorted(path for room in SHIPPED for path in (ROOT / room).rglob("*.py"))
    texts = ((path, path.read_text(encoding="utf-8")) for path in files)
    return tuple(Source(path, text, ast.parse(text)) for path, text in texts)


def docstrings(tree: ast.Module) -> set[int]:
    """The ids of the constants that are documentation, those below a field included."""
    found = set()
    for node in ast.walk(tree):
        for statement in getattr(node, "body", None) or () if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                found.add(id(statement.value))
    return found
