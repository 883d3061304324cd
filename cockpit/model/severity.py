"""How bad it is: the runbook's P1 to P4, and the two answers around them."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Ordered so that the worst is the smallest; UNKNOWN stands between P4 and OK."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4
    UNKNOWN = 5
    OK = 6

    @property
    def label(self) -> str:
        """The word on screen: P1, P2, P3, P4, unknown, OK."""
        return "unknown" if self is Severity.UNKNOWN else self.name
