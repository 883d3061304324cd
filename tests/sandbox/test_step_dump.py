"""Dumping Postgres as a step: read in full before it becomes the newest, and nothing before it is lost."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.dumped import dumped, role
from tests.sandbox.restore_bench import Bench, benched
from tests.sandbox.step_desk import told

DUMP = "pg_dump.take"


@pytest.fixture(scope="module")
def bench(sandbox: tuple[Layout, Control], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with benched(*sandbox, tmp_path_factory.mktemp("dumps")) as found:
        yield found


def test_a_new_dump_becomes_the_newest_and_the_one_before_is_kept(bench: Bench, tmp_path: Path) -> None:
    bench.put(dumped(bench.layout, tmp_path / "before.dump"))
    newest = bench.folder / "latest.dump"
    newest.chmod(0o640)
    before = newest.stat().st_ino
    job = bench.take(DUMP)
    assert job.phase is Phase.DONE, told(job)
    assert newest.stat().st_ino != before and stat.S_IMODE(newest.stat().st_mode) == 0o640
    kept = list(bench.folder.glob("latest-*.dump"))
    assert {file.stat().st_ino for file in kept} == {before, newest.stat().st_ino}
    assert "rows in" in job.steps[1].detail, told(job)


def test_a_dump_that_lacks_a_table_does_not_become_the_newest(bench: Bench, tmp_path: Path) -> None:
    newest = bench.folder / "latest.dump"
    bench.put(dumped(bench.layout, tmp_path / "before.dump"))
    before = newest.stat().st_ino
    bench.desk.control.inject("postgres-table-lost")
    try:
        wait_until(lambda: "tables" in {check.name for check in bench.desk.plan(DUMP).blocking})
    finally:
        bench.desk.control.clear()
    assert newest.stat().st_ino == before


def test_a_dump_that_cannot_be_read_does_not_become_the_newest(bench: Bench, tmp_path: Path) -> None:
    newest = bench.folder / "latest.dump"
    bench.put(dumped(bench.layout, tmp_path / "before.dump"))
    before = newest.stat().st_ino
    wait_until(lambda: bench.desk.plan(DUMP).is_allowed)
    bench.mode("broken")
    try:
        job = bench.take(DUMP)
    finally:
        bench.mode("")
    assert job.phase is Phase.FAILED and "cannot be restored" in (job.error or ""), told(job)
    assert newest.stat().st_ino == before
    with role(bench.layout) as link:
        assert link.execute("SELECT 1").fetchone() == (1,)
