"""A terminal's screen as a PNG picture with a palette, as a person sees it. Needs Pillow and the DejaVu fonts."""

from __future__ import annotations

from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

SIZE = 13
CELL_W, CELL_H = 8, 15
MARGIN = 6
FOREGROUND, BACKGROUND = "d3d7cf", "0c0f14"
COLOURS = 64
NAMED = {
    "black": "000000", "red": "cc3333", "green": "33aa33", "brown": "c4a000", "blue": "3465a4", "magenta": "9955aa",
    "cyan": "06989a", "white": "d3d7cf", "brightblack": "777777", "brightred": "ff5555", "brightgreen": "55ff55",
    "brightbrown": "ffff55", "brightblue": "5588ff", "brightmagenta": "ff55ff", "brightcyan": "55ffff",
    "brightwhite": "ffffff", "bfightmagenta": "ff55ff",
}  # fmt: skip
"""The emulator's names for the sixteen, one of them misspelt there."""


def draw(screen: pyte.Screen, file: Path) -> None:
    """Write the picture."""
    mono = {bold: ImageFont.truetype(f"DejaVuSansMono{'-Bold' * bold}.ttf", SIZE) for bold in (False, True)}
    size = (screen.columns * CELL_W + 2 * MARGIN, screen.lines * CELL_H + 2 * MARGIN)
    image = Image.new("RGB", size, f"#{BACKGROUND}")
    pen = ImageDraw.Draw(image)
    cells = [
        (MARGIN + column * CELL_W, MARGIN + row * CELL_H, screen.buffer[row][column])
        for row in range(screen.lines)
        for column in range(screen.columns)
    ]
    # All grounds first: letters reach below their cell.
    for x, y, cell in cells:
        pen.rectangle((x, y, x + CELL_W - 1, y + CELL_H - 1), fill=_inks(cell)[1])
    for x, y, cell in cells:
        if cell.data.strip():
            pen.text((x, y), cell.data, font=mono[cell.bold], fill=_inks(cell)[0])
        if cell.underscore:
            pen.line((x, y + CELL_H - 2, x + CELL_W - 1, y + CELL_H - 2), fill=_inks(cell)[0])
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


def _inks(cell: pyte.screens.Char) -> tuple[str, str]:
    front, back = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
    return (back, front) if cell.reverse else (front, back)


def _colour(name: str, default: str) -> str:
    return "#" + (default if name == "default" else NAMED.get(name, name))
