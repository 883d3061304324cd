"""Is it a person who presses this key, on purpose, now? Pure, with time from outside."""

from __future__ import annotations

from collections import deque

CALM_S = 0.4
"""So long after a dialog opened, or changed, no key counts."""
HELD_S = 0.7
"""A key that confirms must not have been down for this long: the longest wait before auto-repeat sets in."""
REPEAT_S = 0.045
"""Faster than a finger, as slow as auto-repeat."""
BURST = 4
BURST_S = 0.03
"""More keys than this in so short a time were not typed; a slow line brings two or three of a finger's at once."""


class Hands:
    """Remembers just enough of the last keys."""

    def __init__(self, opened_at: float) -> None:
        self._calm_until = opened_at + CALM_S
        self._last_key = ""
        self._last_at = float("-inf")
        self._recent: deque[float] = deque(maxlen=BURST + 1)
        self._refused_until = float("-inf")
        self._repeats = 0
        self.is_first = True
        """Whether the last key may have begun a burst: what was there before it is what a refused one leaves."""

    def startle(self, now: float) -> None:
        """What is shown has changed: it has to be read first."""
        self._calm_until = now + CALM_S

    def why_not(self, key: str, now: float, is_confirming: bool = False) -> str | None:
        """Why this key does not count; None where it does.

        >>> hands = Hands(0.0)
        >>> [hands.why_not("y", at, True) for at in (0.1, 0.5, 0.6, 1.4)]
        ['early', 'held', 'held', None]
        """
        since, is_same = now - self._last_at, key == self._last_key
        self._last_key, self._last_at = key, now
        self._recent.append(now)
        self.is_first = since > BURST_S
        self._repeats = self._repeats + 1 if is_same and since < REPEAT_S else 0
        is_burst = len(self._recent) > BURST and now - self._recent[0] <= BURST_S
        if is_burst or now < self._refused_until:
            # Until the fingers rest: the end of what came too fast would be a part of it.
            self._refused_until = now + CALM_S
            return "fast"
        if now < self._calm_until:
            return "early"
        if is_confirming and is_same and since < HELD_S:
            return "held"
        # A double letter may arrive at once; a second Enter may not.
        return "held" if self._repeats > (key != "enter") else None
