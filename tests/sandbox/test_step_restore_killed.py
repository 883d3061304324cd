"""A restore whose worker is killed (-9) around each of its steps: what is said is what is so, and nothing is twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.jobs import custody
from cockpit.jobs.launch import SETTINGS, launch
from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from cockpit.storage.jobs import Claim
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.dumped import DATABASE, databases, drop_others, dumped, role
from tests.sandbox.restore_bench import RESTORE, Bench, benched
from tests.sandbox.step_desk import told

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench(sandbox: tuple[Layout, Control], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with benched(*sandbox, tmp_path_factory.mktemp("dumps")) as found:
        found.put(dumped(found.layout, found.folder / "whole.dump"))
        yield found


def dying(when: str, kind: str, step: int) -> Iterator[object]:
    """The first worker dies there; those that look after it do not."""

    def start(folder: Path, claim: Claim, systemd: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.sandbox.dying_worker", when, kind, str(step)]
        worker = subprocess.Popen(
            [*command, str(folder), str(folder / SETTINGS)], stdin=claim.descriptor, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, cwd=ROOT,
        )  # fmt: skip
        claim.release()
        return worker

    yield start
    while True:
        yield launch


@pytest.mark.parametrize(
    ("when", "kind", "step", "is_swapped", "words"),
    [
        ("after", "working", 0, False, "nothing was done"),
        ("after", "step_started", 1, False, "not swapped"),
        ("before", "step_done", 1, False, "stopped after 2 of 5 steps"),
        ("before", "step_done", 2, False, "not swapped: hedgefund is as it was"),
        ("after", "step_done", 3, False, "stopped after 4 of 5 steps"),
        ("after", "step_started", 4, False, "not swapped: hedgefund is as it was"),
        ("before", "step_done", 4, True, ""),
        ("after", "verifying", 0, True, ""),
    ],
)  # fmt: skip
def test_what_is_said_is_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, when: str, kind: str, step: int, is_swapped: bool, words: str
) -> None:
    workers = dying(when, kind, step)
    monkeypatch.setattr(custody, "launch", lambda *handed: next(workers)(*handed))  # type: ignore[operator]
    wait_until(lambda: databases(bench.layout) == [DATABASE] and bench.desk.plan(RESTORE).is_allowed)
    job = bench.restore()
    kinds = [(entry.kind, entry.facts.get("step")) for entry in bench.desk.store.entries(job.id)]
    assert ("left_behind", None) in kinds
    started = [one for one in kinds if one[0] == "step_started"]
    assert len(started) == len(set(started)), "nothing is done twice"
    there = databases(bench.layout)
    is_kept = any(name.startswith("hedgefund_before_") for name in there)
    assert is_kept is is_swapped and DATABASE in there, there
    assert job.phase is (Phase.DONE if is_swapped else Phase.FAILED), told(job)
    assert words in (job.error or ""), told(job)
    with role(bench.layout) as link:
        assert link.execute("SELECT count(*) > 0 FROM fills").fetchone() == (True,)
    drop_others(bench.layout)
