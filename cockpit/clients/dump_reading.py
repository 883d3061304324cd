"""Reads all of a dump: whether pg_restore can parse it, what it is of, and how many rows it has for each table.

`python -m cockpit.clients.dump_reading PG_RESTORE DUMP` prints the same as JSON, in a process of its own at the lowest
priority: a large dump takes minutes, and whoever draws a screen must not share its time with that.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from cockpit.model.backends import DumpContents
from cockpit.text import clean

PIECE_BYTES = 1 << 18
LONGEST_LINE_BYTES = 1 << 20
_COPY = re.compile(rb"COPY (.+?) \(.*\) FROM stdin;$")
_ITEM = re.compile(r"\d+; \d+ \d+ ")
_DATABASE = re.compile(r"^;\s+dbname: (.*)$", re.M)
_SERVER = re.compile(r"^;\s+Dumped from database version: (\S+)", re.M)
_CREATED = re.compile(r"^;\s*Archive created at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.M)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What pg_restore made of it; `is_readable` None where it could not judge."""

    is_readable: bool | None
    detail: str | None
    contents: DumpContents | None = None


class RowCount:
    """Counts the rows of each COPY in a script as it goes by."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.bytes = 0
        self._table: str | None = None
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """The next piece of the script."""
        self.bytes += len(piece)
        data, at = self._rest + piece, 0
        while at < len(data):
            after = self._row(data, at) if self._table is not None else self._line(data, at)
            if after is None:
                break
            at = after
        self._rest = data[at:]
        if len(self._rest) > LONGEST_LINE_BYTES:
            # One statement as long as this is no COPY, one row neither; all that matters of it is its end.
            self._rest = b"-" + self._rest[-1:]

    def _line(self, data: bytes, at: int) -> int | None:
        """Past one line outside a COPY; None where the line is not all there."""
        end = data.find(b"\n", at)
        if end < 0:
            return None
        found = _COPY.match(data, at, end)
        if found is not None:
            self._table = found[1].decode("utf-8", "replace")
            self.rows.setdefault(self._table, 0)
        return end + 1

    def _row(self, data: bytes, at: int) -> int | None:
        """Past the rows that are all there, or past the line that ends them."""
        assert self._table is not None
        is_at_end = data.startswith(b"\\.\n", at)
        end = at - 1 if is_at_end else data.find(b"\n\\.\n", at)
        if is_at_end or end >= 0:
            self.rows[self._table] += data.count(b"\n", at, end + 1)
            self._table = None
            return end + 4
        last = data.rfind(b"\n", at)
        if last < 0:
            return None
        self.rows[self._table] += data.count(b"\n", at, last + 1)
        return last + 1


def read(
    program: str, path: str, keep_open: Sequence[int] = (), told: Callable[[int], None] = lambda _: None
) -> Verdict:
    """All of it, unpacked and thrown away; blocks. `told` is given the bytes so far.

    `pg_restore --list` alone would not find a truncated dump.
    """
    count = RowCount()
    try:
        with _running([program, "-f", "-", path], keep_open) as (process, complaint):
            assert process.stdout is not None
            while piece := process.stdout.read1(PIECE_BYTES):  # type: ignore[attr-defined]
                count.feed(piece)
                told(count.bytes)
            status = process.wait()
            complaint.seek(0)
            said = verdict(status, complaint.read(1 << 16).decode("utf-8", "replace"))
        if not said.is_readable:
            return said
        with _running([program, "-l", path], keep_open) as (process, _):
            assert process.stdout is not None
            listed = process.stdout.read().decode("utf-8", "replace")
    except OSError as error:
        return Verdict(None, f"cannot run {clean(program)}: {clean(error.strerror)}")
    return Verdict(True, None, contents(listed, count))


@contextmanager
def _running(command: Sequence[str], keep_open: Sequence[int]) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """Its output to us, its complaints to a file: two pipes could wait for each other."""
    with tempfile.TemporaryFile() as complaint:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaint,
            env=os.environ | {"LC_ALL": "C"},
            pass_fds=tuple(keep_open),
        )
        with process:
            try:
                yield process, complaint
            except BaseException:
                process.kill()
                raise


def verdict(status: int, complaint: str) -> Verdict:
    """What an exit status and a complaint of pg_restore mean.

    >>> verdict(1, "pg_restore: error: could not read from input file: end of file\\n").detail
    'could not read from input file: end of file'
    >>> verdict(1, "pg_restore: error: unsupported version (1.16) in file header").is_readable is None
    True
    """
    if status == 0:
        return Verdict(True, None)
    first = next((line for line in complaint.splitlines() if line.strip()), f"pg_restore ended with {status}")
    said = clean(first.removeprefix("pg_restore: ").removeprefix("error: "))
    if status < 0:
        return Verdict(None, f"pg_restore was stopped by signal {-status}")
    if "unsupported version" in complaint or "could not open input file" in complaint:
        # The reader's fault, not the dump's: an older pg_restore cannot tell a newer dump from a broken one.
        return Verdict(None, said)
    return Verdict(False, said)


def contents(listed: str, count: RowCount) -> DumpContents | None:
    """What the dump's own list says of it; None where it says nothing.

    >>> contents("", RowCount()) is None
    True
    """
    database, server = _DATABASE.search(listed), _SERVER.search(listed)
    items = [line for line in listed.splitlines() if _ITEM.match(line)]
    if database is None:
        return None
    owners = {line.rpartition(" ")[2] for line in items} - {""}
    return DumpContents(
        database=clean(database[1], 64),
        server_version=clean(server[1], 40) if server else "unknown",
        begun_at=_begun_at(listed),
        owners=tuple(sorted(clean(owner, 64) for owner in owners)),
        items=len(items),
        rows=tuple(sorted((clean(name, 120), rows) for name, rows in count.rows.items())),
        raw_bytes=count.bytes,
    )


def _begun_at(listed: str) -> float | None:
    """The archive keeps a local time without its zone: taken for this host's."""
    found = _CREATED.search(listed)
    try:
        return datetime.fromisoformat(found[1]).timestamp() if found else None
    except (ValueError, OverflowError):
        return None


def from_json(text: str) -> Verdict:
    """What `main` printed.

    Raises:
        ValueError: it is not that.
    """
    said = json.loads(text)
    inside = said["contents"]
    if inside is not None:
        inside = DumpContents(
            **{
                **inside,
                "owners": tuple(inside["owners"]),
                "rows": tuple((str(name), int(rows)) for name, rows in inside["rows"]),
            }
        )
    return Verdict(said["is_readable"], said["detail"], inside)


def main(arguments: list[str]) -> int:
    """Exit code 0 where there is a verdict, whatever it is."""
    program, path = arguments
    os.nice(19)
    print(json.dumps(asdict(read(program, str(Path(path))))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
