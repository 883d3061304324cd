"""A program as a step: whatever it does there is one clear verdict, and nothing of a secret in it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from actions.script import command as commands
from actions.script.command import Command, command_step, environment, program_check
from actions.script.flatten import _Flatten as Flatten
from actions.step import Result, Stage
from cockpit.clock import SystemClock
from cockpit.config import Settings
from cockpit.jobs.secrets import revealed
from cockpit.model.danger import Danger
from cockpit.model.job import StepState
from cockpit.model.plan import Plan, Verdict
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.parts import parsed
from cockpit.storage.output import OUTPUT, OutputFile
from tests.unit.test_journal import WHO

DONE, FAILED, UNKNOWN = StepState.DONE, StepState.FAILED, StepState.UNKNOWN
SECRET = "sw0rd/fish"


class Desk:
    """One program on a platform of its own."""

    def __init__(self, folder: Path, **scripts: Any) -> None:
        secret = folder / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        redis = {"url": "redis://127.0.0.1:1/0", "password": {"file": str(secret)}}
        raw = {"site": "t", "world": "SANDBOX", "root": folder, "redis": redis, "scripts": scripts}
        self.settings = parsed(Settings, raw)
        self.folder = folder
        self.told: list[tuple[str, float | None]] = []
        self.stop = asyncio.Event()
        self.output = OutputFile(folder, revealed(self.settings))

    async def run(self, *command: str, timeout_s: float = 60.0, kind: type[Command] = Command) -> Result:
        step = command_step("it", command, timeout_s)
        plan = Plan("a.b", "A", "a", World.SANDBOX, "t", "x", Danger.DISRUPT, (), (step,), (), (), (), 1.0, "")
        plan = Plan(**{**{name: getattr(plan, name) for name in plan.__slots__}, "is_cancellable": True})
        snapshot = Snapshot(0, 0.0, World.SANDBOX, "t")
        tell = lambda words, fraction=None: self.told.append((words, fraction))  # noqa: E731
        stage = Stage(self.settings, SystemClock(), WHO, plan, snapshot, {}, self.output, tell, (), self.stop)
        try:
            return await kind(plan, 0).perform(stage)
        finally:
            self.output.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("line", "state", "words"),
    [
        ("exit 0", DONE, "it ended with 0"),
        ("echo all good", DONE, "all good"),
        ("echo bad >&2; exit 3", FAILED, "ended with 3: bad"),
        ("kill -9 $$", FAILED, "ended by signal 9"),
        ("printf '\\033[2J\\033]0;x\\007end\\n'; exit 1", FAILED, "ended with 1: ␛[2J␛]0;x␇end"),
        ("echo the password is sw0rd/fish", DONE, "the password is [secret]"),
        ("echo at redis://:sw0rd%2Ffish@x; exit 2", FAILED, "ended with 2: at redis://:[secret]@x"),
        ("printf '%190ssw0rd/fish' x", DONE, "[secret]"),
    ],
)
async def test_the_verdict(desk: Desk, line: str, state: StepState, words: str) -> None:
    result = await desk.run("sh", "-c", line)
    assert result.state is state
    assert result.detail.startswith(words) or (words == "[secret]" and "sw0" not in result.detail), result.detail


async def test_what_is_slow_and_silent_is_ended_in_its_time(desk: Desk) -> None:
    result = await desk.run("sleep", "600", timeout_s=0.5)
    assert (result.state, result.detail) == (FAILED, "ended by us after 0.5 s")


async def test_what_is_stopped_says_so_and_its_last_words_are_heard(desk: Desk) -> None:
    code = "trap 'echo half done; exit 1' TERM; echo ready; while :; do sleep 0.05; done"
    running = asyncio.ensure_future(desk.run("sh", "-c", code))
    async with asyncio.timeout(30.0):
        while not desk.told:
            await asyncio.sleep(0.02)
    desk.stop.set()
    result = await running
    assert (result.state, result.is_stopped, result.detail) == (FAILED, True, "stopped before its end: half done")


@pytest.mark.parametrize("limits", [{"most_bytes": 1 << 20}, {"floor_bytes": 1 << 60}])
async def test_100_mb_end_neither_the_disk_nor_the_program(desk: Desk, limits: dict[str, int]) -> None:
    desk.output = OutputFile(desk.folder, revealed(desk.settings), **limits)
    before = psutil.Process().memory_info().rss
    result = await desk.run("sh", "-c", "yes 0123456789abcdef | head -c 104857600; echo; echo over")
    assert result.state is DONE and result.detail.startswith("over (output not kept: ")
    assert psutil.Process().memory_info().rss - before < 20 << 20
    kept = (desk.folder / OUTPUT).stat().st_size if (desk.folder / OUTPUT).exists() else 0
    assert kept < (2 << 20)
    assert f"{100 * (1 << 20) + 6 - kept:,}"[:4] in result.detail


async def test_a_disk_that_refuses_costs_the_output_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cockpit.storage.output.os.write", refuse)
    result = await desk.run("sh", "-c", "echo one; echo two")
    assert result.state is DONE
    assert result.detail == "two (output not kept: no space left on device; 8 bytes of it are missing)"


async def test_only_whole_lines_are_progress(desk: Desk) -> None:
    class Counting(Command):
        def progress(self, line: str, stage: object) -> tuple[str, float | None]:
            return line, commands.counted(line)

    await desk.run("sh", "-c", "printf 'progress: 5'; sleep 0.3; printf '0 of 200 rows\\nlast'", kind=Counting)
    assert desk.told == [("progress: 50 of 200 rows", 0.25)]


def test_a_program_is_told_little_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("LC_TIME", "C")
    monkeypatch.setenv("BOOK", "main")
    desk = Desk(tmp_path, env=("BOOK",), path=(tmp_path,))
    found = environment(desk.settings)
    assert {"BOOK", "LC_TIME", "PATH"} <= found.keys() and "AWS_SECRET_ACCESS_KEY" not in found
    assert found["TERM"] == "dumb" and found["PATH"].startswith(f"{tmp_path}{os.pathsep}")
    assert found["REDIS_URL"] == "redis://:sw0rd%2Ffish@127.0.0.1:1/0"


def test_what_cannot_be_run_is_said_in_the_plan(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "x.py").write_text("")
    settings = Desk(tmp_path, path=(tmp_path,)).settings

    def told(*command: str) -> tuple[Verdict, str]:
        check = program_check(settings, command)
        return check.verdict, check.detail

    assert told("no-such-program", "x.py")[0] is Verdict.FAIL
    assert "is in no folder of PATH" in told("no-such-program")[1]
    assert told("tool") == (Verdict.FAIL, f"{tmp_path}/tool is not executable")
    assert told("./tool") == (Verdict.FAIL, f"{tmp_path}/tool is not executable")
    assert told("./none") == (Verdict.FAIL, "./none is not there")
    assert told("sh", "y.py") == (Verdict.FAIL, f"y.py is not in {tmp_path}")
    assert told("sh", "x.py") == (Verdict.PASS, f"x.py in {tmp_path}")
    (tmp_path / "tool").chmod(0o700)
    assert told("tool")[0] is told("./tool")[0] is Verdict.PASS


@pytest.mark.parametrize(("line", "timeout_s"), [("kill -9 $$", 60.0), ("sleep 600", 0.1)])
async def test_orders_of_a_flattening_that_was_cut_off_may_be_in_flight(
    desk: Desk, line: str, timeout_s: float
) -> None:
    result = await desk.run("sh", "-c", line, timeout_s=timeout_s, kind=Flatten)
    assert result.state is UNKNOWN
    assert (await desk.run("sh", "-c", line, timeout_s=timeout_s)).state is FAILED
