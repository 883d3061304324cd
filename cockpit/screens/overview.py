"""The overview: top lines, the wall of panels, the key bar; zoom, filter and freeze are states of it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from cockpit import keymap
from cockpit.screens.desk import Desk
from themes.toolkit import toolkit_name
from widgets.band import band
from widgets.canvas import Canvas
from widgets.field import Field
from widgets.keybar import field_bar, key_bar
from widgets.line import Line
from widgets.panels.catalogue import PANELS, panel
from widgets.scene import Scene
from widgets.topline import top_lines
from widgets.view import View
from widgets.wall_rows import COLUMNS, severity_of, shape, wall_rows

HINT_S = 4.0


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
        self.top, self.wall, self.keys = Canvas(id="top"), Canvas(id="wall"), Canvas(id="keys")
        self.selected: str | None = None
        self.needle = Field()
        self.is_filtering = False
        self.is_zoomed = False
        self.chart = 0
        self.frozen: View | None = None
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
        scene = self.scene()
        look = self.desk.look
        self.top.paint(top_lines(scene, self.top.size.width), look)
        self.wall.paint(self._wall(scene), look)
        self.keys.paint([self._key_line(scene)], look)

    def scene(self) -> Scene:
        """All that is to be seen."""
        desk = self.desk
        live = desk.view()
        return Scene(
            now=desk.clock.now(),
            live=live,
            wall=self.frozen or live,
            world=desk.world,
            site=desk.site,
            operator=desk.operator,
            readiness=desk.judge_readiness(live) if live else (),
            progress=tuple(desk.progress),
            selected=self.selected,
            needle=self.needle.text,
            frozen_since=self.frozen.now if self.frozen else None,
        )

    def _wall(self, scene: Scene) -> list[Line]:
        width, height = self.wall.size
        if self.is_zoomed and scene.wall is not None and self.desk.session is not None:
            # Imported only here: plotext is not needed for the wall.
            from widgets.zoom import zoom_rows

            above = band(scene, width, 3) if scene.frozen_s is not None else []
            shown, history = panel(self.zoomed(scene)), self.desk.session.history
            return [*above, *zoom_rows(scene, shown, self.chart, history, width, height - len(above))]
        return wall_rows(scene, width, height)

    def zoomed(self, scene: Scene) -> str:
        """The panel to zoom: the selected one, else the worst one."""
        if self.selected or scene.wall is None:
            return self.selected or PANELS[0].id
        view = scene.wall
        return min((each for each in PANELS if each.sample), key=lambda each: severity_of(view, each)).id

    def _key_line(self, scene: Scene) -> Line:
        width = self.keys.size.width
        if self._hint and self.desk.clock.monotonic() < self._hint_until:
            return key_bar((), width, self._hint)
        if self.is_filtering:
            return field_bar("filter", self.needle, "Enter keeps it   Esc clears it", width)
        if self.is_zoomed:
            return key_bar((), width, "← → other chart   z or Esc back to the wall")
        if self.needle.text:
            return field_bar("filter", self.needle, "/ changes it   Esc clears it", width, is_active=False)
        return key_bar(keymap.of("overview"), width)

    def hint(self, text: str) -> None:
        """Say something in the bottom line for a few seconds."""
        self._hint, self._hint_until = text, self.desk.clock.monotonic() + HINT_S
        self.draw()

    # keys

    async def on_key(self, event: events.Key) -> None:
        """Look the key up where the operator stands."""
        event.stop()
        if self.is_filtering and self.needle.take(event.key, event.character):
            self.draw()
            return
        scopes = ("filter",) if self.is_filtering else ("zoom", "overview") if self.is_zoomed else ("overview",)
        row = keymap.find(event.key, *scopes, "everywhere")
        if row is not None and row.action:
            await self.run_action(row.action)

    def action_select(self, step: int) -> None:
        """The next panel."""
        names = [each.id for each in PANELS]
        at = names.index(self.selected) if self.selected else (-1 if step > 0 else 0)
        self.selected = names[(at + step) % len(names)]
        self.draw()

    def action_move(self, right: int, down: int) -> None:
        """The neighbouring panel; in the list of one-line panels only up and down."""
        if not shape(*self.wall.size).is_grid:
            return self.action_select(right + down)
        names = [each.id for each in PANELS]
        at = names.index(self.selected) if self.selected else 0
        column, row = at % COLUMNS + right, at // COLUMNS + down
        if self.selected and 0 <= column < COLUMNS and 0 <= row < len(names) // COLUMNS:
            at = row * COLUMNS + column
        self.selected = names[at]
        return self.draw()

    def action_zoom(self) -> None:
        """In or out."""
        self.is_zoomed = not self.is_zoomed and self.desk.snapshot is not None
        self.chart = 0
        self.draw()

    def action_chart(self, step: int) -> None:
        """Another chart of the zoomed panel."""
        self.chart += step
        self.draw()

    def action_freeze(self) -> None:
        """Hold the wall still, or let it go on."""
        self.frozen = None if self.frozen else self.desk.view()
        self.draw()

    def action_filter(self) -> None:
        """Begin to type a filter."""
        self.is_filtering = True
        self.draw()

    def action_filter_keep(self) -> None:
        """Done typing."""
        self.is_filtering = False
        self.draw()

    def action_back(self) -> None:
        """Undo one thing: the filter, the zoom, the freeze, the selection."""
        if self.is_filtering or self.needle.text:
            self.is_filtering, self.needle = False, Field()
        elif self.is_zoomed:
            self.is_zoomed = False
        elif self.frozen:
            self.frozen = None
        else:
            self.selected = None
        self.draw()

    def action_overview(self) -> None:
        """The wall as it was at the start."""
        self.is_filtering, self.needle, self.is_zoomed, self.selected, self.frozen = False, Field(), False, None, None
        self.draw()

    def action_interrupt(self) -> None:
        """Ctrl-C ends nothing here."""
        self.hint("Ctrl-C does nothing here: q leaves, Esc goes back, K halts trading")

    # sheets

    def action_halt(self) -> None:
        """The kill switch's dialog."""
        self.action_step("kill_switch.engage")

    def action_step(self, action_id: str) -> None:
        """The dialog of one step."""
        from cockpit.screens.guard import GuardScreen

        session = self.desk.session
        if session is None:
            self.hint("Not yet: the cockpit is still starting")
            return
        title = next((step.title for step in session.actions() if step.id == action_id), action_id)
        self.app.push_screen(GuardScreen(self.desk, action_id, title))

    def action_steps(self) -> None:
        """The step chooser, then the step's dialog."""
        from cockpit.screens.chooser import ChooserScreen

        self.app.push_screen(ChooserScreen(self.desk), lambda chosen: self.action_step(chosen.id) if chosen else None)

    def action_commands(self) -> None:
        """The palette, then what was taken from it."""
        from cockpit.screens.palette import PaletteScreen
        from widgets.palette_rows import Entry

        async def taken(entry: Entry | None) -> None:
            if entry is not None:
                await self.run_action(entry.action)

        self.app.push_screen(PaletteScreen(self.desk), taken)

    def action_help(self) -> None:
        """Every key."""
        from cockpit.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.desk))

    def action_quit(self) -> None:
        """Leave; asked only while jobs run."""
        from cockpit.screens.leave import LeaveScreen

        snapshot = self.desk.snapshot
        running = sum(1 for job in snapshot.jobs if not job.phase.is_over) if snapshot else 0
        if not running:
            self.app.exit(0)
            return
        self.app.push_screen(LeaveScreen(self.desk, running), lambda leaves: self.app.exit(0) if leaves else None)

    def action_theme(self) -> None:
        """The next theme."""
        self.action_use_theme(self.desk.next_look().name)

    def action_use_theme(self, name: str) -> None:
        """The theme of that name."""
        self.desk.look = next(look for look in self.desk.looks if look.name == name)
        self.app.theme = toolkit_name(self.desk.look)
        self.hint(f"Theme: {self.desk.look.title}")

    def action_zoom_panel(self, name: str) -> None:
        """One panel in full."""
        self.selected, self.is_zoomed = name, False
        self.action_zoom()
