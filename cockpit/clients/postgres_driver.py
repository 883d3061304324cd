"""Postgres' driver, imported by one thread at a time: two may each wait for a part of it. And what it is asked."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

_loading = threading.Lock()
_loaded = threading.Event()


def load_driver() -> None:
    """Blocks for as long as the import takes, which is nothing once it is there."""
    if not _loaded.is_set():
        with _loading:
            for name in ("psycopg", "psycopg.conninfo", "psycopg.rows", "psycopg.sql"):
                importlib.import_module(name)
        _loaded.set()


def is_loaded() -> bool:
    """Whether load_driver does not block any more."""
    return _loaded.is_set()


def bare(file: Path) -> bytes:
    """A query without its comments and its indents: it is sent whole at each question.

    Blocks. The comments stand on lines of their own.
    """
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--")).encode()
