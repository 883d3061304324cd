"""The steps of a restore; until the last one nothing of the platform's database is touched."""

from __future__ import annotations

import asyncio
import os
import shlex
from contextlib import suppress
from typing import Any

from actions.pg_restore import names
from actions.pg_restore.dump_checks import content_checks
from actions.pg_restore.held import HeldDump
from actions.pg_restore.impact import begun_at
from actions.step import Result, Stage, Step
from cockpit.clients import dump_reading
from cockpit.clients.pg_restore import RestoreProgress, restore
from cockpit.clients.postgres_side import copy_properties, count_rows, count_writes, create_side, drop_database
from cockpit.clients.postgres_swap import swap
from cockpit.config import PostgresPart
from cockpit.errors import CockpitError, ConfigError, Refused
from cockpit.model.backends import Databases
from cockpit.model.job import StepState

DONE, FAILED, UNKNOWN = StepState.DONE, StepState.FAILED, StepState.UNKNOWN
LONGEST_S = 24 * 3600.0
SWAP_S = 40.0
"""3 s for sessions to end, then what a rename waits for a lock or for a last session, twice, and the way back."""


class Beside(Step):
    """What the steps share: the names, which the first one chooses, and that nothing is touched before the swap."""

    index = 0

    def command(self, stage: Stage) -> str | None:
        """With the names in it."""
        return stage.plan.steps[self.index].command.replace(names.STAMP, str(stage.facts["stamp"]))

    def probe(self, stage: Stage) -> Result:
        """Whatever became of it, it is only beside the platform's database."""
        side = str(stage.facts.get("side"))
        left = f"; {side} is left and may be dropped (Space p x)" if _is_there(stage, side) else ""
        return Result(FAILED, f"not swapped: {stage.plan.target} is as it was{left}")


class Read(Beside):
    """All of the dump read, its rows counted: a truncated one is found here."""

    deadline_s = LONGEST_S

    def __init__(self, held: HeldDump) -> None:
        self._held = held

    def before(self, stage: Stage) -> dict[str, Any]:
        """The names, and what is there before."""
        stamp, database = names.stamp(stage.clock.now()), stage.plan.target
        current = _databases(stage).current
        return {
            "stamp": stamp,
            "side": names.side(database, stamp),
            "aside": names.aside(database, stamp),
            "is_there": current is not None,
            "sessions": current.sessions if current is not None else 0,
        }

    async def perform(self, stage: Stage) -> Result:
        """Refused where it is not of this database, or cannot be restored here."""
        part = _part(stage)
        file = stage.settings.below_root(part.dump)
        descriptor = self._held.hold(file, dict(stage.plan.parameters)["dump"])
        loop = asyncio.get_running_loop()

        def told(done: int) -> None:
            loop.call_soon_threadsafe(stage.tell, f"{done >> 20:,} MB read")

        said = await asyncio.to_thread(
            dump_reading.read, part.pg_restore, f"/proc/self/fd/{descriptor}", (descriptor,), told
        )
        if not said.is_readable or said.contents is None:
            return Result(FAILED, f"it cannot be restored: {said.detail or 'it does not say what it is of'}")
        wrong = [check.detail for check in content_checks(said.contents, part, _databases(stage)) if check.blocks]
        if wrong:
            return Result(FAILED, "; ".join(wrong))
        rows = dict(said.contents.rows)
        words = f"{sum(rows.values()):,} rows in {len(rows)} tables, {said.contents.raw_bytes >> 20:,} MB unpacked"
        recovered_to = begun_at(said.contents, os.fstat(descriptor).st_mtime)
        return Result(DONE, words, {"rows": rows, "items": said.contents.items, "recovered_to": recovered_to})


class Make(Beside):
    """The empty database beside the old one."""

    index = 1
    deadline_s = 120.0
    settle_s = 5.0

    async def perform(self, stage: Stage) -> Result:
        """Of the old one's kind."""
        side = str(stage.facts["side"])
        await create_side(_part(stage), side, stage.plan.target)
        return Result(DONE, side)

    def probe(self, stage: Stage) -> Result:
        """Whether it is there."""
        side = str(stage.facts.get("side"))
        return Result(DONE, f"{side} is there") if _is_there(stage, side) else super().probe(stage)


