"""The kill switch: trading is halted, or was halted and the halt is gone without anybody's release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cockpit.model.job import Job, Phase, StepState
from cockpit.model.latch import Hold, Latch
from cockpit.model.severity import Severity
from cockpit.severity import sections
from cockpit.severity.rule import Hit, View, rule
from cockpit.severity.words import clock

if TYPE_CHECKING:
    from cockpit.model.states import KillSwitch

SUBJECT = "kill switch"
RISK_MANAGER = "risk-manager"
ENGAGE = "kill_switch.engage"
LOUD_S = 300.0
"""So long what a halt has been through is of the worst class."""


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt that stood: whose, and since when in Unix seconds."""

    by: str | None
    since: float


@rule("kill_switch", panel="risk", section=sections.BROKER)
def kill_switch_engaged(view: View, switch: KillSwitch) -> Iterator[Hit]:
    """Trading is halted, by a human or by the risk manager."""
    if switch.is_engaged:
        by = f" by {switch.by}" if switch.by else ""
        reason = f": {switch.reason}" if switch.reason else ""
        before = view.before.get(("kill_switch_engaged", SUBJECT))
        since = switch.since or (before.finding.since if before else view.now)
        yield Hit(
            SUBJECT,
            Severity.P1,
            f"trading HALTED{by}{reason}",
            "engaged",
            "released",
            section=_section(switch.by),
            since=switch.since,
            kept=Halt(switch.by, since),
        )


@rule("kill_switch", panel="risk", section=sections.BROKER)
def kill_switch_gone(view: View, switch: KillSwitch) -> Iterator[Hit]:
    """A halt that nobody released is no longer there: Redis lost it, and orders pass."""
    if switch.is_engaged:
        return
    stood = max((*_remembered(view), *_journaled(view)), key=lambda halt: halt.since, default=None)
    if stood is not None and not _is_released(view, switch, stood):
        yield Hit(
            SUBJECT,
            Severity.P1,
            f"THE HALT IS GONE: was engaged by {stood.by or 'somebody unnamed'}",
            "not engaged" if switch.is_present else "the key is missing",
            "engaged, or released by somebody",
            section=_section(stood.by),
            kept=stood,
        )


@rule("kill_switch", panel="risk", section=sections.BROKER)
def kill_switch_latched(view: View, switch: KillSwitch) -> Iterator[Hit]:
    """This host keeps the wish to be halted, and Redis no longer does; one that it never took is told by itself."""
    latch = view.snapshot.latch
    if latch is None:
        return
    hold = latch.hold_of(switch)
    observed = "engaged" if switch.is_engaged else "not engaged"
    words = ""
    if hold is Hold.LOST and latch.is_held and latch.trouble:
        words = f"HALT NOT IN REDIS, latched here: {latch.trouble}"
    elif hold is Hold.RELEASED and not _is_releasing(view, latch):
        words = f"released by {switch.by} elsewhere, latched here: K, or Space b u"
    if words:
        yield Hit(SUBJECT, Severity.P1, words, observed, f"engaged: latched by {latch.by}")


@rule("kill_switch", panel="risk", section=sections.BROKER)
def kill_switch_restored(view: View, switch: KillSwitch) -> Iterator[Hit]:
    """The halt stands, and for a while it did not: told loudly at first, then beside what is wrong now."""
    latch = view.snapshot.latch
    if latch is None or latch.restored_at is None or latch.hold_of(switch) is not Hold.HELD:
        return
    moment = clock(latch.restored_at)
    wanted = "" if latch.wanted_ms is None else f", wanted since {clock(latch.wanted_ms / 1000)}"
    late = f"halted late: Redis took it at {moment}{wanted}"
    words = f"THE HALT WAS LOST, engaged again at {moment}" if latch.losses else late
    severity = Severity.P1 if view.now - latch.restored_at < LOUD_S else Severity.P3
    yield Hit(SUBJECT, severity, words, "engaged", f"engaged: latched by {latch.by}", since=latch.restored_at)


@rule("kill_switch", panel="risk", section=sections.BROKER)
def latch_unreadable(view: View, switch: KillSwitch) -> Iterator[Hit]:
    """Whether a halt is latched on this host cannot be read: what Redis loses may not be engaged again."""
    why = view.snapshot.latch_unread
    if why:
        yield Hit(SUBJECT, Severity.P2, f"latch on this host unreadable: {why}", "unreadable", "readable")


def _is_releasing(view: View, latch: Latch) -> bool:
    """Whether it is our own release, which lets go of the latch as soon as it is read back."""
    ours = [job for job in _jobs(view) if job.action == sections.RELEASE and job.submitted_at * 1000 > latch.ts_ms]
    return any(not job.phase.is_over or job.phase is Phase.DONE for job in ours)


def _remembered(view: View) -> Iterator[Halt]:
    """What this cockpit saw itself; a halt that is gone stays so until it is engaged again, or released."""
    for name in ("kill_switch_engaged", "kill_switch_gone"):
        before = view.before.get((name, SUBJECT))
        if before is not None and isinstance(before.kept, Halt):
            yield before.kept


def _journaled(view: View) -> Iterator[Halt]:
    """What the journal tells a cockpit that was started later."""
    read_at = view.snapshot.kill_switch.value_at or 0.0
    newest = max(filter(_is_written, _jobs(view)), key=lambda job: job.submitted_at, default=None)
    # A reading from before the job's end may be older than what the job wrote.
    if newest is not None and newest.action == ENGAGE and newest.ended_at is not None and read_at > newest.ended_at:
        yield Halt(newest.by, newest.submitted_at)


def _is_released(view: View, switch: KillSwitch, stood: Halt) -> bool:
    """Whether somebody said so, later than the halt: in the key itself, or in the journal."""
    if switch.is_present and switch.by and switch.since is not None and switch.since > stood.since:
        return True
    return any(
        job.action == sections.RELEASE and _is_written(job) and job.submitted_at > stood.since for job in _jobs(view)
    )


def _jobs(view: View) -> Iterator[Job]:
    redis = view.settings.redis
    key = redis.kill_switch_key if redis else None
    for job in view.snapshot.jobs:
        if job.action in (ENGAGE, sections.RELEASE) and job.world is view.settings.world and job.target == key:
            yield job


def _is_written(job: Job) -> bool:
    return job.phase is Phase.DONE or any(step.state is StepState.DONE for step in job.steps)


def _section(by: str | None) -> str:
    return sections.RISK if by == RISK_MANAGER else sections.BROKER


RULES = (kill_switch_engaged, kill_switch_gone, kill_switch_latched, kill_switch_restored, latch_unreadable)
