"""The overview: top lines, the wall of panels, the key bar; zoom, filter and freeze are stances on it."""

from __future__ import annotations

from cockpit.screens.desk import Desk
from cockpit.screens.full import FullScreen
from cockpit.screens.stance import Stance
from widgets.band import band
from widgets.keybar import field_bar, key_bar
from widgets.line import Line
from widgets.panels.catalogue import panel
from widgets.panels.findings import clock
from widgets.scene import Scene
from widgets.wall_rows import shape, wall_rows

BAND_SAYS_SECONDS = 110
"""On a narrower wall there is no room for the seconds in large letters."""


class OverviewScreen(FullScreen):
    """The wall."""

    SCOPE = "overview"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.stance = Stance()
        self.wall = self.body

    def scene(self) -> Scene:
        """The present, and what the wall shows of it."""
        scene, stance = super().scene(), self.stance
        stance.live, stance.is_grid = scene.live, shape(*self.wall.size).is_grid
        return scene._replace(
            wall=stance.frozen or scene.live,
            selected=stance.selected,
            needle=stance.needle.text,
            frozen_since=stance.frozen.now if stance.frozen else None,
        )

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The panels, or one of them."""
        if not self.stance.is_zoomed or scene.wall is None or self.desk.session is None:
            return wall_rows(scene, width, height)
        # Imported only here: the wall needs no plotext.
        from widgets.zoom import zoom_rows

        above = band(scene, width, 3) if scene.frozen_since is not None else []
        shown, history = panel(self.stance.zoomed), self.desk.session.history
        return [*above, *zoom_rows(scene, shown, self.stance.chart, history, width, height - len(above))]

    def key_line(self, width: int) -> Line:
        """Keys, the filter, or what is unusual about the wall."""
        stance = self.stance
        if stance.is_filtering:
            return field_bar("filter", stance.needle, "Enter keeps it   Esc clears it", width)
        if stance.is_zoomed:
            return key_bar((), width, "Left Right other chart   z or Esc back to the wall")
        if stance.needle.text:
            return field_bar("filter", stance.needle, "/ changes it   Esc clears it", width, is_active=False)
        if stance.frozen and width < BAND_SAYS_SECONDS:
            return key_bar((), width, f"FROZEN since {clock(stance.frozen.now)} UTC: p goes on")
        return super().key_line(width)

    @property
    def scopes(self) -> tuple[str, ...]:
        """By the stance."""
        return self.stance.scopes

    def typed(self, key: str, character: str | None) -> bool:
        """The filter takes text while it is being typed."""
        return self.stance.is_filtering and self.stance.needle.take(key, character)

    def action_stand(self, move: str, first: object = None, second: object = None) -> None:
        """Move on the wall (the toolkit passes no variable arguments)."""
        getattr(self.stance, move)(*(each for each in (first, second) if each is not None))
        self.draw()
