"""The general step: one program of the platform, from its root, its output on disk, its exit code the result."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from actions.checks import FAIL, PASS
from actions.step import Result, Stage, Step
from cockpit.clients.programs import run_program
from cockpit.config import RedisPart, Settings
from cockpit.model.job import StepState
from cockpit.model.plan import Check, Plan, PlanStep

READ_BYTES = 1 << 16
"""So much of the output is looked at, and its last line; all of it is on disk."""
MARGIN_S = 10.0


class Command(Step):
    """Runs what stands in the plan: what was confirmed, to the letter."""

    def __init__(self, plan: Plan, index: int, timeout_s: float) -> None:
        self._command = tuple(shlex.split(plan.steps[index].command))
        self._timeout_s = timeout_s
        self.deadline_s = timeout_s + MARGIN_S

    async def perform(self, stage: Stage) -> Result:
        """To its end, or to the end of its time."""

        said = bytearray()

        def take(piece: bytes) -> None:
            stage.output.write(piece)
            said.extend(piece[: max(0, READ_BYTES - len(said))])
            lines = piece.decode("utf-8", "replace").splitlines()
            if lines and lines[-1].strip():
                stage.tell(lines[-1])

        ended = await run_program(
            self._command, stage.settings.root, environment(stage.settings), take, self._timeout_s, stage.locks
        )
        last = f": {ended.last_line}" if ended.last_line else ""
        if ended.is_late:
            return Result(StepState.FAILED, f"ended by us after {self._timeout_s:.0f} s{last}")
        if ended.code == 0:
            facts = self.read(f"{said.decode('utf-8', 'replace')}\n{ended.last_line}")
            return Result(StepState.DONE, ended.last_line or "it ended with 0", facts)
        how = f"ended by signal {-ended.code}" if ended.code < 0 else f"ended with {ended.code}"
        return Result(StepState.FAILED, f"{how}{last}")

    def read(self, said: str) -> dict[str, Any]:
        """What the proofs need of the beginning of its output and of its last line."""
        return {}


def command_step(meaning: str, command: Sequence[str]) -> PlanStep:
    """The step of a plan; by hand it is the same line in the platform's root."""
    return PlanStep(meaning, shlex.join(command), shlex.join(command))


def program_check(settings: Settings, command: Sequence[str]) -> Check:
    """Whether what would be run is there."""
    script = next((word for word in command[1:] if word.endswith(".py")), None)
    if script is None or (settings.root / script).is_file():
        return Check("program", PASS, f"{script or command[0]} in {settings.root}")
    return Check("program", FAIL, f"{script} is not in {settings.root}")


def environment(settings: Settings) -> dict[str, str]:
    """Ours, with the folders of the configuration first on PATH and Redis' address where the programs look for it."""
    found: dict[str, Any] = dict(os.environ)
    folders = [str(folder) for folder in settings.scripts.path]
    found["PATH"] = os.pathsep.join([*folders, found.get("PATH", os.defpath)])
    found["PYTHONUNBUFFERED"] = "1"
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
