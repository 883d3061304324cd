"""Other programs for the terminal, measured as the cockpit is, where they are installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmarks.arena import BARE, Arena
from benchmarks.holdings import Holdings, cpu_s
from benchmarks.keys import pressed
from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load

WATCH_S = 10.0
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "btop": ("btop", "--utf-force"),
    "htop": ("htop",),
    "pg_activity": ("pg_activity",),
    "harlequin": ("harlequin",),
    "posting": ("posting",),
    "dolphie": ("dolphie",),
    "toolong": ("tl", __file__),
}
ENOUGH_TEXT = 60
"""Characters on the screen from when on a program of which nothing is known counts as ready."""


def peers(arena: Arena, folders: tuple[Path, ...]) -> dict[str, dict[str, float] | None]:
    """Each program's numbers; None where it is not to be found in the folders or the PATH."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])
    postgres = load(Path(arena.layout.config)).postgres
    fields = dict(part.split("=", 1) for part in postgres.dsn.split()) if postgres else {}
    env = {"PATH": path, "PGHOST": fields.get("host", ""), "PGPORT": fields.get("port", "")}
    env |= {"PGDATABASE": fields.get("dbname", ""), "PGUSER": fields.get("user", "")}
    if postgres is not None and postgres.password is not None:
        env["PGPASSWORD"] = postgres.password.reveal()
    found: dict[str, dict[str, float] | None] = {"bare Textual": _measured(BARE, env)}
    for name, command in PROGRAMS.items():
        program = shutil.which(command[0], path=path)
        found[name] = None if program is None else _measured((program, *command[1:]), env)
    return found


def _measured(command: tuple[str, ...], env: Mapping[str, str]) -> dict[str, float]:
    program = PtyProgram(command, env=env)
    try:
        ready_s = program.until(lambda text: len("".join(text.split())) > ENOUGH_TEXT or "hello" in text, 20.0)
        program.drain(3.0)
        before, count = cpu_s(program.pid), program.drain(WATCH_S)
        spent, held = cpu_s(program.pid) - before, Holdings.of(program.pid)
        keys = pressed(program, "key", 60)
        return {
            "ready_ms": ready_s * 1000,
            "output_bytes_per_s": count / WATCH_S,
            "cpu_percent": 100 * spent / WATCH_S,
            "key_p50_ms": keys["key_p50_ms"],
            "key_p99_ms": keys["key_p99_ms"],
            "memory_mb": held.pss_bytes / 1e6,
        }
    except (TimeoutError, OSError):
        return dict.fromkeys(
            ("ready_ms", "output_bytes_per_s", "cpu_percent", "key_p50_ms", "key_p99_ms", "memory_mb"), float("nan")
        )
    finally:
        program.close()
