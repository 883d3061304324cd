"""What the cockpit itself needs: its folders, room on their disk, a second person, somebody to call."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from cockpit.config import Settings
from cockpit.model.action import ActionSpec
from cockpit.model.danger import Danger
from cockpit.readiness.look import Look, failed, of, passed, warned
from cockpit.storage.approvals import Approvals

LEAST_FREE_BYTES = 1 << 30
MAIL = "cockpit notify ops --text 'a test' shows whether a channel takes it"


def house_looks(settings: Settings, state: Path) -> Iterator[Look]:
    """Everything that is on this host."""
    yield _folder("state folder", state, "journals, audit, approvals", "set `state:` to a folder that can be written")
    where = settings.incidents_folder
    yield _folder("incidents folder", where, "reports", "make it, 2770 for a team, or set incidents.folder")
    yield _room(settings, state)
    yield _second(settings, state)
    yield _numbers(settings)
    if settings.docker is not None:
        words = "whether the engine lets a restart through, which a proxy may not, is only known when it is taken"
        yield passed("Docker", words, of("redis_container.", "container."), is_told=True)
    words = "nothing was sent: only what is configured was looked at"
    yield passed("channels", f"{words}; {MAIL}", of("notify."), is_told=True)


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there: the rest would be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _folder(name: str, folder: Path, holds: str, advice: str) -> Look:
    place = _nearest(folder)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return failed(name, f"{place} cannot be written: {holds} go there", advice)
    made = "" if place == folder else ", made when it is first needed"
    return passed(name, f"{folder} may be written{made}")


def _room(settings: Settings, state: Path) -> Look:
    free = {place: shutil.disk_usage(place).free for place in {_nearest(state), _nearest(settings.root)}}
    place, least = min(free.items(), key=lambda item: item[1])
    words = f"{least >> 20:,} MB free at {place}"
    if least < settings.jobs.disk_free_min_bytes:
        return failed("disk", words, "make room: with less than this no output of a step is kept")
    if least < LEAST_FREE_BYTES:
        return warned("disk", words, "make room: snapshots and dumps need it")
    return passed("disk", words)


def _second(settings: Settings, state: Path) -> Look:
    """Whether anybody else could approve what needs two."""
    if settings.world not in settings.approvals.required_in:
        return passed("second person", f"not asked for in {settings.world}")
    why = Approvals(state / "approvals", settings.approvals.lapse_s).why_not_shared()
    if why is None:
        return passed("second person", "another login user of this host can approve", _needs_second)
    advice = "give the state folder to the team (owned by root, mode 2770); alone there is only BREAK GLASS"
    return failed("second person", f"nobody else can approve it: {why}", advice, _needs_second)


def _needs_second(row: ActionSpec) -> bool:
    return row.danger is Danger.DANGER or "second" in row.guards


def _numbers(settings: Settings) -> Look:
    """The last rung of a halt: somebody calls the brokers."""
    without = [venue.name for venue in settings.venues if not venue.phone]
    if without:
        return warned(
            "numbers to call",
            f"no phone number of {', '.join(without)}",
            "set venues.phone: where neither Redis nor the router can be reached, only a call halts",
        )
    return passed("numbers to call", f"{len(settings.venues)} brokers, {len(settings.contacts)} contacts")
