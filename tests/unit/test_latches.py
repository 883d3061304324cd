"""The latch's file: what cannot be read is unknown, never unlatched."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock, MagicMock, patch

import pytest

from actions.kill_switch.intent import Write
from cockpit.clock import SystemClock
from cockpit.config import RedisPart
from cockpit.errors import JournalError
from cockpit.jobs.vigil import Vigil
from cockpit.model.latch import Latch
from cockpit.storage.jobs import JobStore
from cockpit.storage.latches import LatchFile

PART = RedisPart()


@pytest.fixture
def file(tmp_path: Path) -> LatchFile:
    tmp_path.chmod(0o700)
    return LatchFile(tmp_path, PART)


def a_latch(file: LatchFile, ts_ms: int = 1000) -> Latch:
    return Latch(file.where, "asha@jump1", "IBKR is down", ts_ms, True)


def a_vigil(file: LatchFile) -> Vigil:
    return Vigil(file, PART, SystemClock(), MagicMock(), JobStore(file.file.parent / "jobs"))


def test_a_wish_that_comes_into_force_late_is_still_the_same_wish(file: LatchFile) -> None:
    wish = replace(a_latch(file), is_held=False)
    late = wish.taken_at(5.0)
    assert (late.ts_ms, late.wanted_ms, late.wish_ms) == (5000, 1000, wish.wish_ms)
    assert a_latch(file).taken_at(5.0) == a_latch(file), "what was in force keeps its moment"
    file.write(wish)
    file.change(wish, lambda one: one.taken_at(5.0))
    assert file.read() == late
    file.change(wish, lambda one: replace(one, is_held=True))
    assert file.read() == replace(late, is_held=True), "said by a cockpit that does not know yet that it came late"


async def test_a_wish_that_came_into_force_before_its_disk_took_it_is_read_again(file: LatchFile) -> None:
    """What another cockpit says of it later counts here too."""
    vigil = a_vigil(file)
    writer = AsyncMock()
    with patch.object(vigil._file, "write", side_effect=JournalError("disk full")):
        with suppress(JournalError):
            await asyncio.wrap_future(vigil.keep(Write(True, "asha@jump1", "IBKR is down", 1000)))
        vigil.struck(False)
        writer.read_switch.return_value = ({}, False)
        await vigil._look(writer, vigil.present)
    assert vigil.present is not None and vigil.present.wanted_ms == 1000
    vigil.read()
    assert file.read() == vigil.present
    file.clear(vigil.present.ts_ms)
    vigil.read()
    assert vigil.present is None


DAMAGED = (b"", b"{", b"[]", b'{"by": 1}', b"\xff", b"[" * 9000)
WRONG = {"losses": "x", "ts_ms": True, "is_held": 1, "restored_at": "now", "reason": None}


@pytest.mark.parametrize("content", DAMAGED)
def test_damage_is_not_taken_for_unlatched(file: LatchFile, content: bytes) -> None:
    file.file.write_bytes(content)
    with pytest.raises(JournalError, match="damaged"):
        file.read()
    vigil = a_vigil(file)
    vigil.read()
    assert vigil.present is None and "damaged" in vigil.unread


@pytest.mark.parametrize("field", WRONG)
def test_a_field_of_another_kind_is_damage(file: LatchFile, field: str) -> None:
    file.write(replace(a_latch(file), **{field: WRONG[field]}))
    with pytest.raises(JournalError, match="damaged"):
        file.read()


def test_what_was_known_stands_while_it_cannot_be_read(file: LatchFile) -> None:
    file.write(a_latch(file))
    vigil = a_vigil(file)
    vigil.read()
    with patch("cockpit.storage.latches.opened", side_effect=OSError(24, "Too many open files")):
        vigil.read()
        assert vigil.present == a_latch(file) and "too many open files" in vigil.unread
    vigil.read()
    assert vigil.present == a_latch(file) and vigil.unread == ""
    file.file.unlink()
    vigil.read()
    assert vigil.present is None and vigil.unread == ""


def test_only_what_was_read_is_let_go_of(file: LatchFile, tmp_path: Path) -> None:
    file.write(a_latch(file))
    other = LatchFile(tmp_path, RedisPart(url="redis://localhost:6379/0"))
    assert other.read() is None and other.clear(5000) is None
    with patch("cockpit.storage.latches.os.read", side_effect=OSError(5, "I/O error")), pytest.raises(JournalError):
        file.clear(5000)
    assert file.clear(5000) == a_latch(file) and not file.file.exists()


def test_a_new_halt_and_a_release_get_rid_of_damage(file: LatchFile) -> None:
    file.file.write_bytes(b"{")
    assert file.clear(1) is None and not file.file.exists()
    file.file.write_bytes(b"{")
    file.write(a_latch(file))
    assert file.read() == a_latch(file)


async def test_the_watch_outlives_a_mistake_of_ours(file: LatchFile) -> None:
    file.write(a_latch(file))
    vigil = a_vigil(file)
    vigil.read()
    looks: list[int] = []
    again = asyncio.Event()

    async def look(*_: object) -> None:
        looks.append(1)
        if len(looks) > 1:
            again.set()
        raise TypeError("x")

    with patch.object(vigil, "_look", look):
        watch = asyncio.ensure_future(vigil.watch())
        await asyncio.wait_for(again.wait(), 20)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
    assert vigil.present is not None and "TypeError" in vigil.present.trouble


@pytest.mark.parametrize("who", ["another", "this process"])
async def test_a_halt_is_watched_over_as_soon_as_it_is_latched(
    file: LatchFile, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks meanwhile whether there is one."""
    monkeypatch.setattr("cockpit.jobs.vigil.IDLE_S", 3600.0)
    vigil, seen = a_vigil(file), asyncio.Event()

    async def look(*_: object) -> None:
        seen.set()

    with patch.object(vigil, "_look", look):
        watch = asyncio.ensure_future(vigil.watch())
        await asyncio.sleep(0)
        assert not seen.is_set()
        if who == "another":
            file.write(a_latch(file))
            await asyncio.to_thread(vigil.read)
        else:
            await asyncio.to_thread(vigil.keep, Write(True, "asha@jump1", "IBKR is down", 1000))
        await asyncio.wait_for(seen.wait(), 20)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
