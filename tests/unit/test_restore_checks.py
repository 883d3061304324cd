"""What stands against a restore, and what it would lose, judged on a snapshot alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actions.catalogue import ACTIONS
from actions.pg_restore import drop_old, restore, swap_back
from cockpit.clients.ledger import count_since
from cockpit.clients.pg_restore import RestoreProgress
from cockpit.config import PostgresPart
from cockpit.model.backends import Database
from cockpit.model.danger import Danger
from cockpit.model.plan import Plan
from tests.unit.healthy import NOW, SETTINGS, databases, dead, dump, dump_contents, postgres, snapshot
from tests.unit.test_journal import WHO
from widgets.standing import standing

# A program that is everywhere stands for pg_restore: nothing is run here.
READY = structs.replace(SETTINGS, postgres=PostgresPart(pg_restore="sh", kept_s=3600.0))


def plan(**changed: Any) -> Plan:
    return restore.plan(READY, WHO, {}, snapshot(**changed), NOW)


def own(**changes: Any) -> Any:
    return databases(found=(replace(databases().found[0], **changes),))


def test_nothing_stands_against_it_on_a_healthy_platform() -> None:
    assert plan().blocking == (), plan().blocking


@pytest.mark.parametrize(
    ("changed", "name", "words"),
    [
        ({"databases": dead(value=databases())}, "Postgres answers", "connection refused"),
        ({"databases": databases(is_in_recovery=True)}, "primary", "standby"),
        ({"databases": databases(may_create=False)}, "role", "ALTER ROLE hedgefund_user CREATEDB"),
        ({"databases": databases(free_bytes=100 * 2**20)}, "disk", "100 MB free, about 168 MB needed"),
        ({"databases": own(is_ours=False, owner="dba")}, "owner", "GRANT dba TO hedgefund_user"),
        ({"databases": own(superuser_sessions=2)}, "sessions", "2 of a superuser"),
        ({"databases": own(prepared=1)}, "prepared transactions", "1 in it"),
        ({"databases": own(slots=1)}, "replication slots", "1 logical"),
        ({"databases": databases(wanted="d" * 45, found=())}, "name", "too long"),
        ({"dump": dump(is_readable=False, detail="end of file")}, "dump", "cannot be restored: end of file"),
        ({"dump": dump(is_readable=None, detail="unsupported version (1.16) in file header", contents=None)},
         "dump", "pg_restore is older than the dump"),
        ({"dump": dump(is_readable=None, detail="cannot run x", contents=None)}, "dump", "cannot run x"),
        ({"dump": dump(contents=None)}, "dump of", "does not say"),
        ({"dump": dump(contents=dump_contents(database="desk2"))}, "dump of", "of database desk2, not of hedgefund"),
        ({"dump": dump(contents=dump_contents(server_version="19.1"))}, "version", "of a server 19, this one is 18"),
        ({"dump": dump(contents=dump_contents(owners=("desk", "hedgefund_user")))}, "owners", "GRANT desk TO"),
        ({"dump": dump(contents=dump_contents(rows=(("public.orders", 1),)))}, "tables", "no rows for fills, pos"),
    ],
)  # fmt: skip
def test_what_forbids_it_is_named(changed: dict[str, Any], name: str, words: str) -> None:
    found = {check.name: check.detail for check in plan(**changed).blocking}
    assert name in found and words in found[name], found


def test_a_dump_that_is_still_being_read_does_not_hold_it_up() -> None:
    found = plan(dump=dump(is_readable=None, detail="being parsed", contents=None))
    assert found.is_allowed and any("read in full first" in check.detail for check in found.checks)


def test_another_dump_than_the_confirmed_one_is_refused() -> None:
    first = plan()
    again = restore.plan(READY, WHO, dict(first.parameters), snapshot(dump=dump(identity="newer")), NOW)
    assert again.digest == first.digest and [check.name for check in again.blocking] == ["dump"]


def test_what_is_lost_is_counted() -> None:
    live = postgres(rows=(("public.fills", 1000), ("public.orders", 1000), ("public.new", 7)))
    lines = "\n".join(plan(postgres=live).impact)
    assert "about 1,000 rows now, 900 in the dump: 100 fewer" in lines
    assert "public.positions: MISSING now, 12 rows in the dump" in lines
    assert "public.new: NOT in the dump, about 7 rows are lost" in lines
    assert "since the dump was begun, 53 s ago" in lines


def test_a_lost_database_is_made_anew() -> None:
    found = plan(databases=databases(found=()), postgres=dead())
    assert found.is_allowed, found.blocking
    assert any("there is no hedgefund now" in line for line in found.impact)


def test_undo_takes_the_newest_and_drop_the_oldest() -> None:
    others = [
        Database(f"hedgefund_before_20251{n}01_000000", "hedgefund_user", True, False, 0, 0, 0, 0, None) for n in (0, 1)
    ]
    now = snapshot(databases=databases(found=(*databases().found, *others)))
    back = swap_back.plan(READY, WHO, {}, now, NOW)
    assert dict(back.parameters) == {"mode": "swap", "database": others[1].name} and back.is_allowed, back.blocking
    drop = drop_old.plan(READY, WHO, {}, now, 1_764_038_698.0)
    assert drop.target == others[0].name
    # It may be the only copy, and nothing brings it back: a second person, a reason and its name.
    (row,) = (row for row in ACTIONS if row.id == drop_old.ID)
    assert row.danger is drop.danger is Danger.DANGER and drop.needs_reason
    assert drop.phrase == f"DROP {others[0].name} ON {READY.site}"
    shut = swap_back.plan(READY, WHO, {}, snapshot(databases=own(takes_connections=False)), NOW)
    assert dict(shut.parameters)["mode"] == "allow" and shut.is_allowed, shut.blocking


def test_letting_clients_in_again_asks_for_no_database_to_choose() -> None:
    """A check that bears the name of what is chosen would count as one that the next list settles."""
    (row,) = (row for row in ACTIONS if row.id == swap_back.ID)
    others = swap_back.plan(READY, WHO, {}, snapshot(databases=own(takes_connections=False, is_ours=False)), NOW)
    said = standing(others, "", NOW, row.chosen, row.asks)
    assert said.mark.word == "blocked" and "hedgefund is hedgefund_user's" in said.why, said


def test_nothing_but_what_a_restore_made_is_dropped() -> None:
    for name in ("hedgefund", "hedgefund_before_x", "postgres"):
        plan = drop_old.plan(READY, WHO, {"database": name}, snapshot(), NOW)
        assert "old one" in {check.name for check in plan.blocking if not check.is_overridable}


def test_events_since_are_counted_without_reading_the_ledger(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as ledger:
        ledger.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, ts_ms INTEGER)")
        assert count_since(file, 0) == 0
        ledger.executemany("INSERT INTO events VALUES (?, ?)", [(n, 1000 * (n // 2)) for n in range(1, 1001)])
        ledger.commit()
    for since in (-1, 0, 999, 1000, 250_000, 500_000, 600_000):
        assert count_since(file, since) == sum(1000 * (n // 2) > since for n in range(1, 1001)), since


def test_progress_goes_by_rows_then_by_items() -> None:
    progress = RestoreProgress({"public.fills": 900, "public.orders": 100}, items=4)
    assert progress.fraction == 0.0
    progress.read(b'pg_restore: creating TABLE "public.fills"\npg_restore: processing data for ta')
    progress.read(b'ble "public.fills"\n')
    progress.look(1, 450)
    assert progress.rows == 450 and 0.4 < progress.fraction < 0.5
    progress.read(b'pg_restore: processing data for table "public.orders"\n')
    progress.look(0, 0)
    assert progress.rows == 1000
    progress.read(b'pg_restore: creating INDEX "public.fills_ts"\n')
    assert progress.fraction == 1.0
