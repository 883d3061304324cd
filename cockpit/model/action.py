"""What can be done: one row of the runbook, as every face shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cockpit.model.choice import OPEN
from cockpit.model.plan import Danger


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One step that an operator can take."""

    id: str
    """What does it, kill_switch.engage; several rows may name the same, with other parameters."""
    step: str
    """Its name, which no other row has: kill-switch."""
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
    """Parameters that this row fixes."""
    suggests: tuple[str, ...] = ()
    """The finding rules that this step answers."""
    overrides: tuple[str, ...] | None = None
    """The checks that may be overridden here; None: those that the action allows."""
    guards: tuple[str, ...] = ()
    """What this row asks for beyond the action: halted, reason, second."""
    selects: str = ""
    """The parameter that is chosen where there are several to choose from; with one there is nothing to ask."""
    is_aside: bool = False
    """A walk through the section passes it by: it takes back, clears up, or is for when another step cannot be."""
    place: str = field(default="", compare=False)
    """Where the row stands: runbook.yaml:12:7."""

    @property
    def keys(self) -> str:
        """What is pressed to open it: `Space b k`."""
        return f"Space {self.section_key} {self.key}"

    @property
    def asks(self) -> tuple[str, ...]:
        """The parameters that must be chosen each time."""
        return tuple(name for name, value in self.parameters if value == OPEN)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The parameters that a sheet may ask for before the dialog opens."""
        return (*self.asks, self.selects) if self.selects else self.asks

    @property
    def fixed(self) -> dict[str, str]:
        """The parameters that cannot be set otherwise."""
        return {name: value for name, value in self.parameters if value != OPEN}

    def answers(self, rule: str, subject: str) -> bool:
        """Whether a finding suggests it; it names a rule, or a rule/subject."""
        return rule in self.suggests or f"{rule}/{subject}" in self.suggests


def row_named(actions: Iterable[ActionSpec], name: str) -> ActionSpec | None:
    """The row by its step's name, else the first that names this action."""
    rows = tuple(actions)
    by_step = next((row for row in rows if row.step == name), None)
    return by_step or next((row for row in rows if row.id == name), None)
