"""Where the operator stands on the wall: what is selected, zoomed, filtered, frozen; moved only by the methods here."""

from __future__ import annotations

from dataclasses import dataclass, field

from widgets.field import Field
from widgets.panels.catalogue import PANELS
from widgets.view import View
from widgets.wall_rows import COLUMNS, severity_of

NAMES = tuple(panel.id for panel in PANELS)


@dataclass(slots=True, eq=False, repr=False)
class Stance:
    """The state of the overview, apart from what the platform does."""

    selected: str | None = None
    needle: Field = field(default_factory=Field)
    is_filtering: bool = False
    is_zoomed: bool = False
    chart: int = 0
    frozen: View | None = None
    live: View | None = None
    """The present, as last drawn."""
    is_grid: bool = True
    """Whether panels have neighbours to the left and right."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Where a key is looked up."""
        if self.is_filtering:
            return ("filter", "everywhere")
        return ("zoom", "overview", "everywhere") if self.is_zoomed else ("overview", "everywhere")

    @property
    def zoomed(self) -> str:
        """The panel to zoom: the selected one, else the worst one."""
        view = self.frozen or self.live
        if self.selected or view is None:
            return self.selected or NAMES[0]
        return min((each for each in PANELS if each.sample), key=lambda each: severity_of(view, each)).id

    def select(self, step: int) -> None:
        """The next panel, or the one before."""
        at = NAMES.index(self.selected) if self.selected else (-1 if step > 0 else 0)
        self.selected = NAMES[(at + step) % len(NAMES)]

    def move(self, right: int, down: int) -> None:
        """The neighbouring panel; in a list of one-line panels there are only two directions."""
        if not self.is_grid:
            self.select(right + down)
            return
        at = NAMES.index(self.selected) if self.selected else 0
        column, row = at % COLUMNS + right, at // COLUMNS + down
        if self.selected and 0 <= column < COLUMNS and 0 <= row < len(NAMES) // COLUMNS:
            at = row * COLUMNS + column
        self.selected = NAMES[at]

    def zoom(self, name: str | None = None) -> None:
        """In or out; into that panel where one is named."""
        if self.live is None:
            return
        self.selected = name or self.selected
        self.is_zoomed, self.chart = name is not None or not self.is_zoomed, 0

    def turn(self, step: int) -> None:
        """Another chart of the zoomed panel."""
        self.chart += step

    def freeze(self) -> None:
        """Hold the wall still, or let it go on."""
        self.frozen = None if self.frozen else self.live

    def filter(self, is_filtering: bool) -> None:
        """Begin to type a filter, or keep what was typed."""
        self.is_filtering = is_filtering

    def back(self) -> None:
        """Undo one thing: the filter being typed, the zoom, the filter, the freeze, the selection."""
        if self.is_filtering:
            self.is_filtering, self.needle = False, Field()
        elif self.is_zoomed:
            self.is_zoomed = False
        elif self.needle.text:
            self.needle = Field()
        elif self.frozen:
            self.frozen = None
        else:
            self.selected = None

    def reset(self) -> None:
        """As it was at the start."""
        self.is_filtering = self.is_zoomed = False
        self.needle, self.selected, self.frozen = Field(), None, None
