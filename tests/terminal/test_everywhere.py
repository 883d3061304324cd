"""The end of the terminal, or of the cockpit, on every screen and in every kind of dialog: nothing typed is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load
from cockpit.jobs.operator import current_operator
from cockpit.model.severity import Severity
from cockpit.storage.audit import AuditLog
from cockpit.storage.incidents import Incidents, Opening
from tests.terminal.test_ends import IGNORES_HANGUP, is_restored
from tests.terminal.test_start_and_end import DEAD

TYPED = "the last words before the line dropped"


@dataclass(frozen=True, slots=True)
class Place:
    """Keys that lead somewhere, and what is to be seen there; each after the one before."""

    name: str
    steps: tuple[tuple[str, str], ...]


REPORT = Place("report", (("3", "saved"), ("\t", "leave the text"), (TYPED, TYPED)))
PLACES = (
    Place("runbook", (("2", "Broker outage"),)),
    Place("form", (("3", "saved"), ("r", "Roles"))),
    Place("jobs", (("6", "no job yet"),)),
    Place("audit", (("7", "hash"),)),
    Place("guard", (("K", "Cancel"),)),
    Place("chooser", ((" ", "section"),)),
    Place("palette", ((":", "Commands"),)),
    Place("help", (("?", "─ Help ─"),)),
    Place("zoom", (("\t", "Brokers"), ("z", "Brokers"))),
)
ENDS = ("closed", "ignored", signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Nothing answers, and an incident is open."""
    file = tmp_path / "cockpit.yaml"
    file.write_text(DEAD.format(root=tmp_path))
    Incidents(load(file).incidents_folder, "somebody").open(Opening("gateway", Severity.P2, "## Summary\n\n"))
    return file


@pytest.fixture
def start(config: Path) -> Iterator[Callable[[bool], PtyProgram]]:
    started: list[PtyProgram] = []

    def begin(is_hangup_ignored: bool) -> PtyProgram:
        before = IGNORES_HANGUP if is_hangup_ignored else ()
        started.append(PtyProgram([*before, sys.executable, "-m", "cockpit", "--config", str(config)]))
        return started[-1]

    yield begin
    for program in started:
        program.close()


def go(program: PtyProgram, place: Place) -> None:
    # The wall is there before what acts is: only with the operator's name there is something to close.
    who = current_operator().label
    program.until(lambda text: all(each in text for each in ("UNKNOWN", "nowhere", "refused", who)))
    for keys, seen in place.steps:
        program.send(keys)
        program.until(lambda text, seen=seen: seen in text)  # type: ignore[misc]


def end(program: PtyProgram, how: str | int) -> None:
    """And what must be true of every end."""
    if isinstance(how, int):
        os.kill(program.pid, how)
        assert program.wait() == 128 + how
        assert is_restored(program)
    else:
        program.hang_up()
        assert program.wait() == 129


def is_journal_true(config: Path) -> bool:
    """Whole, and the last word in it is that the cockpit was closed."""
    log = AuditLog(load(config).state)
    assert log.verify().is_sound
    return "closed" in [record.kind for record in log.tail(3)]


CASES = [(REPORT, how) for how in ENDS] + [(place, ENDS[at % len(ENDS)]) for at, place in enumerate(PLACES)]


@pytest.mark.parametrize(("place", "how"), CASES, ids=lambda value: getattr(value, "name", value))
def test_every_place_can_end(start: Callable[[bool], PtyProgram], config: Path, place: Place, how: str | int) -> None:
    program = start(how == "ignored")
    go(program, place)
    end(program, how)
    assert is_journal_true(config)
    if place is REPORT:
        (file,) = load(config).incidents_folder.glob("*.md")
        assert TYPED in file.read_text()
