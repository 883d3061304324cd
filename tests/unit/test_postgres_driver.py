"""What Postgres is asked each second is sent without what is there for people alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit import clients
from cockpit.clients.postgres_driver import bare

FOLDER = Path(clients.__file__).parent


@pytest.mark.parametrize("name", ["postgres.sql", "databases.sql"])
def test_question_has_no_comments(name: str) -> None:
    asked = bare(FOLDER / name)
    assert b"--" not in asked
    assert (
        asked.split()
        == b" ".join(
            line for line in (FOLDER / name).read_bytes().splitlines() if not line.strip().startswith(b"--")
        ).split()
    )
