"""Words in letters that are readable from two metres."""

from __future__ import annotations

_SHAPES = {
    "A": ".###. #...# ##### #...# #...#",
    "C": ".#### #.... #.... #.... .####",
    "D": "####. #...# #...# #...# ####.",
    "E": "##### #.... ####. #.... #####",
    "F": "##### #.... ####. #.... #....",
    "G": ".#### #.... #..## #...# .####",
    "H": "#...# #...# ##### #...# #...#",
    "I": "### .#. .#. .#. ###",
    "K": "#...# #..#. ###.. #..#. #...#",
    "L": "#.... #.... #.... #.... #####",
    "N": "#...# ##..# #.#.# #..## #...#",
    "O": ".###. #...# #...# #...# .###.",
    "R": "####. #...# ####. #..#. #...#",
    "S": ".#### #.... .###. ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#..",
    "U": "#...# #...# #...# #...# .###.",
    "V": "#...# #...# #...# .#.#. ..#..",
    "W": "#...# #...# #.#.# ##.## #...#",
    "Z": "##### ...#. ..#.. .#... #####",
    "0": ".###. #..## #.#.# ##..# .###.",
    "1": ".#. ##. .#. .#. ###",
    "2": "####. ....# .###. #.... #####",
    "3": "####. ....# .###. ....# ####.",
    "4": "#...# #...# ##### ....# ....#",
    "5": "##### #.... ####. ....# ####.",
    "6": ".###. #.... ####. #...# .###.",
    "7": "##### ...#. ..#.. ..#.. ..#..",
    "8": ".###. #...# .###. #...# .###.",
    "9": ".###. #...# .#### ....# .###.",
    " ": "... ... ... ... ...",
    ":": "... .#. ... .#. ...",
}
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def big(word: str, rows: int = 3) -> tuple[str, ...]:
    """The word in 3 rows of half blocks, or in 5 and more rows of whole ones.

    >>> print("\\n".join(row.rstrip() for row in big("HI")))
    ▄   ▄ ▄▄▄
    █▄▄▄█  █
    █   █ ▄█▄
    """
    glyphs = [_SHAPES[char].split() for char in word.upper() if char in _SHAPES]
    pixels = [".".join(glyph[row] for glyph in glyphs) for row in range(5)]
    if rows >= 5:
        rows_of_blocks = ["".join("██" if pixel == "#" else "  " for pixel in row) for row in pixels]
        return tuple([" " * len(rows_of_blocks[0])] * (rows - 5) + rows_of_blocks)
    # Half a row of air above, because the line above is text.
    pixels.insert(0, "." * len(pixels[0]))
    return tuple(
        "".join(_HALVES[a == "#", b == "#"] for a, b in zip(pixels[at], pixels[at + 1], strict=True))
        for at in (0, 2, 4)
    )
