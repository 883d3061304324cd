"""The incident log: list, report and timeline side by side; where there is no room, below each other or one alone."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime

from textual import events

from cockpit import keymap
from cockpit.model.incident import Incident
from cockpit.screens import incident_forms as forms
from cockpit.screens.desk import Desk
from cockpit.screens.full import HINT_S
from cockpit.screens.incident_text import Typing
from cockpit.screens.listing import ListScreen
from cockpit.storage.merge import unmarked
from themes.glyphs import SEVERITY
from widgets.editor_rows import editor_rows
from widgets.field import Field
from widgets.incident_rows import (
    NONE_FOUND,
    NONE_YET,
    below,
    columns,
    facts_row,
    head,
    list_rows,
    panels_table,
    stacked,
    timeline_rows,
)
from widgets.keybar import key_bar
from widgets.line import Line, plain
from widgets.panels.catalogue import PANELS
from widgets.scene import Scene
from widgets.view import View

WIDE = 110
"""From here on all three stand side by side."""
PANES = ("list", "text", "timeline")
SAVE_POLL_S = 0.25
SCROLLED = 10


class IncidentScreen(ListScreen):
    """Selects by name; what is typed goes to the disk by itself."""

    SCOPE = "incident"
    WHAT = "search"
    ENTER = "looks for it"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.pane = "list"
        self.picked: str | None = None
        self.scroll = 0
        self.typing = Typing(desk, self._changed, self._say)
        self.incidents: tuple[Incident, ...] = ()
        self.found: frozenset[str] | None = None
        """Those with the text that is looked for; None where none is."""
        self._is_asking = False
        self._is_read = False
        """Whether the incidents are known: they have been read once."""

    def on_mount(self) -> None:
        """What is typed is saved while nobody presses a key, too."""
        self.set_interval(SAVE_POLL_S, self.typing.poll)

    def on_unmount(self) -> None:
        """The cockpit ends, whatever ended it: the last letters go to the disk too."""
        self.typing.let_go()

    # what is shown

    @property
    def shown(self) -> tuple[Incident, ...]:
        """What the list holds: all, or those with the text that is looked for."""
        found = self.found
        return tuple(each for each in self.incidents if found is None or each.id in found)

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """Three columns, or the one with the hand in it."""
        if width < WIDE:
            is_whole = self.pane != "list" or self.typing.incident is None
            sizes = ((self.pane, height),) if is_whole else stacked(len(self.shown), height)
            return below([(self._pane(name, scene.now, width, size), size) for name, size in sizes])
        left, right = max(24, width // 5), max(34, width * 3 // 10)
        widths = (left, width - left - right - 2, right)
        parts = [(self._pane(name, scene.now, size, height), size) for name, size in zip(PANES, widths, strict=True)]
        return columns(parts, height)

    def _pane(self, name: str, now: float, width: int, height: int) -> list[Line]:
        is_active = name == self.pane
        incident = self.typing.incident
        if name == "list":
            count = f"Incidents {len(self.shown)}" if self.found is None else f"Found {len(self.shown)}"
            picked = self.picked or (incident.id if incident else None)
            shown = self.shown if self._is_read else None
            none = NONE_YET if self.found is None else NONE_FOUND
            listed = list_rows(shown, picked, now, width, height - 1, is_active, none)
            return [head(count, width, is_active), *listed]
        if name == "timeline":
            entries = incident.timeline if incident else ()
            return [head("Timeline", width, is_active), *timeline_rows(entries, width, height - 1, self.scroll)]
        if incident is None or not self.typing.is_loaded:
            return [head("Report", width, is_active)]
        facts = facts_row(incident, self.typing.state, now, width)
        seen = editor_rows(self.typing.editor, self.typing.top, width - 1, height - 1 - len(facts), is_active)
        self.typing.top = seen.top
        return [head("Report", width, is_active), *facts, *seen.rows]

    def key_line(self, width: int) -> Line:
        """While a text is typed, its keys."""
        if self.pane == "text" and not self.is_typing:
            return key_bar(keymap.of("report"), width)
        return super().key_line(width)

    # what keys do

    @property
    def scopes(self) -> tuple[str, ...]:
        """In the text, only what no letter does."""
        if self.pane == "text" and not self.is_typing:
            return ("report",)
        return super().scopes

    def typed(self, key: str, character: str | None) -> bool:
        """Into the text, where the hand is in it."""
        if self.pane != "text" or self.is_typing or not self.typing.is_loaded:
            return super().typed(key, character)
        if keymap.find(key, "report") is not None:
            return False
        return self.typing.editor.take(key, character, max(1, self.body.size.height - 6))

    def on_paste(self, event: events.Paste) -> None:
        """Only into the text."""
        event.stop()
        if self.pane == "text" and self.typing.is_loaded:
            self.typing.editor.insert(unmarked(event.text))
            self.draw()

    def move(self, step: int) -> None:
        """Through the list, or through the timeline."""
        if self.pane == "timeline":
            self.scroll = max(0, self.scroll - step)
            return
        names = [each.id for each in self.shown]
        at = names.index(self.picked) if self.picked in names else 0
        if names:
            self.picked = names[max(0, min(at + step, len(names) - 1))]
            self.typing.open(self.picked)

    def looked_for(self) -> None:
        """Look for the words in all of them."""
        session, words = self.desk.session, self.needle.text.strip()
        if not words or session is None:
            self.found = None
            return

        def found(done: Future[frozenset[str]]) -> None:
            error = done.exception()
            if error is not None:
                self._say(str(error))
            elif words == self.needle.text.strip():
                self.found = done.result()
                _show_one(self)
                self._changed()

        session.incidents.search(words).add_done_callback(lambda done: self.desk.soon(found, done))

    def action_incident(self, what: str) -> None:
        """Another pane, or something to be done with the incident."""
        incident = self.typing.incident
        if what in ("next", "previous"):
            step = 1 if what == "next" else -1
            self.pane = PANES[(PANES.index(self.pane) + step) % len(PANES)]
        elif what == "list":
            self.typing.flush()
            self.pane = "list"
        elif what == "edit":
            self.pane = "text" if self.typing.is_loaded else self.pane
        elif what == "new":
            self.needle, self.found = Field(), None
            forms.new(self)
        elif what == "panels":
            view = self.desk.view()
            if view is not None and self.typing.is_loaded:
                self.typing.editor.insert_block(_panels(view))
        elif incident is None:
            self.hint("No incident is selected")
        else:
            doing = {
                "severity": forms.change_severity,
                "roles": forms.give_roles,
                "update": forms.promise_update,
                "close": forms.close,
                "export": forms.export,
            }
            doing[what](self, incident)
        self.draw()

    # what comes in

    def arrived(self) -> None:
        """The open incident first."""
        snapshot = self.desk.snapshot
        found = snapshot.incidents.value if snapshot else None
        if found and (self.picked is None or self.typing.incident is None or not self.typing.incident.is_open):
            if found[0].id not in {each.id for each in self.shown}:
                self.needle, self.found = Field(), None
            self.picked = found[0].id
            self.typing.open(found[0].id)
        self.tick()

    def tick(self) -> None:
        """What there is now."""
        session = self.desk.session
        if session is None or self._is_asking:
            return
        self._is_asking = True
        session.incidents.all().add_done_callback(lambda done: self.desk.soon(self._listed, done))

    def _listed(self, done: Future[tuple[Incident, ...]]) -> None:
        self._is_asking = False
        error = done.exception()
        if error is not None:
            self._say(str(error))
            return
        self.incidents, self._is_read = done.result(), True
        _show_one(self)
        self._changed()

    def _say(self, words: str) -> None:
        self._hint, self._hint_until = words, self.desk.clock.monotonic() + HINT_S
        self._changed()

    def _changed(self) -> None:
        # What the disk answers may come after the application has let go of its screens.
        if self.is_running and self.app.is_running and self in self.app.screen_stack:
            self.draw()

    def leave(self) -> None:
        """To the wall, with everything on its way to the disk."""
        self.typing.flush()
        super().leave()


def _show_one(screen: IncidentScreen) -> None:
    """The picked one; another, or none, where the list does not hold it."""
    names = [each.id for each in screen.shown]
    if screen.picked is not None and (screen.found is None or screen.picked in names):
        return
    screen.picked = names[0] if names else None
    if screen.picked is None:
        screen.typing.close()
    else:
        screen.typing.open(screen.picked)


def _panels(view: View) -> str:
    """What the panels show now."""
    assessment = view.snapshot.assessment
    rows = [
        (panel.title, SEVERITY[assessment.panel(panel.id)][1], plain(panel.summary(view, 160)).strip() or "no data")
        for panel in PANELS
        if panel.sample
    ]
    return panels_table(rows, f"{datetime.fromtimestamp(view.snapshot.taken_at, UTC):%Y-%m-%d %H:%M:%S} UTC")