class Restore(Beside):
    """pg_restore into it; what fails leaves the old one as it is, and the new one is dropped."""

    index = 2
    deadline_s = LONGEST_S

    def __init__(self, held: HeldDump) -> None:
        self._held = held

    async def perform(self, stage: Stage) -> Result:
        """The command of the plan, on the file that was read."""
        part, side = _part(stage), str(stage.facts["side"])
        file = stage.settings.below_root(part.dump)
        descriptor = self._held.hold(file, dict(stage.plan.parameters)["dump"])
        said = shlex.split(str(self.command(stage)))
        command = (*said[:-1], f"/proc/self/fd/{descriptor}")
        progress = RestoreProgress(stage.facts["rows"], int(stage.facts["items"]))
        keep = (descriptor, *stage.locks)
        try:
            ended = await restore(
                part, command, side, stage.settings.root, stage.output.write, stage.tell, progress, keep, stage.stop
            )
        except CockpitError:
            await dropped(part, side)
            raise
        finally:
            self._held.let_go()
            stage.output.flush()
        if ended.code == 0 and not (ended.is_late or ended.is_stopped):
            return Result(DONE, progress.words)
        how = f"ended by us after {part.restore_s:.0f} s" if ended.is_late else f"pg_restore ended with {ended.code}"
        how = "stopped before its end" if ended.is_stopped else how
        left = await dropped(part, side)
        words = f"{how}: {ended.last_line}; {stage.plan.target} is as it was{left}"
        return Result(FAILED, words, is_stopped=ended.is_stopped)


class Compare(Beside):
    """Rows counted exactly and compared with the dump's; settings and grants taken over."""

    index = 3
    deadline_s = LONGEST_S

    async def perform(self, stage: Stage) -> Result:
        """What differs is not swapped in."""
        part, side, rows = _part(stage), str(stage.facts["side"]), dict(stage.facts["rows"])
        counted = await count_rows(part, side, rows)
        wrong = [f"{name} {counted[name]} instead of {rows[name]}" for name in rows if counted[name] != rows[name]]
        if wrong:
            left = await dropped(part, side)
            return Result(FAILED, f"rows differ: {', '.join(wrong[:5])}; {stage.plan.target} is as it was{left}")
        refused = await copy_properties(part, stage.plan.target, side)
        writes = await count_writes(part, side, part.tables)
        words = f"{sum(rows.values()):,} rows in {len(rows)} tables: all equal"
        words += f"; NOT taken over: {', '.join(refused)}" if refused else ""
        return Result(DONE, words, {"counted": counted, "writes": writes})


class Put(Beside):
    """The one step that touches the platform's database: both names in one transaction."""

    index = 4
    deadline_s = SWAP_S

    async def perform(self, stage: Stage) -> Result:
        """Refused means that everything is as it was."""
        facts, database = stage.facts, stage.plan.target
        await swap(_part(stage), database, str(facts["side"]), str(facts["aside"]))
        return Result(DONE, f"{database} is the restored one; the old one is {facts['aside']}")

    def probe(self, stage: Stage) -> Result:
        """Both names tell: they change together."""
        return swapped(stage, str(stage.facts.get("side")), str(stage.facts.get("aside")))


def swapped(stage: Stage, incoming: str, aside: str) -> Result:
    """Whether the swap was made; where it was not, whether clients can connect."""
    sample, database = stage.snapshot.databases, stage.plan.target
    if sample.value is None or not sample.is_live(stage.clock.now()):
        return Result(UNKNOWN, sample.error or "the databases were not read")
    if sample.value.is_swapping:
        return Result(UNKNOWN, "the server is at it")
    current, is_there = sample.value.current, stage.facts.get("is_there", True)
    is_aside = not is_there or sample.value.named(aside) is not None
    if is_aside and current is not None and sample.value.named(incoming) is None:
        return Result(DONE, f"{database} is the new one; the old one is {aside}")
    if current is not None and not current.takes_connections:
        return Result(FAILED, f"not swapped, but {database} TAKES NO CONNECTIONS: allow them again (Space p u)")
    return Result(FAILED, f"not swapped: {database} is as it was; {incoming} is left (Space p x drops it)")


async def dropped(part: PostgresPart, side: str) -> str:
    """Drop what cannot be used; words where it is left."""
    with suppress(CockpitError):
        await drop_database(part, side, is_forced=True)
        return ""
    return f"; {side} is left and may be dropped (Space p x)"


def _part(stage: Stage) -> PostgresPart:
    if stage.settings.postgres is None:
        raise ConfigError("no Postgres is configured")
    return stage.settings.postgres


def _databases(stage: Stage) -> Databases:
    found = stage.snapshot.databases.value
    if found is None:
        raise Refused(stage.snapshot.databases.error or "the databases were not read")
    return found


def _is_there(stage: Stage, name: str) -> bool:
    found = stage.snapshot.databases.value
    return found is not None and found.named(name) is not None
