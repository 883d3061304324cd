"""What can be done: one row of the runbook, as every face shows it."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.plan import Danger


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One step that an operator can take."""

    id: str
    """kill_switch.engage"""
    step: str
    """Its name on the command line: kill-switch."""
    title: str
    summary: str
    section: str
    """3.1"""
    section_title: str
    section_key: str
    """The first key after Space: b."""
    key: str
    """The key after that: k."""
    danger: Danger
    parameters: tuple[tuple[str, str], ...] = ()
    """What the row gives the action to go by."""
