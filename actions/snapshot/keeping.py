"""The steps of a snapshot, each into the same new folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from actions.step import Result, Stage, Step
from cockpit.clients.kept import MANIFEST, make_folder, sha256, stamp, write_file
from cockpit.clients.ledger_copy import copy_ledger, verify_ledger
from cockpit.clients.rdb_copy import copy_rdb
from cockpit.clients.redis_save import RedisKeeper
from cockpit.errors import BackendError
from cockpit.model.job import StepState

LONGEST_S = 3600.0
DONE, FAILED = StepState.DONE, StepState.FAILED
Tell = Callable[[float], None]


class Keep(Step):
    """What the steps share: the folder, which the first one makes."""

    def before(self, stage: Stage) -> dict[str, Any]:
        """When it was begun, and where it goes: noted once."""
        if "folder" in stage.facts:
            return {}
        now = stage.clock.now()
        return {"folder": str(_parent(stage) / stamp(now)), "taken_at": now}

    def command(self, stage: Stage) -> str | None:
        """With the folder's name."""
        index = next(at for at, one in enumerate(stage.plan.steps) if one.meaning == self.meaning)
        return stage.plan.steps[index].command.replace("<stamp>", Path(str(stage.facts["folder"])).name)

    meaning = ""
    """The plan's words for it."""

    def probe(self, stage: Stage) -> Result:
        """Without a manifest nothing counts as kept: what is there of it harms nobody."""
        return Result(FAILED, f"no manifest was written: {stage.facts.get('folder')} does not count")


class CopyLedger(Keep):
    """The ledger copied, then verified: also a broken one is kept, and called broken."""

    deadline_s = LONGEST_S
    meaning = "ledger copied and verified"

    async def perform(self, stage: Stage) -> Result:
        """On a thread, for both may take minutes."""
        folder = await asyncio.to_thread(folder_of, stage)
        source, target = stage.settings.below_root(stage.settings.scripts.ledger), folder / "ledger.db"
        size = await _told(stage, "copied", lambda tell: copy_ledger(source, target, tell))
        try:
            chain = await _told(stage, "verified", lambda tell: verify_ledger(target, tell))
            words, fault = f"{chain.events:,} events of the ledger, hash chain verified", chain.fault
            head: str | None = chain.head
        except BackendError as error:
            words, fault, head = "the ledger, damaged", str(error), None
        digest = await asyncio.to_thread(sha256, target)
        words = f"{words} up to the fault" if fault else words
        said = {"file": target.name, "bytes": size, "sha256": digest, "head": head, "words": words, "fault": fault}
        return Result(DONE, f"BROKEN, kept as it is: {fault}" if fault else words, {"ledger": said})


class SaveRedis(Keep):
    """BGSAVE; where it fails the keys are copied all the same."""

    deadline_s = LONGEST_S
    meaning = "Redis has saved"

    async def perform(self, stage: Stage) -> Result:
        """Redis' own save, awaited."""
        keeper = RedisKeeper(stage.settings)
        assert stage.settings.redis is not None
        try:
            saved = await keeper.save(stage.settings.redis.save_s, stage.tell)
        except BackendError as error:
            return Result(DONE, f"it has NOT saved: {error}", {"saved_from": None, "why_not_saved": str(error)})
        finally:
            keeper.close()
        return Result(DONE, f"saved in {saved.took_s:.1f} s", {"saved_from": saved.begun_at})


class CopyRedis(Keep):
    """Its file where it can be reached, else its keys."""

    deadline_s = LONGEST_S
    meaning = "Redis copied"

    async def perform(self, stage: Stage) -> Result:
        """What came of it stands in the words, and why it is not the file where it is not."""
        folder = await asyncio.to_thread(folder_of, stage)
        keeper = RedisKeeper(stage.settings)
        try:
            why_not, said = await _file(stage, keeper, folder / "redis.rdb")
            if said is None:
                said = await _keys(stage, keeper, folder / "redis.keys", why_not)
        finally:
            keeper.close()
        return Result(DONE, str(said["words"]), {"redis": said})


async def _file(stage: Stage, keeper: RedisKeeper, target: Path) -> tuple[str, Mapping[str, Any] | None]:
    since = stage.facts.get("saved_from")
    if since is None:
        return f"it has not saved: {stage.facts.get('why_not_saved')}", None
    try:
        source = await keeper.file()
        if source is None:
            return "its file is not on this host", None
        size = await _told(stage, "copied", lambda tell: copy_rdb(source, target, float(since), tell))
    except BackendError as error:
        return str(error), None
    words = f"Redis' whole file, {size / (1 << 20):,.1f} MB"
    digest = await asyncio.to_thread(sha256, target)
    return "", {"file": target.name, "bytes": size, "sha256": digest, "form": "rdb", "words": words}


async def _keys(stage: Stage, keeper: RedisKeeper, target: Path, why_not: str) -> Mapping[str, Any]:
    content, count = await keeper.keys(stage.tell)
    size = await asyncio.to_thread(write_file, target, content)
    words = f"{count} keys of Redis, {size / (1 << 20):,.1f} MB, one after the other ({why_not})"
    digest = await asyncio.to_thread(sha256, target)
    return {"file": target.name, "bytes": size, "sha256": digest, "form": "keys", "words": words}


class WriteDown(Keep):
    """The manifest: from then on the snapshot counts."""

    meaning = "written down"

    async def perform(self, stage: Stage) -> Result:
        """Whole or not at all."""
        folder, facts = Path(str(stage.facts["folder"])), stage.facts
        said = {
            "version": 1,
            "taken_at": facts["taken_at"],
            "by": stage.operator.label,
            "site": stage.plan.site,
            "world": stage.plan.world.value,
            "ledger": facts.get("ledger"),
            "redis": facts.get("redis"),
        }
        content = json.dumps(said, indent=1, sort_keys=True).encode()
        await asyncio.to_thread(write_file, folder / MANIFEST, content)
        return Result(DONE, str(folder))

    def probe(self, stage: Stage) -> Result:
        """Whether it is there: it is written whole or not at all."""
        file = Path(str(stage.facts.get("folder"))) / MANIFEST
        return Result(DONE, str(file)) if file.is_file() else super().probe(stage)


def folder_of(stage: Stage) -> Path:
    """The snapshot's folder, made by whoever needs it first."""
    folder = Path(str(stage.facts["folder"]))
    return folder if folder.is_dir() else make_folder(folder.parent, folder.name)


def _parent(stage: Stage) -> Path:
    return stage.settings.below_root(stage.settings.snapshots.folder)


async def _told(stage: Stage, verb: str, work: Callable[[Tell], Any]) -> Any:
    """Work on a thread; what it tells is told from here."""
    loop = asyncio.get_running_loop()

    def tell(fraction: float) -> None:
        loop.call_soon_threadsafe(stage.tell, verb, fraction)

    return await asyncio.to_thread(work, tell)
