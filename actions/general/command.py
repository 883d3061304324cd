"""Any command of a fund's own runbook: on this host or by ssh on another, its exit code the result."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from actions.checks import FAIL, PASS
from actions.general.planning import ENDED, general_plan
from actions.script.command import environment
from actions.script.said import Said
from actions.step import Result, Stage, Step
from cockpit.clients.programs import Ended, run_program
from cockpit.config import Settings
from cockpit.errors import Refused
from cockpit.model.audit import Operator
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.text import clean

ID = "general.command"
EVIDENCE = frozenset({"kill_switch"})
TIMEOUT_S = 60.0
MARGIN_S = 10.0
CONNECT_S = 10
PROBE_S = 10.0
PROVE_S = 30.0
SSH_FAILED = 255
"""ssh's own exit code, also where it lost the connection half-way."""
PROBED = "its probe says that it is done"
DONE, FAILED, UNKNOWN, RUNNING = StepState.DONE, StepState.FAILED, StepState.UNKNOWN, StepState.RUNNING


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """The command as its row writes it."""
    words, host = _words(parameters, "command") or ("(no command)",), parameters.get("on")
    command = shlex.join(_argv(parameters, words))
    where = f"on {host}" if host else "on this host"
    folder = parameters.get("cwd") or (str(settings.root) if not host else "the login's own folder")
    step = PlanStep(f"{words[0]} run {where}", command, command if host else f"cd {shlex.quote(folder)} && {command}")
    impact = (
        f"{where}, in {folder}, at most {_timeout_s(parameters):g} s",
        f"exit codes that count as success: {', '.join(map(str, _expected(parameters)))}",
    )
    is_probed = "probe" in parameters
    proofs = (PROBED,) if is_probed else (ENDED,)
    checks = _checks(settings, parameters, words, snapshot)
    return general_plan(ID, settings, parameters, now, step, checks, impact, proofs, PROVE_S if is_probed else 5.0)


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one command."""
    return (_Run(dict(plan.parameters)),)


class _Run(Step):
    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._timeout_s = _timeout_s(parameters)
        self.deadline_s = self._timeout_s + MARGIN_S

    async def perform(self, stage: Stage) -> Result:
        """To its end, or to the end of its time."""

        said, output = Said(), stage.output

        def take(piece: bytes) -> bytes:
            shown = output.write(piece)
            line = said.hear(shown)
            if line is not None:
                stage.tell(line)
            return shown

        parameters, settings = self._parameters, stage.settings
        argv = _argv(parameters, _words(parameters, "command"))
        folder = _folder(settings, parameters)
        ended = await run_program(argv, folder, _environment(settings, parameters), take, self._timeout_s, stage.locks)
        said.hear(output.flush())
        return self._result(ended, said.last_line)

    def _result(self, ended: Ended, last_line: str) -> Result:
        last, is_remote = f": {last_line}" if last_line else "", "on" in self._parameters
        if is_remote and ended.code == SSH_FAILED:
            return Result(UNKNOWN, f"ssh failed{last}; whether it ran is unknown")
        if not ended.is_late and ended.code in _expected(self._parameters):
            return Result(DONE, last_line or f"it ended with {ended.code}", {"ended": ended.code})
        how = f"ended by signal {-ended.code}" if ended.code < 0 else f"ended with {ended.code}"
        how = f"ended by us after {self._timeout_s:g} s" if ended.is_late else how
        if is_remote and ended.is_late:
            return Result(UNKNOWN, f"{how}{last}; it may go on over there")
        # Where it has a probe, that tells what was done, not the way in which the program ended.
        return Result(UNKNOWN if "probe" in self._parameters else FAILED, f"{how}{last}")

    async def look(self, stage: Stage) -> Result:
        """What its probe says; without one nobody knows."""
        if "probe" not in self._parameters:
            return Result(UNKNOWN, "this step has no probe that could tell whether it was done")
        state, words = await _probed(stage, self._parameters)
        return Result(FAILED if state is RUNNING else state, words)


async def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Its probe, else its exit code."""
    parameters = dict(stage.plan.parameters)
    if "probe" in parameters:
        state, words = await _probed(stage, parameters)
        return (JobStep(PROBED, state, words),)
    if "ended" in stage.facts:
        return (JobStep(ENDED, DONE, f"with {stage.facts['ended']}"),)
    return (JobStep(ENDED, UNKNOWN, "nobody saw how it ended"),)


