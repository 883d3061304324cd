"""The audit journal as a list, newest first, with the picked record in full and whether the chain holds."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.model.audit import AuditRecord, Recent, Soundness
from widgets.figures import age, megabytes, plural
from widgets.jobs_rows import ruled, when
from widgets.line import EMPTY, Line, cut, cut_text, field, line, pad, wrapped

DETAIL = 7
KIND = 13
WHO = 18
_KINDS = {
    "failed": "crit",
    "in_doubt": "unknown",
    "refused": "warn",
    "cancelled": "warn",
    "proven": "ok",
    "confirmed": "accent",
    "damaged": "crit",
    "repaired": "warn",
}


def matching(records: Sequence[AuditRecord], text: str) -> tuple[AuditRecord, ...]:
    """The records that have the text in what they say, in who says it or in what they belong to."""
    wanted = text.casefold()
    if not wanted:
        return tuple(records)
    return tuple(one for one in records if wanted in f"{one.kind} {one.who.label} {one.ref} {one.text}".casefold())


def audit_rows(
    shown: Sequence[AuditRecord],
    recent: Recent | None,
    picked: int,
    sound: Soundness | None,
    now: float,
    size: tuple[int, int],
    exported: str = "",
) -> list[Line]:
    """Head, what was exported where, list and the picked record; `recent` None is not read yet."""
    width, height = size
    if recent is None:
        return [ruled("Audit", width), line((" being read …", "label"))]
    of = "" if recent.is_all else f", the newest of {megabytes(recent.size_bytes)}: cockpit audit show has all"
    rows = [ruled("Audit", width, line((f"{plural(len(shown), 'record')}{of}", "label")))]
    rows += _sound(sound, now, width)
    rows += [line((f" {part}", "value")) for part in wrapped(exported, max(10, width - 2))]
    detail = DETAIL if height >= 14 else 0
    room = max(1, height - len(rows) - detail)
    first = max(0, min(picked - room // 2, len(shown) - room))
    for index, record in enumerate(shown[first : first + room], first):
        rows.append(_record(record, now, width, index == picked))
    if not shown:
        rows.append(line((" no record", "label")))
    rows.extend([EMPTY] * (height - detail - len(rows)))
    if detail and picked < len(shown):
        rows.extend(_detail(shown[picked], now, width))
    return [cut(row, width) for row in rows[:height]]


def _sound(sound: Soundness | None, now: float, width: int) -> list[Line]:
    """What came of the last walk, to its last word: the end of it says what no walk can find."""
    if sound is None:
        return [line((" the chain has not been walked here yet: v walks it", "label"))]
    glyph, ink = ("●", "ok") if sound.is_sound else ("■", "crit")
    first, *more = wrapped(f"{sound.words}  ({age(max(0.0, now - sound.at))} ago)", max(10, width - 4))
    return [line((f" {glyph} {first}", ink)), *(line((f"   {part}", "label")) for part in more)]


def _record(record: AuditRecord, now: float, width: int, is_picked: bool) -> Line:
    row = line(
        " ",
        field(when(record.at, now), 13, "label"),
        field(record.who.label, WHO, "text"),
        " ",
        field(record.kind, KIND, _KINDS.get(record.kind, "label")),
        (cut_text(record.text, max(0, width - 13 - WHO - KIND - 3)), "value"),
    )
    return tuple((text, "picked") for text, _ in pad(row, width)) if is_picked else row


def _detail(record: AuditRecord, now: float, width: int) -> list[Line]:
    who = record.who
    origin = f", as {who.user}" if who.user != who.login else ""
    origin += f", {who.tty}" if who.tty else ""
    origin += f", from {who.ssh_from}" if who.ssh_from else ""
    rows = [ruled(record.kind, width, line((f"{record.world} {record.site}", "label")))]
    rows.append(line((f" {when(record.at, now)} UTC  {who.label}{origin}", "text")))
    parts = wrapped(record.text, max(10, width - 2))
    rows += [line((f" {part}", "value")) for part in parts[:3]]
    if len(parts) > 3:
        rows[-1] = line((f" {cut_text(f'{parts[2]} {parts[3]}', width - 3)}…", "value"))
    rows += [EMPTY] * (5 - len(rows))
    rows.append(line((f" {record.ref or '–'}   hash {record.hash[:16]}", "label")))
    return [*rows, EMPTY]
