"""Restoring Postgres as a step, on the real server of the sandbox: counted, swapped in, refused where it must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cockpit.model.job import Phase
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.dumped import DATABASE, Asker, databases, dumped, holding, role, superuser
from tests.sandbox.restore_bench import RESTORE, Bench, benched
from tests.sandbox.step_desk import told

BACK, DROP = "pg_restore.swap_back", "pg_restore.drop_old"
ROWS = 100_000


@pytest.fixture(scope="module")
def bench(sandbox: tuple[Layout, Control], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with benched(*sandbox, tmp_path_factory.mktemp("dumps")) as found:
        yield found


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


def test_a_restore_can_be_stopped_before_the_swap(bench: Bench, whole: Path) -> None:
    bench.put(whole)
    bench.mode("slow")
    try:
        desk = bench.desk
        job = desk.submit(desk.allowed(RESTORE), "test")
        begun = ("step_started", 2)
        wait_until(lambda: begun in {(one.kind, one.facts.get("step")) for one in desk.store.entries(job.id)})
        desk.session.cancel(job.id).result(10)
        job = desk.ended(job)
    finally:
        bench.mode("")
    assert job.phase is Phase.CANCELLED and "hedgefund is as it was" in (job.error or ""), told(job)
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


def test_a_dump_is_restored_undone_and_undone_again_and_the_old_one_dropped(bench: Bench, whole: Path) -> None:
    restored(bench, whole)
    undone(bench, 10)
    undone(bench, ROWS)
    dropped(bench)


def restored(bench: Bench, whole: Path) -> None:
    """Swapped in at once, with what a dump does not bring."""
    layout = bench.layout
    with role(layout) as link:
        link.execute("ALTER DATABASE hedgefund SET search_path = \"$user\", public, 'odd one'")
        link.execute("GRANT CONNECT ON DATABASE hedgefund TO pg_monitor")
        link.execute("DELETE FROM bulk WHERE id > 10")
    bench.put(whole)
    with Asker(layout).asking() as asker, holding(layout):
        wait_until(lambda: any("public.bulk" in line for line in bench.desk.plan(RESTORE).impact))
        plan = bench.desk.allowed(RESTORE)
        assert (plan.target, plan.phrase) == (DATABASE, f"RESTORE {DATABASE} ON sandbox")
        job = bench.restore()
        assert job.phase is Phase.DONE, told(job)
    assert job.recovered_to is not None and 0 < job.submitted_at - job.recovered_to < 600
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


def undone(bench: Bench, rows: int) -> None:
    """What was put aside is put back, and the other one aside."""
    layout = bench.layout
    (old,) = [name for name in databases(layout) if name != DATABASE]
    wait_until(lambda: dict(bench.desk.plan(BACK).parameters)["database"] == old)
    job = bench.take(BACK)
    assert job.phase is Phase.DONE, told(job)
    with role(layout) as link:
        assert link.execute("SELECT count(*) FROM bulk").fetchone() == (rows,)
    (aside,) = [name for name in databases(layout) if name != DATABASE]
    assert aside != old


def dropped(bench: Bench) -> None:
    """Only when it is old, or with a reason."""
    (old,) = [name for name in databases(bench.layout) if name != DATABASE]
    wait_until(lambda: bench.desk.plan(DROP).target == old)
    wait_until(lambda: [check.name for check in bench.desk.plan(DROP).blocking] == ["age"])
    assert bench.desk.plan(DROP).blocking[0].is_overridable
    job = bench.take(DROP, ("age",))
    assert job.phase is Phase.DONE, told(job)
    assert databases(bench.layout) == [DATABASE]


def test_half_a_swap_is_seen_and_mended(bench: Bench, whole: Path) -> None:
    layout = bench.layout
    with role(layout, "postgres") as link:
        link.execute("ALTER DATABASE hedgefund WITH ALLOW_CONNECTIONS false")
        link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'hedgefund'")
    wait_until(lambda: any(one.rule == "database_shut" for one in bench.desk.snapshot.assessment.findings))
    plan = bench.desk.allowed(BACK)
    assert plan.phrase == f"OPEN {DATABASE} ON sandbox"
    job = bench.take(BACK)
    assert job.phase is Phase.DONE, told(job)
    assert bench.is_intact()
    wait_until(lambda: not bench.desk.snapshot.postgres.error)


def test_a_database_that_is_gone_is_made_anew(bench: Bench, whole: Path) -> None:
    bench.put(whole)
    with superuser(bench.layout) as link:
        link.execute("DROP DATABASE hedgefund WITH (FORCE)")
    wait_until(lambda: any(one.rule == "database_gone" for one in bench.desk.snapshot.assessment.findings))
    job = bench.restore()
    assert job.phase is Phase.DONE, told(job)
    assert "there was none" in job.proofs[3].detail and bench.is_intact()
    with role(bench.layout) as link:
        assert link.execute("SELECT count(*) FROM bulk").fetchone() == (ROWS,)
