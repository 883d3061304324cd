"""A Postgres' keywords are read as libpq reads them, without it."""

from __future__ import annotations

import subprocess
import sys

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from cockpit.address.postgres import KEYWORDS, keywords

PIECES = ("host", "port", "user", "Host", "=", "=", " ", " ", "'", "\\", "a", "é", "5432", "\n", "\x0b", "\xa0", "\x1c")


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@settings(max_examples=600, deadline=None)
def test_keywords_are_read_as_libpq_reads_them(dsn: str) -> None:
    try:
        by_libpq = conninfo_to_dict(dsn)
    except psycopg.Error:
        by_libpq = None
    try:
        by_us = keywords(dsn)
    except ValueError:
        by_us = None
    assert by_us == by_libpq


def test_all_keywords_of_this_libpq_are_known() -> None:
    """A new version that brings others fails here, and nowhere else."""
    assert {one.keyword.decode() for one in pq.Conninfo.get_defaults()} == KEYWORDS


def test_addresses_are_judged_without_any_client() -> None:
    script = (
        "import sys, cockpit.config\n"
        "found = {'psycopg', 'hiredis', 'redis', 'ssl', 'asyncio', 'kubernetes'} & sys.modules.keys()\n"
        "raise SystemExit(repr(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
