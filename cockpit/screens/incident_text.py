"""The text of one incident in the editor: what is typed is saved within a second, what others write comes in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from cockpit.incidents.writing import Writing
from cockpit.model.incident import Incident
from cockpit.screens.desk import Desk
from cockpit.storage.merge import conflict_line
from widgets.editor import Editor

if TYPE_CHECKING:
    from cockpit.incidents.log import Loaded, Looked
    from cockpit.storage.incident_file import Stamp
    from cockpit.storage.incidents import Saved


SUMMARY = "## Summary"
"""Where writing begins."""
LOOK_EVERY_S = 1.0
"""What others do is looked at so often while nothing is typed."""


class Typing:
    """One editor over one file; nothing here waits for a disk."""

    def __init__(self, desk: Desk, changed: Callable[[], None], hint: Callable[[str], None]) -> None:
        self.editor = Editor()
        self.top = 0
        self.incident: Incident | None = None
        self._desk = desk
        self._changed = changed
        self._hint = hint
        self._writing: Writing | None = None
        self._wanted: str | None = None
        """Which incident was asked for last: what comes late of another one is not shown in its place."""
        self._version = 0
        self._stamp: Stamp | None = None
        self._is_looking = False
        self._look_at = 0.0

    @property
    def is_loaded(self) -> bool:
        """Whether there is a text."""
        return self._writing is not None

    @property
    def state(self) -> tuple[str, str]:
        """In a word whether it is on the disk, and the ink of that word."""
        writing = self._writing
        if writing is None:
            return "", "label"
        if writing.error:
            return f"NOT SAVED: {writing.error}", "crit"
        if writing.has_conflict:
            return f"CONFLICT, from line {conflict_line(writing.mine)} on", "warn"
        return ("saved", "ok") if writing.is_saved and self._version == self.editor.version else ("typing", "label")

    def open(self, name: str) -> None:
        """Load it; what is still unsaved of the one before goes to the disk first.

        Until it is there no incident is open here: what is decided then must not be about the one before.
        """
        session = self._desk.session
        if session is None or self._wanted == name:
            return
        self.let_go()
        self._wanted, self.incident = name, None
        self._then(session.incidents.load(name), lambda loaded: self._loaded(name, loaded), lambda: self._unread(name))

    def close(self) -> None:
        """Show none; what is still unsaved goes to the disk."""
        self.let_go()
        self._wanted, self.incident = None, None

    def poll(self) -> None:
        """Save what is due; else look what others did."""
        writing, session = self._writing, self._desk.session
        if writing is None or session is None:
            return
        now = self._desk.clock.monotonic()
        self._collect(now)
        due_in = writing.due_in(now)
        if due_in is not None and due_in <= 0:
            self.save()
        elif writing.is_saved and not self._is_looking and now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._is_looking = True
            looked = session.incidents.look(writing.name, writing.base, self._stamp)
            self._then(looked, self._looked, self._unlooked, writing)

    def flush(self) -> None:
        """Save what is not on the disk, now."""
        if self._writing is not None:
            self._collect(self._desk.clock.monotonic())
            if not self._writing.is_saved:
                self.save()

    def let_go(self) -> None:
        """Nobody goes on with this text here: all of it goes to the disk, also behind a save that is under way."""
        writing, session = self._writing, self._desk.session
        if writing is None or session is None:
            return
        self._collect(self._desk.clock.monotonic())
        self._writing = None
        base, mine = writing.rest()
        if mine != base:
            self._then(session.incidents.save(writing.name, base, mine), lambda _: None, lambda: None)

    def save(self) -> None:
        """Send it to the disk."""
        writing, session = self._writing, self._desk.session
        if writing is not None and session is not None and not writing.is_sending:
            base, mine = writing.send()
            saved = session.incidents.save(writing.name, base, mine)
            self._then(saved, lambda saved: self._saved(writing, saved), lambda: None, writing)

    def _collect(self, now: float) -> None:
        """What was typed since the last time; the lines are joined here, not at every key."""
        if self._writing is not None and self._version != self.editor.version:
            self._version = self.editor.version
            self._writing.typed(self.editor.text, now)

    def _then(
        self,
        future: Future[Any],
        do: Callable[[Any], None],
        undo: Callable[[], None],
        writing: Writing | None = None,
    ) -> None:
        """On the screen's thread, with what came of it; `writing` is the text that a failure is about."""

        def landed(done: Future[Any]) -> None:
            error = done.exception()
            if error is not None:
                self._desk.soon(self._failed, str(error) or type(error).__name__, undo, writing)
            else:
                self._desk.soon(do, done.result())

        future.add_done_callback(landed)

    def _failed(self, error: str, undo: Callable[[], None], writing: Writing | None) -> None:
        undo()
        if writing is not None:
            writing.failed(error, self._desk.clock.monotonic())
        self._hint(error)
        self._changed()

    def _unread(self, name: str) -> None:
        """It may be asked for again."""
        if self._wanted == name:
            self._wanted = None

    def _unlooked(self) -> None:
        self._is_looking = False

    def _loaded(self, name: str, loaded: Loaded) -> None:
        if name != self._wanted:
            return
        self.incident = loaded.incident
        self._writing = Writing(loaded.incident.id, loaded.base, loaded.mine)
        self.editor, self.top, self._stamp = Editor(loaded.mine.split("\n")), 0, None
        self._version = self.editor.version
        if SUMMARY in self.editor.lines:
            self.editor.go(self.editor.lines.index(SUMMARY) + 1)
        self._changed()

    def _looked(self, looked: Looked | None) -> None:
        self._is_looking = False
        writing = self._writing
        if looked is None or writing is None or looked.incident.id != writing.name:
            return
        self.incident, self._stamp = looked.incident, looked.stamp
        self._collect(self._desk.clock.monotonic())
        self._show(writing.came(looked.body))
        self._changed()

    def _saved(self, writing: Writing, saved: Saved) -> None:
        if writing is not self._writing:
            return
        self._collect(self._desk.clock.monotonic())
        self._show(writing.saved(saved))
        self._stamp = None
        if saved.was_merged:
            self._hint("somebody else changed it too: merged" + (", with a CONFLICT" if saved.has_conflict else ""))
        self._changed()

    def _show(self, text: str | None) -> None:
        if text is not None:
            self.editor.show(text)
            self._version = self.editor.version
