"""Restoring Postgres as a step, on the real server of the sandbox: counted, swapped in, refused where it must be."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from cockpit.model.job import Job, Phase
from cockpit.model.plan import Plan
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.dumped import (
    DATABASE,
    Asker,
    databases,
    drop_others,
    dumped,
    failing_program,
    holding,
    role,
    superuser,
)
from tests.sandbox.step_desk import StepDesk, opened, opened_with, told

RESTORE = "pg_restore.restore"
ROWS = 100_000


@dataclass
class Bench:
    """A desk that restores from a folder of its own."""

    desk: StepDesk
    folder: Path

    @property
    def layout(self) -> Layout:
        return self.desk.layout

    def put(self, dump: Path, content: bytes | None = None) -> None:
        """Make it the newest dump, old enough to be read at once, and await that it was."""
        file = self.folder / "new"
        shutil.copyfile(dump, file) if content is None else file.write_bytes(content)
        at = time.time() - 300
        os.utime(file, (at, at))
        file.rename(self.folder / "latest.dump")
        wait_until(lambda: self.is_read(at), 20.0)

    def is_read(self, at: float) -> bool:
        sample = self.desk.snapshot.dump
        found = sample.value
        seen = found is not None and found.is_readable is not None and abs(sample.value_at - found.age_s - at) < 0.5
        return bool(seen)

    def mode(self, how: str) -> None:
        (self.folder / "mode").write_text(how)

    def blocked_by(self, name: str) -> Plan:
        wait_until(lambda: name in {check.name for check in self.desk.plan(RESTORE).blocking}, 15.0)
        return self.desk.plan(RESTORE)

    def restore(self) -> Job:
        return self.desk.ended(self.desk.submit(self.desk.allowed(RESTORE), "test"))

    def is_intact(self) -> bool:
        """Only the platform's database is there, and it takes connections."""
        with role(self.layout) as link:
            return databases(self.layout) == [DATABASE] and link.execute("SELECT 1").fetchone() == (1,)


@pytest.fixture(scope="module")
def bench(sandbox: tuple[Layout, Control], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("dumps")
    with opened(*sandbox) as plain:
        assert plain.settings.postgres is not None
        program = str(failing_program(folder))
        part = plain.settings.postgres.model_copy(update={"dump": folder / "latest.dump", "pg_restore": program})
        with opened_with(plain.settings.model_copy(update={"postgres": part}), plain) as desk:
            yield Bench(desk, folder)
    drop_others(sandbox[0])
    with role(sandbox[0]) as link:
        link.execute("DROP TABLE IF EXISTS bulk")


@pytest.fixture(scope="module")
def whole(bench: Bench) -> Path:
    """A dump of 100,000 rows more than the platform has by itself."""
    with role(bench.layout) as link:
        link.execute("CREATE TABLE bulk (id bigint PRIMARY KEY, word text)")
        link.execute("INSERT INTO bulk SELECT n, md5(n::text) FROM generate_series(1, %s) AS n", (ROWS,))
    return dumped(bench.layout, bench.folder / "whole.dump")


def test_a_truncated_dump_is_refused_before_anything_is_touched(bench: Bench, whole: Path) -> None:
    content = whole.read_bytes()
    bench.put(whole, content[: len(content) * 2 // 3])
    plan = bench.blocked_by("dump")
    assert "cannot be restored" in plan.blocking[0].detail
    assert bench.is_intact()


def test_the_dump_of_another_database_is_refused(bench: Bench, whole: Path) -> None:
    with role(bench.layout, "postgres") as link:
        link.execute("CREATE DATABASE hedgefund_desk2")
    try:
        bench.put(dumped(bench.layout, bench.folder / "other.dump", "hedgefund_desk2"))
        plan = bench.blocked_by("dump of")
        assert "of database hedgefund_desk2, not of hedgefund" in next(
            c.detail for c in plan.checks if c.name == "dump of"
        )
    finally:
        with role(bench.layout, "postgres") as link:
            link.execute("DROP DATABASE hedgefund_desk2")


def test_a_superuser_who_sits_in_it_is_named(bench: Bench, whole: Path) -> None:
    bench.put(whole)
    with superuser(bench.layout, DATABASE):
        plan = bench.blocked_by("sessions")
        assert "1 of a superuser" in next(check.detail for check in plan.blocking if check.name == "sessions")


@pytest.mark.parametrize(("how", "words"), [("killed", "pg_restore ended with -9"), ("empty", "rows differ")])
def test_what_fails_leaves_the_database_as_it_is(bench: Bench, whole: Path, how: str, words: str) -> None:
    bench.put(whole)
    bench.mode(how)
    try:
        job = bench.restore()
    finally:
        bench.mode("")
    assert job.phase is Phase.FAILED and words in (job.error or ""), told(job)
    assert bench.is_intact()


def test_an_error_of_pg_restore_ends_it(bench: Bench, whole: Path) -> None:
    with superuser(bench.layout) as link:
        link.execute("CREATE ROLE ghost")
    with role(bench.layout) as link:
        link.execute("GRANT SELECT ON bulk TO ghost")
        file = dumped(bench.layout, bench.folder / "ghost.dump")
        link.execute("REVOKE ALL ON bulk FROM ghost")
    with superuser(bench.layout) as link:
        link.execute("DROP ROLE ghost")
    bench.put(file)
    job = bench.restore()
    assert job.phase is Phase.FAILED and "ghost" in (bench.desk.store.folder(job.id) / "output.log").read_text(), told(
        job
    )
    assert bench.is_intact()


def test_the_dump_is_restored_and_swapped_in_at_once(bench: Bench, whole: Path) -> None:
    layout = bench.layout
    with role(layout) as link:
        link.execute("ALTER DATABASE hedgefund SET search_path = \"$user\", public, 'odd one'")
        link.execute("GRANT CONNECT ON DATABASE hedgefund TO pg_monitor")
        link.execute("DELETE FROM bulk WHERE id > 10")
    bench.put(whole)
    with Asker(layout).asking() as asker, holding(layout):
        wait_until(lambda: any("public.bulk" in line for line in bench.desk.plan(RESTORE).impact), 15.0)
        plan = bench.desk.allowed(RESTORE)
        assert (plan.target, plan.phrase) == (DATABASE, f"RESTORE {DATABASE} ON sandbox")
        job = bench.restore()
        assert job.phase is Phase.DONE, told(job)
    print(f"\nlongest silence of a client that reconnects: {asker.longest_s:.3f} s, {asker.answers} answers")
    assert asker.longest_s < 5.0
    (aside,) = [name for name in databases(layout) if name != DATABASE]
    assert aside.startswith("hedgefund_before_")
    with role(layout) as link:
        assert link.execute("SELECT count(*) FROM bulk").fetchone() == (ROWS,)
        assert link.execute("SHOW search_path").fetchone() == ('"$user", public, "odd one"',)
        acl = "SELECT array_to_string(datacl, ' ') FROM pg_database WHERE datname = 'hedgefund'"
        assert "pg_monitor=c/" in str(link.execute(acl).fetchone())
        link.execute("ALTER DATABASE hedgefund RESET search_path")
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        role(layout, aside)
