"""The audit's screen: filtered, verified, exported; the hand stays on its record while others are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.model.audit import AuditRecord, Operator, Recent, Soundness
from cockpit.screens.full import HINT_S
from cockpit.storage.verification import BLIND_SPOT
from tests.ui import snapshots
from tests.ui.conftest import cockpit
from widgets.audit_rows import audit_rows
from widgets.line import plain

WHO = Operator("asha", "asha", "jump1", "pts/3", "10.0.0.7")


def record(number: int, kind: str = "confirmed", text: str = "Engage the kill switch") -> AuditRecord:
    return AuditRecord(snapshots.NOW - number, WHO, kind, "SANDBOX", "hf-1", f"job-{number}", text, "", f"{number:064}")


RECORDS = (record(1, "proven"), record(2), record(3, "refused", "Flatten: a check failed"))


async def test_records_are_listed_filtered_and_exported_oldest_first() -> None:
    async with cockpit() as it:
        it.session.shelf.recent = Recent(RECORDS, 999)
        await it.press("7")
        await it.sees("3 records")
        await it.sees("from 10.0.0.7")
        await it.press("slash", *"flatten", "enter")
        await it.sees("1 record")
        await it.press("e")
        it.clock.passed += HINT_S
        await it.sees("exported: 1 record in /state/exports/audit-1.jsonl")
        await it.press("escape")
        await it.sees("3 records")
        await it.press("e")
        assert it.session.shelf.exported == [(RECORDS[2],), tuple(reversed(RECORDS))]


async def test_the_hand_stays_on_its_record() -> None:
    async with cockpit() as it:
        it.session.shelf.recent = Recent(RECORDS, 999)
        await it.press("7")
        await it.sees("3 records")
        await it.press("j", "j")
        it.session.shelf.recent = Recent((record(0, "failed"), *RECORDS), 999)
        it.clock.passed += 5
        it.app.screen.tick()  # type: ignore[attr-defined]
        await it.sees("4 records")
        assert "job-3" in it.text()


@pytest.mark.parametrize("width", [80, 120])
def test_what_no_walk_can_find_is_said_to_its_last_word(width: int) -> None:
    sound = Soundness(True, f"sound: 5 records, last hash 73d860015a58e304; {BLIND_SPOT}", snapshots.NOW)
    rows = audit_rows((), Recent(), 0, sound, snapshots.NOW + 3, (width, 21))
    assert BLIND_SPOT in " ".join(" ".join(plain(row).split()) for row in rows)


@pytest.mark.parametrize(("is_sound", "said"), [(True, "● sound: 2 records"), (False, "■ BROKEN at line 2")])
async def test_the_chain_is_walked_when_asked(is_sound: bool, said: str) -> None:
    async with cockpit() as it:
        it.session.shelf.is_sound = is_sound
        await it.press("7")
        await it.sees("not been walked here yet")
        await it.press("v")
        await it.sees(said)


@pytest.mark.parametrize("size", [(1, 1), (40, 8), (80, 24), (200, 60)])
async def test_hostile_records_at_every_size(size: tuple[int, int]) -> None:
    from tests.terminal.hostile import TEXTS, poisoned

    records = tuple(replace(poisoned(record(at), text), hash=f"{at}") for at, text in enumerate(TEXTS.values()))
    async with cockpit(size=size) as it:
        it.session.shelf.recent = Recent(records, 5 << 20, False)
        await it.press("7", *["j"] * len(records), "v", "e")
        strips = it.app.screen._compositor.render_strips()
        assert all(segment.text.isprintable() for strip in strips for segment in strip if not segment.control)
        assert it.app._exception is None
