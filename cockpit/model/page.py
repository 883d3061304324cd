"""A piece of what a job printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of an output, each with the place where it begins."""

    lines: tuple[tuple[int, str], ...] = ()
    """Offset in bytes and text, safe to show."""
    end: int = 0
    """The offset after the last line."""
    size_bytes: int = 0
    """How much there was altogether when it was read."""
