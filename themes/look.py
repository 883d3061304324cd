"""A theme: what every ink looks like, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rich.style import Style


@dataclass(eq=False, repr=False)
class Look:
    """One theme; `inks` maps a ink to a rich style definition."""

    name: str
    title: str
    foreground: str
    background: str
    inks: Mapping[str, str]
    is_dark: bool = True
    is_ansi: bool = False
    """Only the terminal's own 16 colours, or none."""
    colours: tuple[str, ...] = field(default=())
    """Accent and friends for the toolkit's own theme: primary, warning, error, success."""

    @cached_property
    def base(self) -> Style:
        """What everything is drawn upon."""
        return Style.parse(f"{self.foreground} on {self.background}")

    @cached_property
    def styles(self) -> dict[str, Style]:
        """Token -> style, filled as tokens are used."""
        return {}

    def style(self, ink: str) -> Style:
        """The style of one ink; an unknown ink is plain text."""
        found = self.styles.get(ink)
        if found is None:
            found = self.base + Style.parse(self.inks.get(ink, ""))
            self.styles[ink] = found
        return found
