"""Terminal emulators to compare: what one shows, cell by cell, styles included."""

from __future__ import annotations

import pyte

WRAP_OFF = b"\x1b[?7l"


def seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    """All that can be seen of a cell; of a blank only its ground, unless a line, a blink or a reversal shows on it."""
    if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough or cell.blink):
        return " ", cell.bg
    return tuple(cell)


class Emulator:
    """A terminal of one size."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.feed(WRAP_OFF)

    def feed(self, data: bytes | str) -> None:
        self._stream.feed(data.encode() if isinstance(data, str) else data)

    def resize(self, columns: int, rows: int) -> None:
        """As a terminal does it that keeps nothing one could rely on."""
        self.screen.resize(rows, columns)
        self.feed("\x1b[2J" + "".join(f"\x1b[{row + 1};1H{'?' * columns}" for row in range(rows)))

    def cells(self) -> list[list[tuple[object, ...]]]:
        return [[seen(self.screen.buffer[y][x]) for x in range(self.screen.columns)] for y in range(self.screen.lines)]

    def difference(self, other: Emulator) -> str | None:
        """Where the two first differ; None where they are equal."""
        for y, (mine, theirs) in enumerate(zip(self.cells(), other.cells(), strict=True)):
            for x, (one, two) in enumerate(zip(mine, theirs, strict=True)):
                if one != two:
                    return f"row {y} column {x}: {one} is not {two}"
        return None
