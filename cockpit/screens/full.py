"""A screen that fills the terminal: the two top lines, its own body, the key bar; what every such screen can do."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from cockpit import keymap
from cockpit.screens.desk import Desk
from cockpit.screens.typeahead import passed_on
from themes.toolkit import toolkit_name
from widgets.canvas import Canvas, Drawn
from widgets.keybar import key_bar
from widgets.line import Line, line
from widgets.scene import Scene
from widgets.topline import top_lines

HINT_S = 4.0


class FullScreen(Screen[None], inherit_bindings=False):
    """What the screens share; a kind of screen says what its rows are and what its own keys mean."""

    DEFAULT_CSS = """
    FullScreen { layout: vertical; overflow: hidden; }
    #top { height: 2; }
    #body { height: 1fr; }
    #keys { height: 1; }
    """
    NEEDS_SESSION = False
    """Whether nothing of it is known before there is a session: an empty list would say that there is nothing."""
    SCOPE = ""
    """The scope of its own keys in the keymap."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.top = Canvas(id="top", ask=lambda width, height: (top_lines(self.scene(), width), desk.look))
        self.body = Canvas(
            id="body", ask=lambda width, height: (_present(self, self.scene(), width, height), desk.look)
        )
        self.keys = Canvas(id="keys", ask=lambda width, height: ([self.key_line(width)], desk.look))
        self._hint = ""
        self._hint_until = 0.0

    def compose(self) -> ComposeResult:
        """Three canvases, top to bottom."""
        yield self.top
        yield self.body
        yield self.keys

    def on_resize(self) -> None:
        """Everything has another size."""
        self.call_after_refresh(self.draw)

    def on_screen_resume(self) -> None:
        """Hidden screens draw nothing: what comes to the front shows the present."""
        self.call_after_refresh(self.draw)

    # what a kind of screen says of itself

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """The body."""
        raise NotImplementedError

    def typed(self, key: str, character: str | None) -> bool:
        """Whether the key was text for a field of this screen, and is done with."""
        return False

    def arrived(self) -> None:
        """Somebody has come to it from another screen."""

    def tick(self) -> None:
        """Once a second while it is in front: ask again for what ages."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Where a key is looked up, the nearest first."""
        return (self.SCOPE, "everywhere")

    def key_line(self, width: int) -> Line:
        """The keys that work here, now."""
        return key_bar([row for row in keymap.bar(self.SCOPE) if self.offers(row)], width)

    def offers(self, row: keymap.Key) -> bool:
        """Whether the key bar names the key now; it works, or says why it does not, all the same."""
        return True

    def scene(self) -> Scene:
        """All that is to be seen."""
        desk, live = self.desk, self.desk.view()
        return Scene(
            now=desk.clock.now(),
            live=live,
            wall=live,
            world=desk.world,
            site=desk.site,
            operator=desk.operator,
            readiness=desk.judge_readiness(live) if live else (),
            progress=tuple(desk.progress),
        )

    # what all of them do

    def draw(self) -> None:
        """Show the present; cheap when little changed."""
        scene, look = self.scene(), self.desk.look
        width = self.keys.size.width
        is_hinting = self._hint and self.desk.clock.monotonic() < self._hint_until
        keys = key_bar((), width, self._hint) if is_hinting else self.key_line(width)
        changes = (
            (self.top, self.top.take(top_lines(scene, self.top.size.width), look)),
            (self.body, self.body.take(_present(self, scene, *self.body.size), look)),
            (self.keys, self.keys.take([keys], look)),
        )
        if not _are_sent(self, changes):
            for canvas, rows in changes:
                canvas.show(rows)

    def hint(self, text: str) -> None:
        """Say something in the bottom line for a few seconds."""
        self._hint, self._hint_until = text, self.desk.clock.monotonic() + HINT_S
        self.draw()

    async def on_key(self, event: events.Key) -> None:
        """Look the key up where the operator stands."""
        event.stop()
        if self.desk.note_key(event) or passed_on(self, event):
            return
        if self.typed(event.key, event.character):
            self.draw()
            return
        row = keymap.find(event.key, *self.scopes)
        if row is not None and row.action:
            await self.run_action(row.action)

    def action_interrupt(self) -> None:
        """Ctrl-C ends nothing here."""
        self.hint("Ctrl-C does nothing here: q leaves, Esc goes back, K halts trading")

    def action_theme(self, name: str = "") -> None:
        """The theme of that name, or the next one."""
        named = next((look for look in self.desk.looks if look.name == name), None)
        self.desk.look = named or self.desk.next_look()
        self.app.theme = toolkit_name(self.desk.look)
        self.hint(f"Theme: {self.desk.look.title}")

    def action_go(self, name: str) -> None:
        """Another screen; nothing stops, and this one is as it was on coming back."""
        # Imported only here, as below: the first frame needs none of them.
        from cockpit.screens import gallery

        gallery.go(self.app, self.desk, name)

    async def action_open(self, what: str, which: str = "") -> None:
        """Lay a sheet over the screen: step, steps, commands, help, leave."""
        from cockpit.screens import sheets

        await sheets.open_sheet(self, what, which)


def _are_sent(screen: FullScreen, changes: Sequence[tuple[Canvas, list[int] | None]]) -> bool:
    """Whether the rows that changed are on the terminal without the toolkit, which takes longer than we to draw."""
    found: list[Drawn] = []
    for canvas, rows in changes:
        drawn = canvas.drawn(rows) if rows is not None else None
        if drawn is None:
            return False
        found += drawn
    return not found or screen.desk.send(screen, found, screen.desk.look.style)


def _present(screen: FullScreen, scene: Scene, width: int, height: int) -> list[Line]:
    """The body as it is to be shown now."""
    if screen.NEEDS_SESSION and screen.desk.session is None:
        return [line((" the cockpit is still starting", "label"))]
    return screen.rows(scene, width, height)
