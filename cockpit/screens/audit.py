"""The audit: who did what, newest first; filtered, verified, exported."""

from __future__ import annotations

from pathlib import Path

from cockpit.model.audit import AuditRecord, Recent, Soundness
from cockpit.screens.desk import Desk
from cockpit.screens.listing import ListScreen
from widgets.audit_rows import audit_rows, matching
from widgets.figures import plural
from widgets.line import Line
from widgets.scene import Scene

LOOK_AGAIN_S = 2.0


class AuditScreen(ListScreen):
    """Selects by hash: a new record does not move the hand to another one."""

    SCOPE = "audit"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.recent: Recent | None = None
        """None is not read yet."""
        self.sound: Soundness | None = None
        self.picked = ""
        self._looked_at = float("-inf")
        self.exported = ""
        """What was exported last from here, and where it is."""
        self._is_looking = False

    @property
    def shown(self) -> tuple[AuditRecord, ...]:
        """What matches the filter, newest first."""
        return matching(self.recent.records if self.recent else (), self.needle.text)

    def at(self, shown: tuple[AuditRecord, ...]) -> int:
        """Where the hand is; on the newest where nobody has moved it."""
        return next((index for index, record in enumerate(shown) if record.hash == self.picked), 0)

    def rows(self, scene: Scene, width: int, height: int) -> list[Line]:
        """List and record."""
        shown = self.shown
        return audit_rows(shown, self.recent, self.at(shown), self.sound, scene.now, (width, height), self.exported)

    def arrived(self) -> None:
        """Read at once."""
        self._looked_at = float("-inf")
        self.tick()

    def tick(self) -> None:
        """What has been written since, now and then."""
        session, now = self.desk.session, self.desk.clock.monotonic()
        if session is not None and not self._is_looking and now - self._looked_at >= LOOK_AGAIN_S:
            self._looked_at, self._is_looking = now, True
            self.when_done(session.shelf.audit(self.recent or Recent()), self._read)

    def move(self, step: int) -> None:
        """Through the list."""
        shown = self.shown
        if shown:
            self.picked = shown[max(0, min(self.at(shown) + step, len(shown) - 1))].hash

    def action_verify(self) -> None:
        """The whole chain, not only what is listed."""
        if self.desk.session is not None:
            self.hint("Walking the chain …")
            self.when_done(self.desk.session.shelf.verify(self.desk.clock.now()), self._verified)

    def action_export(self) -> None:
        """What is listed, oldest first, as it stands in the journal."""
        records = tuple(reversed(self.shown))
        if self.desk.session is not None and records:
            future = self.desk.session.shelf.export(records, self.desk.clock.now())
            self.when_done(future, lambda file: self._exported(len(records), file))

    def _read(self, recent: Recent | None) -> None:
        self._is_looking = False
        if recent is not None and recent is not self.recent:
            self.recent = recent
            if self in self.app.screen_stack:
                self.draw()

    def _verified(self, sound: Soundness | None) -> None:
        if sound is not None:
            self.sound = sound
            self.hint("The chain holds" if sound.is_sound else "THE JOURNAL IS NOT WHOLE")

    def _exported(self, count: int, file: Path | None) -> None:
        if file is not None:
            self.exported = f"exported: {plural(count, 'record')} in {file}"
            self.draw()
