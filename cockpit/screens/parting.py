"""What stays when the cockpit goes: for the terminal that is left, in a line or two."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.snapshot import Snapshot
from cockpit.text import clean
from widgets.figures import plural
from widgets.panels.findings import clock


def parting(snapshot: Snapshot, now: float) -> tuple[str, ...]:
    """The halt, and what goes on without us; nothing where nothing stays."""
    lines = ("; ".join(_halt(snapshot, now)), "; ".join(_rest(snapshot)))
    return tuple(clean(line) for line in lines if line)


def _halt(snapshot: Snapshot, now: float) -> Iterator[str]:
    latch, sample = snapshot.latch, snapshot.kill_switch
    switch = sample.value if sample.is_live(now) else None
    if latch is not None and latch.waits(switch):
        yield f"HALT WAITING, by {latch.by} since {clock(latch.wish_ms / 1000)}Z: Redis has not taken it"
        yield "it is engaged only while a cockpit is open on this host"
        return
    if switch is not None and switch.is_engaged:
        since = "" if switch.since is None else f" since {clock(switch.since)}Z"
        yield f"trading is HALTED by {switch.by or 'somebody unnamed'}{since}"
    elif latch is not None:
        yield f"the halt by {latch.by} since {clock(latch.ts_ms / 1000)}Z is not seen in Redis"
    if latch is not None:
        yield "with no cockpit open on this host nobody watches over it"


def _rest(snapshot: Snapshot) -> Iterator[str]:
    running = [job for job in snapshot.jobs if not job.phase.is_over]
    if running:
        yield f"{plural(len(running), 'job goes', 'jobs go')} on: {running[0].title}"
    for incident in snapshot.incidents.value or ():
        if incident.is_drill:
            yield f"the drill goes on: {incident.title}"
        else:
            yield f"incident open: {incident.title}"
