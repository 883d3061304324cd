"""Postgres' driver, imported by one thread at a time: two at once may each wait for a part that the other has."""

from __future__ import annotations

import importlib
import threading

_loading = threading.Lock()


def load_driver() -> None:
    """Blocks for as long as the import takes, which is nothing once it is there."""
    with _loading:
        for name in ("psycopg", "psycopg.conninfo", "psycopg.sql"):
            importlib.import_module(name)
