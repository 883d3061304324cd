"""When to ask again: at the probe's own interval, less often while it fails, yet soon enough to see it recover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

SLOWEST_S = 1.5
"""The longest pause between two attempts at a failing backend: its recovery is on screen within 3 s."""
FIRST_BACK_OFF_S = 0.5
HURRIED_S = 1.5
"""What an attempt at a failing backend may take, and from when on any attempt still on its way counts as no answer."""
PATIENT_S = 2.5
PATIENT_EVERY = 6
"""Every sixth attempt at a failing backend may take longer, so that one that is merely slow is seen again."""
EARLY = 0.01
"""Part of a beat by which a timer may wake us too soon."""
TICK_PHASE = 0.25
"""The part of a beat after which the tick's snapshot is made and drawn."""
LATE_PHASE = 0.7
APART = 0.02
"""Where all but Redis begin, and from one turn to the next: a broker or two greet within it."""


def phase(at: int) -> float:
    """Which part of a beat the source at this place waits, so that no source's times hold the work of another.

    The first one, Redis, has the beat to itself until the tick is drawn. The others come late in it, when what they say
    is not much older than half a beat as the next tick shows it, and close together: a processor that has slept takes
    twice as long for the same work.

    >>> [round(phase(at), 2) for at in range(4)]
    [0.0, 0.7, 0.72, 0.74]
    """
    return 0.0 if at == 0 else LATE_PHASE + (at - 1) * APART


def turns(are_shared: Sequence[bool]) -> list[int]:
    """Each source's place in the beat: those whose milliseconds nobody looks at share one, where they wake us once.

    >>> turns([False, True, False, True])
    [0, 1, 2, 1]
    """
    places: list[int] = []
    taken = 0
    for at, is_shared in enumerate(are_shared):
        if is_shared and True in are_shared[:at]:
            places.append(places[are_shared.index(True)])
        else:
            places.append(taken)
            taken += 1
    return places


@dataclass(frozen=True, slots=True)
class Pace:
    """The timing of one source, as a value: each outcome makes the next."""

    interval_s: float
    deadline_s: float
    is_self_bounded: bool = False
    """It keeps its own deadlines within (one for each broker) and always answers: only `deadline_s` counts."""
    is_shared: bool = False
    """It is asked in one turn with the others of the kind, for how long it takes is not looked at."""
    failures: int = 0
    has_answered: bool = False

    def after(self, is_ok: bool) -> Pace:
        """The pace after one more attempt."""
        if is_ok:
            is_same = self.failures == 0 and self.has_answered
            return self if is_same else replace(self, failures=0, has_answered=True)
        return replace(self, failures=self.failures + 1)

    @property
    def pause_s(self) -> float:
        """From the start of the last attempt to the start of the next.

        >>> [Pace(interval_s=0.2, deadline_s=2.0, failures=count).pause_s for count in range(5)]
        [0.2, 0.5, 1.0, 1.5, 1.5]
        """
        if self.failures == 0:
            return self.interval_s
        grown_s = FIRST_BACK_OFF_S * 2.0 ** min(self.failures - 1, 10)
        return min(SLOWEST_S, max(self.interval_s, grown_s))

    def next_start(self, started: float, origin: float) -> float:
        """When to ask next. Healthy sources keep to a beat of their own, which began at `origin`.

        >>> Pace(1.0, 2.0).next_start(started=7.0, origin=0.0), Pace(1.0, 2.0).next_start(started=7.3, origin=0.0)
        (8.0, 8.0)
        >>> Pace(1.0, 2.0).next_start(started=7.7, origin=0.0), Pace(1.0, 2.0, failures=1).next_start(7.3, 0.0)
        (9.0, 8.3)
        """
        if self.failures:
            return started + self.pause_s
        beats = math.ceil((started - origin) / self.interval_s + 0.5 - EARLY)
        return origin + beats * self.interval_s

    @property
    def limit_s(self) -> float:
        """How long the next attempt may last.

        The very first may take its whole deadline: drivers are imported and connections made for it.
        """
        if self.is_self_bounded or (self.failures == 0 and not self.has_answered):
            return self.deadline_s
        return min(self.deadline_s, PATIENT_S if self.failures % PATIENT_EVERY == 0 else HURRIED_S)

    @property
    def overdue_s(self) -> float:
        """From when on the next attempt counts as no answer while it is still on its way."""
        if self.is_self_bounded or not self.has_answered:
            return self.limit_s
        return min(self.limit_s, HURRIED_S)

    @property
    def stale_after_s(self) -> float:
        """From which age on a value no longer stands for the present."""
        return max(4.0, 2 * self.interval_s + PATIENT_S)
