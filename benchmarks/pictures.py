"""Take the documentation's pictures from the running product."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.picture import svg
from benchmarks.ptyprogram import PtyProgram

FOLDER = Path(__file__).parent.parent / "docs"
SETTLED_S = 40.0
"""Long enough for the sparklines to have something to show."""


def main() -> None:
    """Write docs/overview.svg, docs/kill-switch.svg and docs/pictures/."""
    FOLDER.mkdir(exist_ok=True)
    program = PtyProgram([sys.executable, "-m", "cockpit"])
    try:
        program.until(lambda text: "ACTIVE" in text and "VaR" in text, 60.0)
        program.drain(SETTLED_S)
        (FOLDER / "overview.svg").write_text(svg(program.screen), encoding="utf-8")
        program.send("K")
        program.until(lambda text: "HSET" in text)
        program.drain(1.0)
        (FOLDER / "kill-switch.svg").write_text(svg(program.screen), encoding="utf-8")
    finally:
        program.close()
    try:
        from benchmarks.terminals import take
    except ImportError as error:
        sys.exit(f"docs/pictures/ is as it was: {error}; it takes Pillow (pip install pillow)")
    take()


if __name__ == "__main__":
    main()
