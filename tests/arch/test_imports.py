"""The import contracts of pyproject.toml hold, and name every room that exists."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.arch.source import ROOT, Source, shipped

MAY_DRAW = ("widgets/", "themes/", "cockpit/screens/", "cockpit/terminal/", "cockpit/app.py")
MAY_REACH_THE_SANDBOX = (
    "cockpit/sandbox/",
    "cockpit/session.py",
    "cockpit/drills/",
    "cockpit/headless/sandbox.py",
)


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def test_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_every_room_has_its_floor() -> None:
    """A new room that stands in no layer would be bound by nothing."""
    floors = {name.strip(" ()") for layer in contracts()[0]["layers"] for name in layer.split("|")}
    rooms = {path.stem if path.is_file() else path.name for path in (ROOT / "cockpit").iterdir()}
    rooms -= {"__init__", "__pycache__", "py"}
    assert {f"cockpit.{room}" for room in rooms} | {"widgets", "actions", "themes"} <= floors


def imports(source: Source) -> set[str]:
    """Every module that the source names, also where it imports it late or only for types."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_only_what_draws_names_the_toolkit() -> None:
    found = [
        source.name
        for source in shipped()
        if not source.name.startswith(MAY_DRAW)
        and any(one.split(".")[0] in ("textual", "rich") for one in imports(source))
    ]
    assert found == []


def test_only_a_few_reach_the_sandbox() -> None:
    found = [
        source.name
        for source in shipped()
        if not source.name.startswith(MAY_REACH_THE_SANDBOX)
        and any(one == "cockpit.sandbox" or one.startswith("cockpit.sandbox.") for one in imports(source))
    ]
    assert found == []
