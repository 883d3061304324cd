"""The steps of a dump: written beside the newest, read in full, then linked into its place."""

from __future__ import annotations

import asyncio
import os
import shlex
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actions.step import Result, Stage, Step
from cockpit.clients import dump_reading
from cockpit.clients.dumps import identify
from cockpit.clients.postgres_link import environment
from cockpit.clients.programs import run_program
from cockpit.config import PostgresPart
from cockpit.errors import BackendError, ConfigError
from cockpit.model.job import StepState
from cockpit.text import clean

DONE, FAILED = StepState.DONE, StepState.FAILED
LONGEST_S = 24 * 3600.0


def file_of(newest: Path, stamp: str) -> Path:
    """A dump's own name: latest-20261125_024458.dump.

    >>> file_of(Path("/backups/pg/latest.dump"), "20261125_024458").name
    'latest-20261125_024458.dump'
    """
    return newest.with_name(f"{newest.stem}-{stamp}{newest.suffix}")


class Dumping(Step):
    """What the steps share: the file, whose name the first one chooses."""

    index = 0

    def command(self, stage: Stage) -> str | None:
        """With the name in it."""
        return stage.plan.steps[self.index].command.replace("<stamp>", str(stage.facts["stamp"]))

    def probe(self, stage: Stage) -> Result:
        """The newest dump is touched by the last step alone."""
        return Result(FAILED, f"the newest dump is as it was; {stage.facts.get('file')} does not count")


class Write(Dumping):
    """pg_dump into a file for this user alone."""

    deadline_s = LONGEST_S

    def before(self, stage: Stage) -> dict[str, Any]:
        """When, and where to."""
        stamp = datetime.fromtimestamp(stage.clock.now(), UTC).strftime("%Y%m%d_%H%M%S")
        return {"stamp": stamp, "file": str(file_of(_newest(stage), stamp))}

    async def perform(self, stage: Stage) -> Result:
        """What fails is removed."""
        part, file = _part(stage), Path(str(stage.facts["file"]))
        _make(file)
        around = await asyncio.to_thread(environment, part)
        command = shlex.split(str(self.command(stage)))
        ended = await run_program(
            command, file.parent, around, stage.output.write, part.restore_s, stage.locks, stage.stop
        )
        stage.output.flush()
        if ended.code == 0 and not (ended.is_late or ended.is_stopped):
            return Result(DONE, f"{os.stat(file).st_size:,} bytes")  # noqa: PTH116 - right after it was written
        await asyncio.to_thread(file.unlink, missing_ok=True)
        how = f"ended by us after {part.restore_s:.0f} s" if ended.is_late else f"pg_dump ended with {ended.code}"
        how = "stopped before its end" if ended.is_stopped else how
        return Result(FAILED, f"{how}: {ended.last_line}", is_stopped=ended.is_stopped)


class Read(Dumping):
    """All of it, as a restore would."""

    index = 1
    deadline_s = LONGEST_S

    async def perform(self, stage: Stage) -> Result:
        """A dump that cannot be read, or lacks a table, does not become the newest."""
        part, file = _part(stage), Path(str(stage.facts["file"]))
        said = await asyncio.to_thread(dump_reading.read, part.pg_restore, str(file))
        if not said.is_readable or said.contents is None:
            return Result(FAILED, f"{file} cannot be restored: {said.detail}")
        rows = dict(said.contents.rows)
        missing = [name for name in part.tables if not any(row.rpartition(".")[2] == name for row in rows)]
        if missing:
            return Result(FAILED, f"{file} has no rows for {', '.join(missing)}: it does not become the newest")
        return Result(DONE, f"{sum(rows.values()):,} rows in {len(rows)} tables", {"rows": rows})


class Put(Dumping):
    """A second name for the new file; the one before gets a name of its own first where it has none."""

    index = 2

    def before(self, stage: Stage) -> dict[str, Any]:
        """By what it is known again."""
        found = Path(str(stage.facts["file"])).stat()
        return {"identity": identify(found), "written_at": found.st_mtime}

    async def perform(self, stage: Stage) -> Result:
        """Atomic: there is a newest dump at every moment."""
        newest, file = _newest(stage), Path(str(stage.facts["file"]))
        try:
            await asyncio.to_thread(_put, newest, file)
        except OSError as error:
            raise BackendError(f"{clean(newest)} cannot be replaced: {clean(error.strerror)}") from None
        return Result(DONE, f"{newest.name} is {file.name}")

    def probe(self, stage: Stage) -> Result:
        """Whether the newest is this file."""
        try:
            is_ours = identify(_newest(stage).stat()) == stage.facts.get("identity")
        except OSError as error:
            return Result(StepState.UNKNOWN, clean(error.strerror))
        return Result(DONE, str(stage.facts["file"])) if is_ours else super().probe(stage)


def _make(file: Path) -> None:
    """Empty, for this user alone, before pg_dump opens it."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise BackendError(f"cannot write {clean(file)}: {clean(error.strerror)}") from None


def _put(newest: Path, file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if newest.exists():
            before = newest.stat()
            # Whoever may read the one before may read this one.
            with suppress(PermissionError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, before.st_mode & 0o777)
            if before.st_nlink == 1:
                at = datetime.fromtimestamp(before.st_mtime, UTC).strftime("%Y%m%d_%H%M%S")
                named = file_of(newest, at)
                if not (named.exists() and named.samefile(newest)):
                    os.link(newest, named)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished = newest.with_name(f".{file.name}.link")
    unfinished.unlink(missing_ok=True)
    os.link(file, unfinished)
    unfinished.rename(newest)


def _newest(stage: Stage) -> Path:
    return stage.settings.below_root(_part(stage).dump)


def _part(stage: Stage) -> PostgresPart:
    if stage.settings.postgres is None:
        raise ConfigError("no Postgres is configured")
    return stage.settings.postgres
