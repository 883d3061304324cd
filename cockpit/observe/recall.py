"""What other cockpits saw of the findings, before us and beside us: read once, kept up while we watch."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

from cockpit.clients.bounded import in_daemon_thread
from cockpit.model.finding import Finding, Seen, Since
from cockpit.severity.standing import NO_PAST, WATCHED_S, Key, Memory, Past, is_last_known
from cockpit.storage.seen import Known, change_seen, read_seen

EVERY_S = 5.0
"""A third of what may pass before it counts as a gap."""


class Recall:
    """Its methods never wait for a disk; one that hangs costs only what is known of the past."""

    def __init__(self, folder: Path, platform: str, is_kept: bool = False) -> None:
        """With `is_kept` what is seen is written down for others; a single look at the platform changes nothing."""
        self._folder = folder
        self._platform = platform
        self._is_kept = is_kept
        self._loading: Future[Known] | None = None
        self._writing: Future[None] | None = None
        self._written_at: float | None = None
        self._ours: set[Key] = set()

    def start(self) -> None:
        """Begin to read."""
        self._loading = in_daemon_thread(read_seen, self._folder, self._platform)

    def told(self) -> Past | None:
        """What others saw, once; None while that is not known yet, and afterwards."""
        if self._loading is None or not self._loading.done():
            return None
        loading, self._loading = self._loading, None
        found = loading.result() if loading.exception() is None else NO_PAST
        self._ours.update(found)
        return found

    def note(self, memory: Memory, now: float) -> None:
        """Write down what stands, if it is time to."""
        is_due = self._written_at is None or not 0 <= now - self._written_at < EVERY_S
        if not self._is_kept or not is_due or (self._writing is not None and not self._writing.done()):
            return
        stands = {key: one.finding for key, one in memory.standing.items() if one.is_shown}
        if not stands and not self._ours:
            return
        self._written_at = now
        gone = self._ours - stands.keys() - memory.past.keys()
        self._ours = (self._ours - gone) | stands.keys()
        self._writing = in_daemon_thread(
            change_seen, self._folder, self._platform, lambda known: merged(known, stands, gone, now)
        )


def merged(known: Known, stands: Mapping[Key, Finding], gone: set[Key], now: float) -> Known:
    """What is known now: what stands first, as it was seen to begin first; nothing of what has gone."""
    found = {key: _seen(known.get(key), finding, now) for key, finding in stands.items()}
    return found | {key: seen for key, seen in known.items() if key not in found and key not in gone}


def _seen(before: Seen | None, finding: Finding, now: float) -> Seen:
    ours = Seen(finding.since, finding.since_is, now)
    if before is None:
        return ours
    if is_last_known(finding):
        return before
    # Seen to begin, it began then, though its end before was too short to be written down.
    is_begun = finding.since_is is Since.EXACT
    is_longer = before.since < ours.since and now - before.seen_at <= WATCHED_S
    return Seen(before.since, before.since_is, now) if is_longer and not is_begun else ours