def variables(plan: Plan) -> tuple[str, ...]:
    """What the row names of our environment."""
    return _words(dict(plan.parameters), "env")


async def _probed(stage: Stage, parameters: Mapping[str, str]) -> tuple[StepState, str]:
    """Exit code 0: done, 1: not done (yet), anything else: not known."""
    said, output = Said(), stage.output.aside()

    def take(piece: bytes) -> bytes:
        shown = output.write(piece)
        said.hear(shown)
        return shown

    argv, around = _argv(parameters, _words(parameters, "probe")), _environment(stage.settings, parameters)
    try:
        ended = await run_program(argv, _folder(stage.settings, parameters), around, take, PROBE_S, stop=stage.stop)
    except Refused as error:
        return UNKNOWN, f"its probe cannot be run: {error}"
    said.hear(output.flush())
    if ended.is_stopped:
        return UNKNOWN, "its probe was stopped"
    if ended.is_late:
        return UNKNOWN, f"its probe did not end within {PROBE_S:g} s"
    words = f"its probe ended with {ended.code}" + (f": {clean(said.last_line, 120)}" if said.last_line else "")
    return {0: DONE, 1: RUNNING}.get(ended.code, UNKNOWN), words


def _argv(parameters: Mapping[str, str], words: Sequence[str]) -> tuple[str, ...]:
    """The command itself, or ssh that never asks anything and has the other side's shell read it word by word."""
    host = parameters.get("on")
    if host is None:
        return tuple(words)
    remote = shlex.join(words)
    if "cwd" in parameters:
        remote = f"cd {shlex.quote(parameters['cwd'])} && exec {remote}"
    sent = [part for name in _words(parameters, "env") for part in ("-o", f"SendEnv={name}")]
    options = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}", *sent)
    return ("ssh", *options, "--", host, remote)


def _words(parameters: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(json.loads(parameters.get(name, "[]")))


def _expected(parameters: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(json.loads(parameters.get("expect", "[0]")))


def _timeout_s(parameters: Mapping[str, str]) -> float:
    return float(parameters.get("timeout_s", TIMEOUT_S))


def _folder(settings: Settings, parameters: Mapping[str, str]) -> Path:
    return settings.root if "on" in parameters else settings.below_root(Path(parameters.get("cwd", ".")))


def _environment(settings: Settings, parameters: Mapping[str, str]) -> dict[str, str]:
    """As the platform's own programs have it, and what the row names of ours."""
    ours = {name: os.environ[name] for name in _words(parameters, "env") if name in os.environ}
    return {**environment(settings), **ours}


def _checks(
    settings: Settings, parameters: Mapping[str, str], words: Sequence[str], snapshot: Snapshot
) -> Iterator[Check]:
    program = "ssh" if "on" in parameters else words[0]
    folder = _folder(settings, parameters)
    yield Check("folder", PASS if folder.is_dir() else FAIL, f"{folder}{'' if folder.is_dir() else ' is not there'}")
    path = environment(settings).get("PATH")
    found = shutil.which(program if os.sep not in program else str(folder / program), path=path)
    yield (
        Check("program", PASS, found) if found else Check("program", FAIL, f"{program} is not there, or not executable")
    )
    for name in _words(parameters, "env"):
        if name not in os.environ:
            yield Check(f"${name}", FAIL, "is not set here", is_overridable=True)
