"""Steps of a fund's own runbook, taken as any other: by a worker, journaled, proven, looked for after its death."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec import structs

from cockpit.errors import Rejected
from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Confirmation, Verdict
from cockpit.sandbox.layout import Layout
from cockpit.storage.output import OUTPUT, last_output
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import ENDS, StepDesk, opened, opened_with, told

OWN = """\
sections:
  - section: "9"
    title: Our own
    key: o
    steps:
      - {action: general.command, name: mark, key: m, title: Leave a mark, summary: Ours., danger: disrupt,
         parameters: {command: [sh, -c, "echo marked; touch FOLDER/mark"], probe: [test, -e, FOLDER/mark]}}
      - {action: general.command, name: hang, key: h, title: Hang, summary: Ours., danger: protect,
         parameters: {command: [sleep, "5"], timeout_s: 60}}
      - {action: general.command, name: rude, key: r, title: Be rude, summary: Ours., danger: protect,
         parameters: {command: [sh, rude.sh], cwd: FOLDER, timeout_s: 120}}
      - {action: general.command, name: careful, key: c, title: Only when halted, summary: Ours., danger: protect,
         guards: [halted, reason], parameters: {command: ["true"]}}
"""
RUDE = r"""while [ ! -e go ]; do sleep 0.05; done
head -c 104857600 /dev/zero | tr '\0' x
printf '\n\033[2J\033]0;owned\007red\n'
exit 3
"""


@pytest.fixture(scope="module")
def own(sandbox: tuple[Layout, Control], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StepDesk, Path]]:
    folder = tmp_path_factory.mktemp("own")
    file = folder / "runbook.yaml"
    file.write_text(OWN.replace("FOLDER", str(folder)), encoding="utf-8")
    file.chmod(0o600)
    (folder / "rude.sh").write_text(RUDE, encoding="utf-8")
    with opened(*sandbox) as beside:
        settings = structs.replace(beside.settings, runbook=file)
        with opened_with(settings, beside) as desk:
            yield desk, folder


def worker_of(desk: StepDesk, job_id: str) -> int:
    def pid() -> int | None:
        return next((entry.facts["pid"] for entry in desk.store.entries(job_id) if entry.kind == "working"), None)

    return int(wait_until(pid) or 0)


def test_it_is_done_proven_and_its_output_kept(own: tuple[StepDesk, Path]) -> None:
    desk, folder = own
    plan = desk.allowed("mark")
    assert plan.phrase == "mark" and plan.steps[0].command.startswith("sh -c ")
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    assert (folder / "mark").exists()
    assert last_output(desk.store.folder(job.id)) == b"marked\n"
    assert job.proofs[0].state is StepState.DONE and "its probe ended with 0" in job.proofs[0].detail


def most_mb(pid: int) -> float:
    """The most that it ever held in memory; 0 once it is gone."""
    with suppress(OSError):
        for row in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) / 1024
    return 0.0


def test_a_rude_one_is_whole_on_disk_and_neither_in_memory_nor_on_the_screen(own: tuple[StepDesk, Path]) -> None:
    desk, folder = own
    job = desk.submit(desk.allowed("rude"))
    wait_until(lambda: any(entry.kind == "step_started" for entry in desk.store.entries(job.id)))
    pid = worker_of(desk, job.id)
    before_mb = most_mb(pid)
    seen = [before_mb]
    (folder / "go").touch()

    def is_over() -> bool:
        seen.append(most_mb(pid))
        return desk.store.entries(job.id)[-1].kind in ENDS

    wait_until(is_over, 90.0)
    ended = desk.ended(job)
    assert ended.phase is Phase.FAILED, told(ended)
    assert ended.steps[0].detail == "ended with 3: ␛[2J␛]0;owned␇red"
    assert (desk.store.folder(job.id) / OUTPUT).stat().st_size > 100 << 20
    assert before_mb > 0.0 and max(seen) - before_mb < 20.0, (before_mb, max(seen))


def test_what_the_file_says_by_then_is_what_counts(own: tuple[StepDesk, Path]) -> None:
    desk, folder = own
    plan = desk.allowed("mark")
    file = folder / "runbook.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("name: mark", "name: marking"), encoding="utf-8")
    try:
        job = desk.ended(desk.submit(plan))
    finally:
        file.write_text(before, encoding="utf-8")
    assert job.phase is Phase.FAILED and "nothing was done: there is no action mark" in (job.error or "")


def test_one_that_dies_with_its_worker_is_in_doubt_and_not_done_again(own: tuple[StepDesk, Path]) -> None:
    desk, _ = own
    job = desk.submit(desk.allowed("hang"))
    wait_until(lambda: any(entry.kind == "step_started" for entry in desk.store.entries(job.id)))
    os.kill(worker_of(desk, job.id), signal.SIGKILL)
    ended = desk.ended(job, 90.0)
    assert ended.phase is Phase.IN_DOUBT and "no probe that could tell" in (ended.error or ""), told(ended)
    assert [entry.kind for entry in desk.store.entries(job.id)].count("step_started") == 1


def test_its_row_may_ask_for_a_halt_and_a_reason(own: tuple[StepDesk, Path]) -> None:
    desk, _ = own
    plan = desk.plan("careful")
    assert plan.needs_reason
    assert {check.name: check.verdict for check in plan.blocking} == {"halted": Verdict.FAIL}
    with pytest.raises(Rejected, match="a reason is needed"):
        desk.session.submit(plan, Confirmation(plan.digest, "careful", None)).result(10)
    with pytest.raises(Rejected, match="trading is ACTIVE"):
        desk.session.submit(plan, Confirmation(plan.digest, "careful", "why")).result(10)


def test_a_general_step_is_taken_by_its_name_alone(own: tuple[StepDesk, Path]) -> None:
    desk, _ = own
    with pytest.raises(Rejected):
        desk.session.prepare("general.command", {"command": '["true"]'}).result(10)
    with pytest.raises(Rejected, match="cannot be set otherwise"):
        desk.session.prepare("mark", {"command": '["true"]'}).result(10)
