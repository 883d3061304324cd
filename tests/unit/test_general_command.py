"""The general command against programs that are missing, slow, silent, noisy or rude."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec import structs

from actions.general import command
from actions.step import Output, Result, Stage
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.errors import Refused
from cockpit.jobs.action import variables_for
from cockpit.jobs.secrets import revealed
from cockpit.model.job import StepState
from cockpit.model.plan import Plan
from cockpit.storage.output import OUTPUT, OutputFile
from tests.unit.healthy import NOW, SETTINGS, snapshot
from tests.unit.test_journal import WHO

PYTHON = sys.executable


class Pile:
    def __init__(self) -> None:
        self.text = b""
        self.size = 0

        self.shortfall = ""

    def write(self, chunk: bytes) -> bytes:
        self.size += len(chunk)
        self.text = (self.text + chunk)[:100_000]
        return chunk

    def flush(self) -> bytes:
        return b""

    def aside(self) -> Pile:
        return Pile()


def planned(root: Path, *words: str, **parameters: Any) -> tuple[Settings, Plan]:
    ours = structs.replace(SETTINGS, root=root)
    told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    row = {"step": "probe-it", "title": "Probe it", "summary": "Ours.", "class": "disrupt"}
    return ours, command.plan(ours, WHO, {"command": json.dumps(words), **row, **told}, snapshot(), NOW)


def staged(ours: Settings, plan: Plan, pile: Output, said: list[str], **facts: Any) -> Stage:
    return Stage(
        ours, SystemClock(), WHO, plan, snapshot(), facts, pile, lambda words, fraction=None: said.append(words)
    )


async def ran(root: Path, *words: str, **parameters: Any) -> tuple[Result, Pile]:
    ours, plan = planned(root, *words, **parameters)
    pile = Pile()
    (step,) = command.steps(plan)
    return await step.perform(staged(ours, plan, pile, [])), pile


async def test_its_exit_code_is_the_result(tmp_path: Path) -> None:
    result, pile = await ran(tmp_path, "sh", "-c", "pwd; echo fine")
    assert (result.state, result.detail) == (StepState.DONE, "fine")
    assert pile.text.decode() == f"{tmp_path.resolve()}\nfine\n"
    result, _ = await ran(tmp_path, "sh", "-c", "echo no >&2; exit 3")
    assert (result.state, result.detail) == (StepState.FAILED, "ended with 3: no")
    result, _ = await ran(tmp_path, "sh", "-c", "exit 3", expect=[0, 3])
    assert result.state is StepState.DONE
    result, _ = await ran(tmp_path, "sh", "-c", "kill -9 $$")
    assert (result.state, result.detail) == (StepState.FAILED, "ended by signal 9")


async def test_a_silent_one_is_done_too(tmp_path: Path) -> None:
    result, pile = await ran(tmp_path, "true")
    assert (result.state, result.detail, pile.size) == (StepState.DONE, "it ended with 0", 0)


async def test_a_slow_one_is_ended(tmp_path: Path) -> None:
    result, _ = await ran(tmp_path, "sh", "-c", "echo begun; sleep 600", timeout_s=0.5)
    assert (result.state, result.detail) == (StepState.FAILED, "ended by us after 0.5 s: begun")


async def test_a_noisy_one_keeps_nothing_in_memory(tmp_path: Path) -> None:
    result, pile = await ran(
        tmp_path, PYTHON, "-c", "import sys\nfor _ in range(20): sys.stdout.write('x' * 10**6 + '\\n')"
    )
    assert result.state is StepState.DONE and pile.size == 20 * (10**6 + 1)
    assert len(result.detail) <= 200


async def test_escape_sequences_stay_text(tmp_path: Path) -> None:
    result, _ = await ran(tmp_path, "printf", r"\033[2J\033]0;owned\007red")
    assert "\x1b" not in result.detail and "red" in result.detail


async def test_what_is_not_there_or_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    for words in (("no-such-program",), ("./plain",)):
        _, plan = planned(tmp_path, *words)
        assert "program" in {check.name for check in plan.blocking}
        with pytest.raises(Refused, match="cannot run"):
            await ran(tmp_path, *words)
    _, plan = planned(tmp_path, "true", cwd="nowhere")
    assert "folder" in {check.name for check in plan.blocking}


async def test_only_named_variables_go_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK", "north")
    result, _ = await ran(tmp_path, "sh", "-c", "echo $DESK", env=["DESK"])
    assert result.detail == "north"
    _, plan = planned(tmp_path, "true", env=["UNSET_DESK"])
    assert "$UNSET_DESK" in {check.name for check in plan.blocking}


async def test_ssh_never_asks_and_its_own_failure_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ssh"
    fake.write_text('#!/bin/sh\necho "$@"\nexit ${SSH_CODE:-0}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    words = ("systemctl", "restart", "it's mine")
    result, _ = await ran(tmp_path, *words, on="jump2", cwd="/srv/a b")
    assert result.state is StepState.DONE
    assert result.detail == (
        "-T -o BatchMode=yes -o ConnectTimeout=10 -- jump2 "
        """cd '/srv/a b' && exec systemctl restart 'it'"'"'s mine'"""
    )
    monkeypatch.setenv("SSH_CODE", "255")
    result, _ = await ran(tmp_path, *words, on="jump2", env=["SSH_CODE"])
    assert result.state is StepState.UNKNOWN and "whether it ran is unknown" in result.detail


@pytest.mark.parametrize(
    ("code", "now", "later"),
    [
        (0, StepState.DONE, StepState.DONE),
        (1, StepState.RUNNING, StepState.FAILED),
        (7, StepState.UNKNOWN, StepState.UNKNOWN),
    ],
)
async def test_its_probe_tells_whether_it_is_done(tmp_path: Path, code: int, now: StepState, later: StepState) -> None:
    ours, plan = planned(tmp_path, "true", probe=["sh", "-c", f"echo seen; exit {code}"])
    stage = staged(ours, plan, Pile(), [])
    (proof,) = await command.judge(stage)
    assert proof.name in plan.proofs and proof.state is now and "seen" in proof.detail
    (step,) = command.steps(plan)
    assert (await step.look(stage)).state is later


async def test_without_a_probe_nobody_knows_what_became_of_it(tmp_path: Path) -> None:
    ours, plan = planned(tmp_path, "true")
    stage = staged(ours, plan, Pile(), [])
    (step,) = command.steps(plan)
    assert (await step.look(stage)).state is StepState.UNKNOWN
    assert (await command.judge(stage))[0].state is StepState.UNKNOWN
    assert (await command.judge(staged(ours, plan, Pile(), [], ended=0)))[0].state is StepState.DONE


async def test_no_secret_of_ours_is_told_by_a_command_or_its_probe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_DB", "postgres://ops:sw0rdfish@db/x")
    monkeypatch.setenv("DESK_KEY", "k3y-of-the-desk")
    script = "echo at $DESK_DB; echo sw0rdfish k3y-of-the-desk"
    ours, plan = planned(
        tmp_path, "sh", "-c", f"{script}; exit 3", probe=["sh", "-c", f"{script}; exit 7"], env=["DESK_DB", "DESK_KEY"]
    )
    output = OutputFile(tmp_path, revealed(ours, variables_for(command, plan)))
    said: list[str] = []
    stage = staged(ours, plan, output, said)
    (step,) = command.steps(plan)
    result, (proof,) = await step.perform(stage), await command.judge(stage)
    output.close()
    shown = [result.detail, proof.detail, *said, (tmp_path / OUTPUT).read_text()]
    assert "[secret] [secret]" in result.detail and "[secret] [secret]" in proof.detail
    assert not [words for words in shown if "sw0rdfish" in words or "k3y" in words]


async def test_where_it_has_a_probe_the_probe_has_the_last_word(tmp_path: Path) -> None:
    for script, words in (("exit 3", "ended with 3"), ("kill -9 $$", "ended by signal 9")):
        result, _ = await ran(tmp_path, "sh", "-c", script, probe=["true"])
        assert (result.state, result.detail) == (StepState.UNKNOWN, words)
    result, _ = await ran(tmp_path, "sleep", "600", timeout_s=0.1, probe=["true"])
    assert result.state is StepState.UNKNOWN


async def test_a_probe_is_heard_without_end_and_stopped_at_once(tmp_path: Path) -> None:
    ours, plan = planned(tmp_path, "true", probe=["sh", "-c", "yes"])
    stage = staged(ours, plan, Pile(), [])
    asyncio.get_running_loop().call_later(0.1, stage.stop.set)
    before = psutil.Process().memory_info().rss
    (proof,) = await command.judge(stage)
    assert (proof.state, proof.detail) == (StepState.UNKNOWN, "its probe was stopped")
    assert psutil.Process().memory_info().rss - before < 20 << 20
