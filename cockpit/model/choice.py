"""What may be chosen where a row of the runbook leaves a parameter open: `deployment: "?"`."""

from __future__ import annotations

from dataclasses import dataclass

OPEN = "?"
NONE_CHOSEN = "(none chosen)"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of one parameter."""

    name: str
    """The parameter: deployment."""
    value: str
    words: str
    """How it stands now: 2 of 2 pods ready."""
