"""The general step: one program of the platform, from its root, its output on disk, its exit code the result."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from actions.checks import FAIL, PASS
from actions.script.said import Said
from actions.step import Result, Stage, Step
from cockpit.clients.programs import Ended, run_program
from cockpit.config import RedisPart, Settings
from cockpit.model.job import StepState
from cockpit.model.plan import Check, Plan, PlanStep

MARGIN_S = 10.0
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR")
"""All that a program is told of our environment, beside LC_*: the rest may hold secrets."""
PROGRESS = "progress: "
"""How a program begins a line that says how far it is: `progress: 30,000 of 120,000 events`."""
COUNTED = re.compile(r"([\d,]+) of ([\d,]+)")


class Command(Step):
    """Runs what stands in the plan: what was confirmed, to the letter."""

    cut_off = StepState.FAILED
    """What is known of it once it was ended before its end: left half done, it is not done."""

    def __init__(self, plan: Plan, index: int, timeout_s: float | None = None) -> None:
        self._command = tuple(shlex.split(plan.steps[index].command))
        self._timeout_s = timeout_s or plan.steps[index].timeout_s or self.deadline_s
        self.deadline_s = self._timeout_s + MARGIN_S

    async def perform(self, stage: Stage) -> Result:
        """To its end, or to the end of its time, or until somebody stops it where that does no harm."""
        said, output = Said(), stage.output

        def take(piece: bytes) -> bytes:
            shown = output.write(piece)
            line = said.hear(shown)
            if line is not None:
                stage.tell(*self.progress(line, stage))
            return shown

        ended = await run_program(
            self._command,
            stage.settings.root,
            {**environment(stage.settings), **self.variables(stage.settings)},
            take,
            self._timeout_s,
            stage.locks,
            stage.stop if stage.plan.is_cancellable else None,
        )
        said.hear(output.flush())
        return self._result(ended, said, f" ({output.shortfall})" if output.shortfall else "")

    def _result(self, ended: Ended, said: Said, shortfall: str) -> Result:
        shown = (self.failed(said.end) if ended.code else "") or said.last_line
        last = f": {shown}" if shown else ""
        if ended.is_stopped:
            return Result(StepState.FAILED, f"stopped before its end{last}{shortfall}", is_stopped=True)
        if ended.is_late:
            return Result(self.cut_off, f"ended by us after {self._timeout_s:g} s{last}{shortfall}")
        if ended.code == 0:
            return Result(StepState.DONE, (said.last_line or "it ended with 0") + shortfall, self.read(said.text))
        if ended.code < 0:
            return Result(self.cut_off, f"ended by signal {-ended.code}{last}{shortfall}")
        return Result(StepState.FAILED, f"ended with {ended.code}{last}{shortfall}")

    def variables(self, settings: Settings) -> dict[str, str]:
        """What it is told besides by its environment: a program that does not know them is none the worse for it."""
        return {}

    def failed(self, end: str) -> str:
        """What is to be said of the end of its output where it failed, in place of its last line."""
        return ""

    def progress(self, line: str, stage: Stage) -> tuple[str, float | None]:
        """What a line says of how far it is: in words, and as a fraction where it is one of progress."""
        return line.removeprefix(PROGRESS), counted(line)

    def read(self, said: str) -> dict[str, Any]:
        """What the proofs need of the beginning of its output and of its last line."""
        return {}


def counted(line: str) -> float | None:
    """The fraction in a line of progress.

    >>> counted("progress: 30,000 of 120,000 events verified")
    0.25
    >>> counted("progress: nothing")
    """
    found = COUNTED.search(line) if line.startswith(PROGRESS) else None
    if found is None:
        return None
    done, whole = (int(number.replace(",", "") or 0) for number in found.groups())
    return done / whole if whole else None


def command_step(meaning: str, command: Sequence[str], timeout_s: float | None = None) -> PlanStep:
    """The step of a plan; by hand it is the same line in the platform's root."""
    return PlanStep(meaning, shlex.join(command), shlex.join(command), timeout_s)


def program_check(settings: Settings, command: Sequence[str]) -> Check:
    """Whether what would be run is there, may be run, and its script too."""
    try:
        return _program_check(settings, command)
    except OSError as error:
        return Check("program", FAIL, f"{error.filename or command[0]} cannot be looked at: {error.strerror}")


def _program_check(settings: Settings, command: Sequence[str]) -> Check:
    problem = _program_problem(settings, command[0])
    if problem:
        return Check("program", FAIL, problem)
    script = next((word for word in command[1:] if word.endswith(".py")), None)
    if script is None or os.access(settings.root / script, os.R_OK):
        return Check("program", PASS, f"{script or command[0]} in {settings.root}")
    is_there = (settings.root / script).exists()
    return Check("program", FAIL, f"{script} {'cannot be read' if is_there else 'is not'} in {settings.root}")


def _program_problem(settings: Settings, name: str) -> str:
    """Why the program cannot be run, looked for where it will be; empty where it can."""
    folders = environment_path(settings).split(os.pathsep)
    if os.sep in name:
        places = [settings.root / name]
        found = which(places[0])
    else:
        places = [Path(folder) / name for folder in folders]
        found = which(name, path=os.pathsep.join(folders))
    if found is not None:
        return ""
    present = next((place for place in places if place.is_file()), None)
    if present is not None:
        return f"{present} is not executable"
    return f"{name} is not there" if os.sep in name else f"{name} is in no folder of PATH ({os.pathsep.join(folders)})"


def environment_path(settings: Settings) -> str:
    """The folders of the configuration first."""
    return os.pathsep.join([*map(str, settings.scripts.path), os.environ.get("PATH", os.defpath)])


def environment(settings: Settings) -> dict[str, str]:
    """The little of ours that a program needs, what the configuration lets through, and Redis' address."""
    names = {*KEPT, *settings.scripts.env}
    found = {name: value for name, value in os.environ.items() if name in names or name.startswith("LC_")}
    found |= {"PATH": environment_path(settings), "TERM": "dumb", "PYTHONUNBUFFERED": "1"}
    if settings.redis is not None:
        found["REDIS_URL"] = _address(settings.redis)
    return found


def _address(part: RedisPart) -> str:
    """With the password: in the environment only this program sees it."""
    if part.password is None:
        return part.url
    parts = urlsplit(part.url)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(part.password.reveal(), safe='')}@{host}"))
