"""The overview: top lines, the wall of panels, the key bar; zoom, filter and freeze are stances on it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from cockpit import keymap
from cockpit.screens.desk import Desk
from cockpit.screens.stance import Stance
from themes.toolkit import toolkit_name
from widgets.band import band
from widgets.canvas import Canvas
from widgets.keybar import field_bar, key_bar
from widgets.line import Line
from widgets.panels.catalogue import panel
from widgets.panels.findings import clock
from widgets.scene import Scene
from widgets.topline import top_lines
from widgets.wall_rows import shape, wall_rows

HINT_S = 4.0
BAND_SAYS_SECONDS = 110
"""On a narrower wall there is no room for the seconds in large letters."""


class OverviewScreen(Screen[None], inherit_bindings=False):
    """The wall."""

    DEFAULT_CSS = """
    OverviewScreen { layout: vertical; overflow: hidden; }
    #top { height: 2; }
    #wall { height: 1fr; }
    #keys { height: 1; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.stance = Stance()
        self.top, self.wall, self.keys = Canvas(id="top"), Canvas(id="wall"), Canvas(id="keys")
        self._hint = ""
        self._hint_until = 0.0

    def compose(self) -> ComposeResult:
        """Three canvases, top to bottom."""
        yield self.top
        yield self.wall
        yield self.keys

    def on_resize(self) -> None:
        """Everything has another size."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show the present; cheap when little changed."""
        scene, look = self.scene(), self.desk.look
        self.stance.live, self.stance.is_grid = scene.live, shape(*self.wall.size).is_grid
        self.top.paint(top_lines(scene, self.top.size.width), look)
        self.wall.paint(self._wall(scene), look)
        self.keys.paint([self._key_line()], look)

    def scene(self) -> Scene:
        """All that is to be seen."""
        desk, stance = self.desk, self.stance
        live = desk.view()
        return Scene(
            now=desk.clock.now(),
            live=live,
            wall=stance.frozen or live,
            world=desk.world,
            site=desk.site,
            operator=desk.operator,
            readiness=desk.judge_readiness(live) if live else (),
            progress=tuple(desk.progress),
            selected=stance.selected,
            needle=stance.needle.text,
            frozen_since=stance.frozen.now if stance.frozen else None,
        )

    def _wall(self, scene: Scene) -> list[Line]:
        width, height = self.wall.size
        if not self.stance.is_zoomed or scene.wall is None or self.desk.session is None:
            return wall_rows(scene, width, height)
        # Imported only here: the wall needs no plotext.
        from widgets.zoom import zoom_rows

        above = band(scene, width, 3) if scene.frozen_since is not None else []
        shown, history = panel(self.stance.zoomed), self.desk.session.history
        return [*above, *zoom_rows(scene, shown, self.stance.chart, history, width, height - len(above))]

    def _key_line(self) -> Line:
        width, stance = self.keys.size.width, self.stance
        if self._hint and self.desk.clock.monotonic() < self._hint_until:
            return key_bar((), width, self._hint)
        if stance.is_filtering:
            return field_bar("filter", stance.needle, "Enter keeps it   Esc clears it", width)
        if stance.is_zoomed:
            return key_bar((), width, "← → other chart   z or Esc back to the wall")
        if stance.needle.text:
            return field_bar("filter", stance.needle, "/ changes it   Esc clears it", width, is_active=False)
        if stance.frozen and width < BAND_SAYS_SECONDS:
            return key_bar((), width, f"FROZEN since {clock(stance.frozen.now)} UTC: p goes on")
        return key_bar(keymap.of("overview"), width)

    def hint(self, text: str) -> None:
        """Say something in the bottom line for a few seconds."""
        self._hint, self._hint_until = text, self.desk.clock.monotonic() + HINT_S
        self.draw()

    async def on_key(self, event: events.Key) -> None:
        """Look the key up where the operator stands."""
        event.stop()
        stance = self.stance
        if stance.is_filtering and stance.needle.take(event.key, event.character):
            self.draw()
            return
        row = keymap.find(event.key, *stance.scopes)
        if row is not None and row.action:
            await self.run_action(row.action)

    def action_stand(self, move: str, first: object = None, second: object = None) -> None:
        """Move on the wall (the toolkit passes no variable arguments)."""
        getattr(self.stance, move)(*(each for each in (first, second) if each is not None))
        self.draw()

    def action_interrupt(self) -> None:
        """Ctrl-C ends nothing here."""
        self.hint("Ctrl-C does nothing here: q leaves, Esc goes back, K halts trading")

    def action_theme(self) -> None:
        """The next theme."""
        self.action_use_theme(self.desk.next_look().name)

    def action_use_theme(self, name: str) -> None:
        """The theme of that name."""
        self.desk.look = next(look for look in self.desk.looks if look.name == name)
        self.app.theme = toolkit_name(self.desk.look)
        self.hint(f"Theme: {self.desk.look.title}")

    async def action_open(self, what: str, which: str = "") -> None:
        """Lay a sheet over the wall: step, steps, commands, help, leave."""
        # Imported only here: the first frame needs none of them.
        from cockpit.screens import sheets

        await sheets.open_sheet(self, what, which)
