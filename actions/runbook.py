"""The runbook in force: the one that is built in, with a fund's own sections and steps added or put in their place."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from actions.catalogue import ACTIONS, KNOWN, Own, load_own
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.action import ActionSpec
from cockpit.model.danger import Danger

HALT = "kill_switch.engage"
HTTP = "general.http"
SAFE = ("GET", "HEAD")
NEEDED = (HALT, "kill_switch.release")
"""Without these there is no cockpit."""


@dataclass(frozen=True, slots=True)
class Runbook:
    """Every step that can be taken here."""

    actions: tuple[ActionSpec, ...]
    problem: str = ""
    """Why the fund's own file is not used; empty where it is, or where there is none."""


def runbook_for(settings: Settings) -> Runbook:
    """Never an error: with a wrong file of the fund the built-in runbook stays."""
    if settings.runbook is None:
        return Runbook(ACTIONS)
    try:
        return Runbook(read_own(settings.below_root(settings.runbook)))
    except ConfigError as error:
        return Runbook(ACTIONS, str(error))


def read_own(file: Path) -> tuple[ActionSpec, ...]:
    """All steps, with those of the fund's file in their places.

    Raises:
        ConfigError: the file is wrong; the text names file, line and column.
    """
    own = load_own(file)
    if file.stat().st_mode & stat.S_IWOTH:
        raise ConfigError(f"{file}:1:1: everybody may write it, so nobody knows whose steps these are: chmod o-w")
    return merged(ACTIONS, own)


def merged(base: tuple[ActionSpec, ...], own: Own) -> tuple[ActionSpec, ...]:
    """A step of the same name is replaced where it stands, one with a new name goes to its section's end.

    Raises:
        ConfigError: two rows want the same keys, or a step would lose its guards.
    """
    rows = [row for row in base if row.section not in own.replaced]
    for row in own.rows:
        _same_danger(row)
        _nothing_before_a_halt(row)
        _looks_only(row)
        rows = _placed(rows, row)
    heads = {row.section: row for row in own.rows}
    rows = [_headed(row, heads.get(row.section, row)) for row in rows]
    _check_keys(rows)
    for action in NEEDED:
        if all(row.id != action for row in rows):
            raise ConfigError(f"{own.file}:1:1: no step of {action} would be left: it may be moved, not taken away")
    return tuple(rows)


def _placed(rows: list[ActionSpec], new: ActionSpec) -> list[ActionSpec]:
    at = next((index for index, row in enumerate(rows) if row.step == new.step), None)
    if at is not None and rows[at].section == new.section:
        return [*rows[:at], new, *rows[at + 1 :]]
    rows = [row for row in rows if row.step != new.step]
    end = max((index + 1 for index, row in enumerate(rows) if row.section == new.section), default=len(rows))
    return [*rows[:end], new, *rows[end:]]


def _headed(row: ActionSpec, head: ActionSpec) -> ActionSpec:
    return replace(row, section_title=head.section_title, section_key=head.section_key)


def _same_danger(row: ActionSpec) -> None:
    """A known action keeps its class: no file turns a dangerous step into a harmless one."""
    if row.id in KNOWN:
        usual = next((one for one in ACTIONS if one.id == row.id), None)
        if usual is not None and usual.danger is not row.danger:
            raise ConfigError(f"{row.place}: {row.id} is of class {usual.danger}, not {row.danger}")


def _nothing_before_a_halt(row: ActionSpec) -> None:
    """Whoever wants to stop trading is asked for nothing: no phrase, no reason, nobody else."""
    if row.id == HALT and row.guards:
        raise ConfigError(f"{row.place}: {HALT} takes no guards: nothing may stand before a halt")


def _looks_only(row: ActionSpec) -> None:
    """What only looks is taken without a question: nobody could give what a guard asks for, and nothing may change."""
    if row.danger is not Danger.OBSERVE:
        return
    if row.guards:
        raise ConfigError(f"{row.place}: a step of class observe takes no guards: it is taken without a question")
    method = dict(row.parameters).get("method", "GET")
    if row.id == HTTP and method not in SAFE:
        raise ConfigError(f"{row.place}: {method} changes something: a step of class observe takes {' or '.join(SAFE)}")


def _check_keys(rows: Iterable[ActionSpec]) -> None:
    sections: dict[str, ActionSpec] = {}
    steps: dict[tuple[str, str], ActionSpec] = {}
    for row in rows:
        first = sections.setdefault(row.section_key, row)
        if first.section != row.section:
            raise _clash(first, row, f"section key {row.section_key}")
        other = steps.setdefault((row.section_key, row.key), row)
        if other is not row:
            raise _clash(other, row, f"step key {row.section_key} {row.key}")


def _clash(one: ActionSpec, other: ActionSpec, what: str) -> ConfigError:
    """Told at the fund's row, whichever comes first."""
    built_in = {row.place for row in ACTIONS}
    ours, theirs = (one, other) if one.place not in built_in else (other, one)
    return ConfigError(f"{ours.place}: {what} of {ours.step} is taken by {theirs.step}, {Path(theirs.place).name}")
