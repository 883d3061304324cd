"""Reading a dump: rows are counted exactly wherever the pieces are cut, and what the list says is understood."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cockpit.clients.dump_reading import RowCount, Verdict, contents, from_json, verdict

SCRIPT = (
    b"-- PostgreSQL database dump\n"
    b"CREATE TABLE public.fills (\n    id text\n);\n"
    b"COPY public.fills (id, note) FROM stdin;\n"
    b"a\tcosts \\\\.\n"
    b"b\t\\\\.\n"
    b"c\tCOPY public.x (id) FROM stdin;\n"
    b"\\.\n"
    b"\n"
    b'COPY "Odd space"."or""ders" (id) FROM stdin;\n'
    b"\\.\n"
    b"COPY public.positions (id) FROM stdin;\n"
    b"1\n"
    b"\\.\n"
    b"SELECT 1;\n"
)
ROWS = {"public.fills": 3, '"Odd space"."or""ders"': 0, "public.positions": 1}
LISTED = """;
; Archive created at 2026-11-25 02:44:10 UTC
;     dbname: hedgefund
;     TOC Entries: 4
;     Dumped from database version: 18.6
;     Dumped by pg_dump version: 18.6
;
; Selected TOC Entries:
;
220; 1259 16390 TABLE public fills hedgefund_user
3500; 0 16390 TABLE DATA public fills hedgefund_user
3600; 0 0 COMMENT - EXTENSION plpgsql\x20
3601; 1259 16391 INDEX public fills_ts desk
"""


@given(cuts=st.lists(st.integers(0, len(SCRIPT)), max_size=12))
def test_rows_are_counted_wherever_the_pieces_are_cut(cuts: list[int]) -> None:
    count = RowCount()
    places = [0, *sorted(cuts), len(SCRIPT)]
    for start, end in pairwise(places):
        count.feed(SCRIPT[start:end])
    assert (count.rows, count.bytes) == (ROWS, len(SCRIPT))


def test_one_endless_statement_is_not_kept() -> None:
    count = RowCount()
    for _ in range(40):
        count.feed(b"INSERT INTO x VALUES (1)," * 4000)
    count.feed(b"\n" + SCRIPT)
    assert count.rows == ROWS and len(count._rest) < 1 << 20


def test_one_endless_row_is_counted_and_not_kept() -> None:
    """A value may be as long as a gigabyte: gathered piece by piece it would be copied thousands of times."""
    count = RowCount()
    count.feed(b"COPY public.blobs (id, data) FROM stdin;\n1\tx\n2\t")
    for _ in range(80):
        count.feed(b"\\\\." * 20_000)
        assert len(count._rest) < 2 << 20
    count.feed(b"\n3\ty\n\\.\n" + SCRIPT)
    assert count.rows == {"public.blobs": 3, **ROWS}


def test_the_list_says_what_the_dump_is_of() -> None:
    count = RowCount()
    count.feed(SCRIPT)
    found = contents(LISTED, count)
    assert found is not None
    assert (found.database, found.server_version, found.items) == ("hedgefund", "18.6", 4)
    assert found.owners == ("desk", "hedgefund_user") and found.begun_at is not None
    assert dict(found.rows) == ROWS


def test_a_verdict_goes_through_json() -> None:
    import json
    from dataclasses import asdict

    count = RowCount()
    count.feed(SCRIPT)
    for one in (Verdict(True, None, contents(LISTED, count)), verdict(1, "pg_restore: error: end of file\n")):
        assert from_json(json.dumps(asdict(one))) == one
