"""The runbook's sections: which one answers a finding, what it is called, and which keys lead there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cockpit.model.finding import Finding

if TYPE_CHECKING:
    from cockpit.model.action import ActionSpec

BROKER = "3.1"
FEED = "3.2"
REDIS = "3.3"
POSTGRES = "3.4"
RISK = "3.5"
PLATFORM = "4"

RELEASE, BACK = "kill_switch.release", "reroute.back"

TITLES: Mapping[str, str] = {
    BROKER: "Broker outage",
    FEED: "Data feed failure",
    REDIS: "Redis crash",
    POSTGRES: "Postgres crash",
    RISK: "Risk breach",
    PLATFORM: "Platform and alerts",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A section that has steps in the action catalogue."""

    title: str
    keys: str
    """`Space b`."""
    answers: frozenset[str] = frozenset()
    """Findings that a step of it names: by rule, or by rule/subject."""
    release: str | None = None
    """The keys of its step that releases the kill switch."""
    back: str | None = None
    """The keys of its step that gives a broker its orders back."""


Sections = Mapping[str, Section]


def from_actions(actions: Iterable[ActionSpec]) -> dict[str, Section]:
    """The sections that an operator can reach by keys."""
    rows = tuple(actions)
    return {
        spec.section: Section(
            spec.section_title,
            f"Space {spec.section_key}",
            frozenset(name for row in rows if row.section == spec.section for name in row.suggests),
            next((row.keys for row in rows if row.section == spec.section and row.id == RELEASE), None),
            next((row.keys for row in rows if row.section == spec.section and row.id == BACK), None),
        )
        for spec in rows
    }


def answering(finding: Finding, sections: Sections) -> str | None:
    """The section that a step puts forward for this very finding, else that of its rule, else one for any like it."""
    exact = f"{finding.rule}/{finding.subject}"
    by_subject = (number for number, one in sections.items() if exact in one.answers)
    by_rule = (number for number, one in sections.items() if finding.rule in one.answers)
    return next(by_subject, None) or finding.section or next(by_rule, None)


def release(sections: Sections) -> str | None:
    """The keys of the step that releases the kill switch; None where no step does."""
    return next((one.release for one in sections.values() if one.release), None)


def back(sections: Sections) -> str | None:
    """The keys of the step that gives a broker its orders back; None where no step does."""
    return next((one.back for one in sections.values() if one.back), None)


def title(number: str | None, sections: Sections) -> str | None:
    """What the section is called; None without a number."""
    if number is None:
        return None
    section = sections.get(number)
    return section.title if section else TITLES.get(number)


def keys(number: str | None, sections: Sections) -> str | None:
    """The keys that lead there; None where no step exists."""
    section = sections.get(number) if number else None
    return section.keys if section else None
