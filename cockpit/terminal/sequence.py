"""Pieces of text at places on the screen, as the shortest sequence of bytes that writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cockpit.terminal.cells import Cell
from cockpit.terminal.pen import PLAIN, Ink, change

FEW = 400
"""So many pieces may be written in any order; more are a new picture, which is painted from top to bottom."""
BAND_ROWS = 8
"""By so many rows at a time: at 64 kbit/s about a fifth of a second each."""


class Piece(NamedTuple):
    """Text of one ink on one row."""

    ink: Ink
    y: int
    x: int
    width: int
    text: str


def pieces_of(y: int, x: int, run: list[Cell]) -> Iterator[Piece]:
    """A run of cells by its inks; a blank goes with its neighbour where that looks the same."""
    ink: Ink | None = None
    chars: list[str] = []
    start = at = x
    for char, own in run:
        if own is not None and own is not ink and not (ink is not None and char in (" ", "") and _fits(char, ink, own)):
            if ink is not None and chars and (own.front or own.attributes) and _is_blank(chars) and own.covers(ink):
                ink = own
            else:
                if ink is not None and chars:
                    yield Piece(ink, y, start, at - start, "".join(chars))
                ink, start, chars = own, at, []
        chars.append(char)
        at += 1
    if ink is not None and chars:
        yield Piece(ink, y, start, at - start, "".join(chars))


def _fits(char: str, ink: Ink, own: Ink) -> bool:
    return char == "" or ink.covers(own)


def _is_blank(chars: list[str]) -> bool:
    return all(char == " " for char in chars)


def written(pieces: list[Piece]) -> str:
    """The bytes, and the pen put back."""
    if len(pieces) < 2:
        return _written(pieces)
    inks = {ink: at for at, ink in enumerate(dict.fromkeys(piece.ink for piece in pieces))}
    band = BAND_ROWS if len(pieces) > FEW else 1 + max(piece.y for piece in pieces)
    # Telling the pen a colour costs 20 bytes, a move 5: one ink after the other is mostly shorter.
    by_ink = _written(sorted(pieces, key=lambda piece: (piece.y // band, inks[piece.ink], piece.y, piece.x)))
    by_row = _written(pieces)
    return by_ink if len(by_ink) < len(by_row) else by_row


def _written(pieces: list[Piece]) -> str:
    parts: list[str] = []
    pen, row, column, is_sure = PLAIN, -1, -1, False
    for ink, y, x, width, text in pieces:
        if y != row or x < column:
            parts.append(f"\x1b[{y + 1};{x + 1}H")
        elif x > column:
            parts.append(_step(x - column, x + 1, is_sure))
        if ink is not pen and not (text.isspace() and pen.covers(ink)):
            parts.append(change(pen, ink))
            pen = ink
        parts.append(text)
        # Terminals may disagree about the width of what is not plain: then the next place is said by its number.
        row, column, is_sure = y, x + width, text.isascii()
    if pen is not PLAIN:
        parts.append(change(pen, PLAIN))
    return "".join(parts)


def _step(right: int, number: int, is_sure: bool) -> str:
    """To the right by a distance, or by the column's number."""
    if is_sure:
        return f"\x1b[{right}C" if right > 1 else "\x1b[C"
    return f"\x1b[{number}G"
