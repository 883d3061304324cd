"""How the cockpit connects to change something: no password in any argument, the driver imported once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cockpit.clients.postgres_link import conninfo, database_name, environment
from cockpit.config import PostgresPart
from cockpit.errors import BackendError
from cockpit.secret import Secret

THREADS = """
import importlib, threading
from cockpit.clients.postgres_link import database_name
from cockpit.config import PostgresPart

errors = []

def ask():
    try:
        database_name(PostgresPart())
    except BaseException as error:
        errors.append(error)

threads = [threading.Thread(target=ask) for _ in range(16)]
[one.start() for one in threads]
[one.join() for one in threads]
raise SystemExit(repr(errors) if errors else 0)
"""


def test_the_password_is_in_the_environment_and_in_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PG_ADMIN", "correct horse")
    part = PostgresPart(
        dsn="postgresql://app@db.internal:6432/fund?sslmode=verify-full",
        admin_dsn="host=db.internal user=dba dbname=postgres",
        admin_password=Secret(env="TEST_PG_ADMIN"),
    )
    assert database_name(part) == "fund"
    given = conninfo(part, "fund_restore_x")
    assert "dbname=fund_restore_x" in given and "user=dba" in given and "correct" not in given
    assert environment(part)["PGPASSWORD"] == "correct horse"


def test_a_dsn_that_is_no_use_is_not_shown() -> None:
    with pytest.raises(BackendError) as caught:
        database_name(PostgresPart(dsn="host=db hunter2"))
    assert "hunter2" not in str(caught.value)


def test_threads_that_need_the_driver_at_once_all_get_it() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
