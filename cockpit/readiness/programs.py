"""The programs that steps run on this host, and those that the lines by hand are typed for."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from shutil import which

from cockpit.clients.dumps import Parser, look
from cockpit.clients.programs import run_program
from cockpit.config import PostgresPart, Settings
from cockpit.errors import BackendError
from cockpit.model.backends import DumpContents
from cockpit.model.snapshot import Snapshot
from cockpit.readiness.look import Concerns, Look, failed, nobody, of, passed, unknown, warned

VERSION_S = 10.0
PARSE_S = 60.0
"""A large dump takes longer; then the cockpit's own reading of it, which has all the time, has to say."""
_MAJOR = re.compile(r"(\d+)(?:\.\d+)*")


async def program_looks(settings: Settings, snapshot: Snapshot, now: float) -> list[Look]:
    """Postgres' programs with their versions, and what is typed by hand."""
    part, found = settings.postgres, [_by_hand(settings)]
    if part is not None:
        server = snapshot.postgres.value.version if snapshot.postgres.value else ""
        restoring, dumping = of("pg_restore.restore"), of("pg_dump.")
        found += await asyncio.gather(
            _versioned(settings, part.pg_restore, "pg_restore", server, restoring),
            _versioned(settings, part.pg_dump, "pg_dump", server, dumping),
            dump_look(part, settings.below_root(part.dump), snapshot, now),
        )
    return found


def _by_hand(settings: Settings) -> Look:
    """Not needed by any step: only by who types the lines that stand beside them."""
    wanted = [("redis-cli", settings.redis), ("kubectl", settings.kubernetes), ("docker", settings.docker)]
    names = [name for name, part in (*wanted, ("psql", settings.postgres)) if part is not None]
    path = os.pathsep.join([*map(str, settings.scripts.path), os.environ.get("PATH", os.defpath)])
    missing = [name for name in names if which(name, path=path) is None]
    if missing:
        words = f"not on PATH: {', '.join(missing)}"
        return warned("lines by hand", words, "install them: no step needs them, but a night without the cockpit does")
    return passed("lines by hand", f"on PATH: {', '.join(names) or 'none is needed'}")


async def _versioned(settings: Settings, program: str, name: str, server: str, concerns: Concerns = nobody) -> Look:
    """Whether it runs, and is not older than the server: an older pg_dump refuses, an older pg_restore may."""
    if which(program) is None:
        return failed(
            name, f"{program} is not there, or not executable", f"install it, or set postgres.{name}", concerns
        )
    said = bytearray()
    try:
        around = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        ended = await run_program([program, "--version"], _here(settings), around, said.extend, VERSION_S)
    except BackendError as error:
        return failed(name, str(error), f"look at postgres.{name}", concerns)
    version = major(said.decode("utf-8", "replace"))
    if ended.code != 0 or version is None:
        return failed(name, f"{program} --version ended with {ended.code}", f"look at postgres.{name}", concerns)
    theirs = major(server)
    if theirs is None:
        return passed(name, f"version {version}; the server's is not known", concerns)
    if version < theirs:
        words = f"version {version}, the server has {theirs}: it may refuse"
        return failed(name, words, f"install {name} of version {theirs}, or set postgres.{name}", concerns)
    return passed(name, f"version {version}, the server has {theirs}", concerns)


def _here(settings: Settings) -> Path:
    return settings.root if settings.root.is_dir() else Path("/")


def major(words: str) -> int | None:
    """The first version in a text.

    >>> major("pg_dump (PostgreSQL) 16.4 (Debian 16.4-1)"), major("18"), major("none")
    (16, 18, None)
    """
    found = _MAJOR.search(words)
    return int(found[1]) if found else None


async def dump_look(part: PostgresPart, file: Path, snapshot: Snapshot, now: float) -> Look:
    """Whether pg_restore can read all of the newest dump, and how old that is."""
    concerns, known = of("pg_restore.restore"), snapshot.dump.value
    parser = Parser(part.pg_restore)
    try:
        found = await asyncio.to_thread(look, file)
        age_s = now - found.modified_ns / 1e9
        if known is not None and known.is_readable and known.identity == found.identity:
            return _read(part, age_s, known.contents)
        verdict = await asyncio.wait_for(asyncio.to_thread(parser.parse, file), PARSE_S)
    except BackendError as error:
        return failed("dump", str(error), "take one (Space p d), or look at postgres.dump", concerns)
    except TimeoutError:
        words = f"not read to its end within {PARSE_S:.0f} s"
        return unknown("dump", words, "the cockpit's own reading goes on: look again later", concerns)
    finally:
        parser.close()
    if verdict.is_readable:
        return _read(part, age_s, verdict.contents)
    words = verdict.detail or "pg_restore does not say why"
    if verdict.is_readable is None:
        return unknown("dump", words, "look at postgres.pg_restore and the dump", concerns)
    return failed("dump", words, "take a new one (Space p d): this one cannot be restored", concerns)


def _read(part: PostgresPart, age_s: float, contents: DumpContents | None) -> Look:
    rows = f", {sum(count for _, count in contents.rows):,} rows" if contents else ""
    words = f"read in full{rows}, {age_s / 60:,.0f} min old"
    if age_s > part.dump_max_age_s:
        return warned("dump", f"{words}: OLD", "take a new one (Space p d)", of("pg_restore.restore"))
    return passed("dump", words, of("pg_restore.restore"), is_told=True)
