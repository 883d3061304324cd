"""The cockpit on every kind of terminal, in two sizes, as pictures in docs/pictures/."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.png import draw
from benchmarks.ptyprogram import PtyProgram
from cockpit.sandbox import launcher

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
SIZES = ((80, 24), (120, 40))
SETTLED_S = 15.0
"""Long enough for the sparklines to have something to show."""
READY_S = 60.0
FAULT = "feed-late"
"""Something to be seen: a finding, what answers it, and a panel that is not well."""
TMUX = ("tmux", "-L", f"cockpit-pictures-{os.getpid()}", "-f", "/dev/null")
SCREEN = ("screen", "-U", "-c", "/dev/null", "-S")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of terminal: what is in its environment, and what stands between it and the cockpit."""

    name: str
    env: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


KINDS = (
    Kind("truecolor"),
    Kind("256", (("COLORTERM", ""),)),
    Kind("16", (("COLORTERM", ""), ("TERM", "xterm"))),
    Kind("no-color", (("NO_COLOR", "1"),)),
    Kind("ascii", options=("--ascii",)),
    Kind("linux", (("COLORTERM", ""), ("TERM", "linux"))),
    Kind("tmux", (("COLORTERM", ""), ("TMUX", "")), within=(*TMUX, "new-session")),
    Kind("screen", (("COLORTERM", ""), ("STY", "")), within=(*SCREEN, "{name}")),
)


def take() -> None:
    """All of them at one moment of one sandbox."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    running = launcher.launch_private()
    programs: dict[str, PtyProgram] = {}
    try:
        launcher.inject(running.layout, FAULT)
        for kind in KINDS:
            for columns, rows in SIZES:
                name = f"{kind.name}-{columns}x{rows}"
                within = [word.format(name=_session(name)) for word in kind.within]
                command = [*within, sys.executable, "-m", "cockpit", *kind.options]
                command += ["--config", str(running.layout.config)]
                programs[name] = PtyProgram(command, columns, rows, dict(kind.env))
        ends_at = time.monotonic() + READY_S
        while not all("ACTIVE" in program.text for program in programs.values()):
            if time.monotonic() > ends_at:
                raise TimeoutError([name for name, each in programs.items() if "ACTIVE" not in each.text])
            _read(programs)
        settled_at = time.monotonic() + SETTLED_S
        while time.monotonic() < settled_at:
            _read(programs)
        for name, program in programs.items():
            program.drain(0.2)
            draw(program.screen, FOLDER / f"{name}.png")
    finally:
        for name, program in programs.items():
            if name.startswith("screen"):
                # It goes on without its terminal.
                subprocess.run(["screen", "-S", _session(name), "-X", "quit"], capture_output=True, check=False)
            program.close()
        subprocess.run([*TMUX, "kill-server"], capture_output=True, check=False)
        running.close()


def _session(name: str) -> str:
    return f"cockpit-pictures-{os.getpid()}-{name}"


def _read(programs: dict[str, PtyProgram]) -> None:
    for program in programs.values():
        program.read(0.01)
