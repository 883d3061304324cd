"""Dumps for tests of a restore, and a client that never stops asking."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from cockpit.sandbox.layout import Layout
from cockpit.sandbox.postgres_programs import programs_folder, server_account

DATABASE = "hedgefund"


def role(layout: Layout, database: str = DATABASE, **more: Any) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1", port=layout.ports.postgres, user="hedgefund_user", dbname=database, autocommit=True,
        passfile=str(layout.folder / "pgpass"), connect_timeout=5, **more,
    )  # fmt: skip


def superuser(layout: Layout, database: str = "postgres") -> psycopg.Connection[Any]:
    place = str(layout.postgres_dir)
    return psycopg.connect(host=place, port=layout.ports.postgres, user="postgres", dbname=database, autocommit=True)


def program(name: str) -> str:
    return str(programs_folder(server_account()) / name)


def dumped(layout: Layout, file: Path, database: str = DATABASE) -> Path:
    command = [program("pg_dump"), "-Fc", "-h", "127.0.0.1", "-p", str(layout.ports.postgres), "-U", "hedgefund_user"]
    environment = {"PGPASSFILE": str(layout.folder / "pgpass"), "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    subprocess.run([*command, "-w", "-d", database, "-f", str(file)], env=environment, check=True)
    return file


def failing_program(folder: Path) -> Path:
    """pg_restore; a file `mode` beside it says in which way it fails to restore what it can read."""
    file, real = folder / "pg_restore", program("pg_restore")
    file.write_text(
        "#!/bin/sh\n"
        f'case "$(cat {folder}/mode 2>/dev/null) $*" in\n'
        "broken*) echo 'pg_restore: error: could not read from input file: end of file' >&2; exit 1 ;;\n"
        "slow*--exit-on-error*) exec sleep 600 ;;\n"
        "killed*--exit-on-error*) kill -9 $$ ;;\n"
        f'empty*--exit-on-error*) exec {real} --schema-only "$@" ;;\n'
        "esac\n"
        f'exec {real} "$@"\n'
    )
    file.chmod(0o755)
    return file


def databases(layout: Layout) -> list[str]:
    with role(layout, "postgres") as link:
        found = link.execute("SELECT datname FROM pg_database WHERE starts_with(datname, 'hedgefund') ORDER BY 1")
        return [row[0] for row in found.fetchall()]


def drop_others(layout: Layout) -> None:
    """Everything that a restore made or put aside."""
    for name in databases(layout):
        if name != DATABASE:
            with role(layout, "postgres") as link:
                link.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Asker:
    """Connects, asks, and connects again at once whenever it is cut off; keeps the longest silence."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.longest_s = 0.0
        self.answers = 0
        self.errors: set[str] = set()

    def _ask(self) -> None:
        last = time.monotonic()
        while not self._is_over.is_set():
            try:
                with role(self._layout) as link:
                    while not self._is_over.is_set():
                        link.execute("SELECT count(*) FROM ledger_cursor")
                        now = time.monotonic()
                        self.longest_s, self.answers, last = max(self.longest_s, now - last), self.answers + 1, now
                        self._is_over.wait(0.002)
            except psycopg.Error as error:
                self.errors.add(error.sqlstate or str(error).strip().rpartition("FATAL:")[2].strip())
                self._is_over.wait(0.002)

    @contextmanager
    def asking(self) -> Iterator[Asker]:
        self._thread.start()
        try:
            yield self
        finally:
            self._is_over.set()
            self._thread.join(10)


@contextmanager
def holding(layout: Layout) -> Iterator[psycopg.Connection[Any]]:
    """A client that sits in a transaction and holds on."""
    link = role(layout)
    link.execute("BEGIN")
    link.execute("SELECT count(*) FROM fills")
    try:
        yield link
    finally:
        with suppress(psycopg.Error):
            link.close()
