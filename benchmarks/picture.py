"""A terminal's screen as an SVG picture."""

from __future__ import annotations

from html import escape
from itertools import groupby

import pyte

CELL_W, CELL_H, SIZE = 8.4, 16.3, 14
NAMED = {
    "black": "000000", "red": "cc3333", "green": "33aa33", "brown": "c4a000", "blue": "3465a4",
    "magenta": "9955aa", "cyan": "06989a", "white": "d3d7cf",
}  # fmt: skip
FOREGROUND, BACKGROUND = "d3d7cf", "0c0f14"


def _colour(name: str, default: str) -> str:
    return default if name == "default" else NAMED.get(name, name if len(name) == 6 else default)


def _style(cell: pyte.screens.Char) -> tuple[str, str, bool]:
    front, back = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
    return (back, front, cell.bold) if cell.reverse else (front, back, cell.bold)


def svg(screen: pyte.Screen) -> str:
    """The screen as a stand-alone SVG document."""
    width, height = screen.columns * CELL_W + 16, screen.lines * CELL_H + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{SIZE}" xml:space="preserve">',
        f'<rect width="100%" height="100%" rx="6" fill="#{BACKGROUND}"/>',
    ]
    drawn: list[str] = []
    for row in range(screen.lines):
        cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
        for (front, back, is_bold), run in groupby(cells, key=lambda cell: _style(cell[1])):
            drawn += _run(row, list(run), front, back, is_bold)
    # Backgrounds first: a viewer's font may be a little wider than a cell.
    drawn.sort(key=lambda part: part.startswith("<text"))
    return "\n".join([*parts, *drawn, "</svg>\n"])


def _run(row: int, run: list[tuple[int, pyte.screens.Char]], front: str, back: str, is_bold: bool) -> list[str]:
    """A run of cells of one style: its background where it has one, its text where it is not blank."""
    x, y, width = 8 + run[0][0] * CELL_W, 8 + row * CELL_H, len(run) * CELL_W
    text = "".join(cell.data for _, cell in run)
    parts = []
    if back != BACKGROUND:
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{CELL_H}" fill="#{back}"/>')
    if text.strip():
        weight = ' font-weight="bold"' if is_bold else ""
        parts.append(
            f'<text x="{x:.1f}" y="{y + 13:.1f}" textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs" '
            f'fill="#{front}"{weight}>{escape(text)}</text>'
        )
    return parts
