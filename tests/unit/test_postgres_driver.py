"""What Postgres is asked each second is short enough for its driver to remember how it is put."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import _queries

from cockpit import clients
from cockpit.clients.postgres_driver import bare

FOLDER = Path(clients.__file__).parent


@pytest.mark.parametrize("name", ["postgres.sql", "databases.sql"])
def test_question_is_kept_by_the_driver(name: str) -> None:
    asked = bare(FOLDER / name)
    assert len(asked) <= _queries.MAX_CACHED_STATEMENT_LENGTH
    assert b"--" not in asked
    assert (
        asked.split()
        == b" ".join(
            line for line in (FOLDER / name).read_bytes().splitlines() if not line.strip().startswith(b"--")
        ).split()
    )
