"""What the checks of a plan do not see: one question about the surroundings, and which steps it concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cockpit.model.action import ActionSpec
from cockpit.model.plan import Check, Verdict

Concerns = Callable[[ActionSpec], bool]


def nobody(row: ActionSpec) -> bool:
    """It concerns no single step: it stands for itself."""
    return False


@dataclass(frozen=True, slots=True)
class Look:
    """One answer."""

    check: Check
    advice: str = ""
    concerns: Concerns = nobody
    is_told: bool = False
    """Whether it is worth a word also where all is well."""

    @property
    def is_shared(self) -> bool:
        """Whether it has a line of its own."""
        return self.concerns is nobody


def passed(name: str, detail: str, concerns: Concerns = nobody, is_told: bool = False) -> Look:
    """As it should be."""
    return Look(Check(name, Verdict.PASS, detail), "", concerns, is_told)


def warned(name: str, detail: str, advice: str, concerns: Concerns = nobody) -> Look:
    """It works, and not as well as it could."""
    return Look(Check(name, Verdict.WARN, detail), advice, concerns)


def failed(name: str, detail: str, advice: str, concerns: Concerns = nobody) -> Look:
    """It would not work."""
    return Look(Check(name, Verdict.FAIL, detail), advice, concerns)


def unknown(name: str, detail: str, advice: str, concerns: Concerns = nobody) -> Look:
    """Nobody could say."""
    return Look(Check(name, Verdict.UNKNOWN, detail), advice, concerns)


def of(*actions: str) -> Concerns:
    """The steps that these actions do; one that ends in a dot names all of its room."""

    def concerns(row: ActionSpec) -> bool:
        return any(row.id.startswith(each) if each.endswith(".") else row.id == each for each in actions)

    return concerns
