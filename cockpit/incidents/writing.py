"""A body that is being typed, and when it has to be saved: state only, the disk is somebody else's."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.storage.incidents import Saved
from cockpit.storage.merge import has_conflict, merge

SAVE_AFTER_S = 0.4
"""Typing rests in memory for at most this long, and a little for the disk: a crash loses less than a second."""
RETRY_S = 2.0


@dataclass(slots=True)
class Writing:
    """One incident in an editor."""

    name: str
    base: str
    """What is in the file, as far as we know."""
    mine: str
    error: str = ""
    """Why the last save failed."""
    _changed_at: float | None = None
    _sent: str | None = None
    """What is on its way to the disk."""
    _not_before: float = float("-inf")

    def typed(self, text: str, now: float) -> None:
        """The text has changed."""
        self.mine = text
        if self._changed_at is None:
            self._changed_at = now

    @property
    def is_sending(self) -> bool:
        """Whether a save is on its way."""
        return self._sent is not None

    @property
    def is_saved(self) -> bool:
        """Whether all of it is on the disk."""
        return self.mine == self.base and self._sent is None

    @property
    def has_conflict(self) -> bool:
        """Whether two changes of the same lines stand in it."""
        return has_conflict(self.mine)

    def due_in(self, now: float) -> float | None:
        """Seconds until it should be saved; None while there is nothing to save, or it is being saved."""
        if self._sent is not None or self.mine == self.base:
            return None
        since = self._changed_at if self._changed_at is not None else now - SAVE_AFTER_S
        return max(0.0, since + SAVE_AFTER_S - now, self._not_before - now)

    def send(self) -> tuple[str, str]:
        """Base and text to save; until saved() or failed() no other save is due."""
        self._sent, self._changed_at = self.mine, None
        return self.base, self.mine

    def rest(self) -> tuple[str, str]:
        """Base and text of all that is not on the disk: on top of what is on its way there, where something is."""
        return self.base if self._sent is None else self._sent, self.mine

    def saved(self, saved: Saved) -> str | None:
        """It is on the disk: the text to show now, where that is another than what was typed."""
        sent, self._sent, self.error = self._sent, None, ""
        before = self.mine
        # What was typed while the disk was busy goes on top of what came back from it.
        self.mine = saved.body if sent is None or sent == self.mine else merge(sent, self.mine, saved.body).text
        self.base = saved.body
        return None if self.mine == before else self.mine

    def came(self, body: str) -> str | None:
        """Somebody else changed the file to this: the text to show now, where it is another."""
        before = self.mine
        self.mine, self.base = merge(self.base, self.mine, body).text, body
        return None if self.mine == before else self.mine

    def failed(self, error: str, now: float) -> None:
        """It is not on the disk; it is tried again."""
        self._sent, self.error, self._not_before = None, error, now + RETRY_S
