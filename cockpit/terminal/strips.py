"""The toolkit's strips without circles: one that is not cut is kept among its own parts, and only a search frees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from textual.strip import Strip


def uncircle() -> None:
    """A strip in one piece is not remembered as its own part: with its caches it is ten objects, and every screen that
    is left leaves hundreds, which lay there until nobody typed."""
    toolkit: Any = Strip
    divide = toolkit.divide

    def divided(self: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
        wanted = list(cuts)
        found: Sequence[Strip] = [self] if wanted == [self.cell_length] else divide(self, wanted)
        return found

    toolkit.divide = divided
