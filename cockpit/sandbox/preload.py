"""What the fork server loads once, so that a worker costs milliseconds and shares its memory with the others."""

from __future__ import annotations

import contextlib
import gc
import os
from importlib import import_module
from signal import SIGKILL

from cockpit.sandbox.death import die_with_parent, name_this_process

MODULES = ("json", "sqlite3", "hiredis", "redis", "numpy", "psycopg", "yaml", "cockpit.sandbox.forked")
"""redis before numpy: a worker that needs only the first does not touch the second's pages."""

die_with_parent(SIGKILL, os.getppid())
name_this_process("ck-forkserver")
for _name in MODULES:
    with contextlib.suppress(ImportError):
        import_module(_name)
gc.collect()
gc.freeze()  # the collector would otherwise write to, and so unshare, every page that holds an object
