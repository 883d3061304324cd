"""What must be seen before the kill switch counts as engaged or released: pure, one look after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from actions.kill_switch.evidence import Evidence, VenueCount
from actions.kill_switch.intent import Write
from cockpit.model.job import JobStep, StepState
from cockpit.text import clean

IN_FLIGHT_MS = 1000
"""An order that the risk manager was judging at the moment of the halt may still pass."""
WATCH_MS = 3000
"""So long no order may pass while orders arrive and are refused."""
QUIET_MS = 8000
"""So long is watched where no order arrives at all."""
FLUSH_MS = 5000
"""So long a flush of the append-only file may take (two seconds on an idle disk)."""
REPORT_MS = 3000
"""So long the brokers' next reports may take."""
FALL_MS = 5000
"""So long open orders are given to fall to none before they are listed as they are."""

READ_BACK = "key reads back as written"
DURABLE = "survives a crash of Redis"
STOPPED = "no order but reduce-only ones validated since"
OPEN_ORDERS = "brokers' open orders counted; a dead broker named"
FLOWING = "orders validated again"
LATCHED = "latched on this host, an open cockpit engages it again"

DONE, RUNNING, FAILED, UNKNOWN = StepState.DONE, StepState.RUNNING, StepState.FAILED, StepState.UNKNOWN
_TRUE = ("true", "1", "yes", "on")


class KillSwitchProofs:
    """What both directions share: the key and its durability."""

    NAMES: ClassVar[tuple[str, ...]] = ()
    _is_latched = False

    def __init__(self, write: Write, act_ms: int) -> None:
        self._write = write
        self._act_ms = act_ms
        self._held_at: dict[str, float] = {}

    def judge(self, evidence: Evidence) -> tuple[JobStep, ...]:
        """Each proof as it stands after this look, in the order of NAMES."""
        return tuple(self._timed(step, evidence) for step in self._judge(evidence))

    def act(self, evidence: Evidence) -> tuple[StepState, str]:
        """Whether the write itself is there, for when nobody could write down whether it was done."""
        if self._write.is_in(evidence.switch):
            return DONE, "found in Redis"
        return FAILED, f"not found in Redis: {self._standing(evidence.switch)}"

    def _judge(self, evidence: Evidence) -> tuple[JobStep, ...]:
        raise NotImplementedError

    def _timed(self, step: JobStep, evidence: Evidence) -> JobStep:
        """With the seconds after the act at which it first held."""
        if step.state is not DONE:
            self._held_at.pop(step.name, None)
            return step
        took_s = self._held_at.setdefault(step.name, max(0.0, (evidence.now_ms - self._act_ms) / 1000))
        return JobStep(step.name, step.state, step.detail, round(took_s, 3))

    def _read_back(self, switch: Mapping[str, str]) -> JobStep:
        if self._write.is_in(switch):
            return JobStep(READ_BACK, DONE, f"enabled {self._write.flag}, by {self._write.by}")
        is_engaged = switch.get("enabled", "").strip().lower() in _TRUE
        if is_engaged and self._write.enabled:
            return JobStep(READ_BACK, DONE, f"engaged, meanwhile {self._standing(switch)}")
        return JobStep(READ_BACK, FAILED, self._standing(switch))

    @staticmethod
    def _standing(switch: Mapping[str, str]) -> str:
        if not switch:
            return "the key is missing: trading is enabled"
        words = [f"enabled {clean(switch.get('enabled', 'unknown'), 10)}"]
        words += [f"by {clean(switch['by'], 40)}"] if "by" in switch else []
        words += [clean(switch["reason"], 60)] if "reason" in switch else []
        return ", ".join(words)

    def _durable(self, evidence: Evidence) -> JobStep:
        if evidence.durable is not None:
            return JobStep(DURABLE, DONE, evidence.durable)
        if evidence.now_ms - self._act_ms < FLUSH_MS:
            return JobStep(DURABLE, RUNNING, f"waiting for the disk: {evidence.durability}")
        if self._is_latched:
            return JobStep(DURABLE, DONE, f"not by Redis ({evidence.durability}): {LATCHED}")
        return JobStep(DURABLE, FAILED, f"not proven durable: {evidence.durability}")


class EngageProofs(KillSwitchProofs):
    """Trading has stopped."""

    NAMES = (READ_BACK, DURABLE, STOPPED, OPEN_ORDERS)

    def __init__(self, write: Write, act_ms: int, venues: Sequence[str] = (), is_latched: bool = False) -> None:
        """`venues` are the brokers that must report; `is_latched`: this host keeps the wish too."""
        super().__init__(write, act_ms)
        self._is_latched = is_latched
        self._venues = tuple(venues)
        self._last_risky_ms = act_ms
        self._last_risky = ""
        self._late = 0
        self._arrived = 0
        self._halted = 0
        self._arrived_quiet = 0
        self._halted_quiet = 0

    def _judge(self, evidence: Evidence) -> tuple[JobStep, ...]:
        return (
            self._read_back(evidence.switch),
            self._durable(evidence),
            self._stopped(evidence),
            self._open_orders(evidence),
        )

    def _stopped(self, evidence: Evidence) -> JobStep:
        if "validated" in evidence.unread:
            return JobStep(STOPPED, UNKNOWN, f"orders.validated: {evidence.unread['validated']}")
        self._note(evidence)
        quiet_ms = evidence.now_ms - self._last_risky_ms
        if quiet_ms < WATCH_MS:
            return JobStep(STOPPED, FAILED if self._late else RUNNING, self._passing())
        if evidence.unread:
            # Whether orders arrived and were refused is what makes their absence a proof.
            why = ", ".join(f"orders.{label}: {reason}" for label, reason in evidence.unread.items())
            return JobStep(STOPPED, UNKNOWN, f"none validated, but {why}")
        if self._halted_quiet:
            return JobStep(STOPPED, DONE, f"{self._arrived} arrived, {self._halted} refused{self._after()}")
        if self._arrived_quiet:
            return JobStep(STOPPED, UNKNOWN, f"{self._arrived} arrived, none judged: the risk manager is behind")
        if quiet_ms < QUIET_MS:
            return JobStep(STOPPED, RUNNING, "no order arrives to prove it by")
        return JobStep(STOPPED, DONE, f"none validated, but none arrived in {quiet_ms / 1000:.0f} s to prove it by")

    def _note(self, evidence: Evidence) -> None:
        if evidence.risky:
            newest = max(evidence.risky, key=lambda order: order.at_ms)
            if newest.at_ms >= self._last_risky_ms:
                self._last_risky_ms, self._last_risky = newest.at_ms, newest.words
            self._late += sum(order.at_ms > self._act_ms + IN_FLIGHT_MS for order in evidence.risky)
            self._arrived_quiet = self._halted_quiet = 0
        self._arrived += evidence.incoming
        self._halted += evidence.halted
        self._arrived_quiet += evidence.incoming
        self._halted_quiet += evidence.halted

    def _passing(self) -> str:
        if self._late:
            seconds = (self._last_risky_ms - self._act_ms) / 1000
            return (
                f"ORDERS STILL PASS: {self._late} so far, {clean(self._last_risky, 60)} {seconds:.1f} s after the halt"
            )
        return f"watching, {self._arrived} arrived, {self._halted} refused"

    def _after(self) -> str:
        """What still went through, if anything did."""
        if self._last_risky_ms == self._act_ms:
            return ""
        return f"; the last one passed {(self._last_risky_ms - self._act_ms) / 1000:.2f} s after the halt"

    def _open_orders(self, evidence: Evidence) -> JobStep:
        there = {venue.name for venue in evidence.venues}
        missing = tuple(VenueCount(name, None, None, "does not report") for name in self._venues if name not in there)
        if not evidence.venues and not missing:
            return JobStep(OPEN_ORDERS, UNKNOWN, "no broker reports: call them")
        fresh_ms = self._act_ms + IN_FLIGHT_MS
        seen = (*evidence.venues, *missing)
        silent = [venue for venue in seen if not (venue.is_counted(fresh_ms) or venue.is_dead(fresh_ms))]
        if silent and evidence.now_ms - self._act_ms < REPORT_MS:
            return JobStep(OPEN_ORDERS, RUNNING, "waiting for the brokers' next reports")
        if silent:
            names = ", ".join(f"{venue.name} ({venue.status})" for venue in silent)
            return JobStep(OPEN_ORDERS, UNKNOWN, f"unknown at {names}: call the broker")
        dead = "".join(f"{venue.name} IS DOWN, {_last_told(venue)}: CALL THEM; " for venue in seen if venue.is_dead(0))
        living = [venue for venue in seen if not venue.is_dead(0)]
        counts = ", ".join(f"{venue.name} {venue.open_orders}" for venue in living) or "no other broker"
        if not any(venue.open_orders for venue in living):
            return JobStep(OPEN_ORDERS, DONE, f"{dead}none open: {counts}")
        if evidence.now_ms - self._act_ms < FALL_MS:
            return JobStep(OPEN_ORDERS, RUNNING, f"{dead}still open: {counts}")
        return JobStep(OPEN_ORDERS, DONE, f"{dead}NOT cancelled, still open: {counts}")


def _last_told(venue: VenueCount) -> str:
    """What a dead broker holds nobody knows: only what it told last."""
    return "open orders unknown" if venue.open_orders is None else f"open orders unknown, {venue.open_orders} last told"


class ReleaseProofs(KillSwitchProofs):
    """Trading runs again."""

    NAMES = (READ_BACK, DURABLE, FLOWING)

    def __init__(self, write: Write, act_ms: int) -> None:
        super().__init__(write, act_ms)
        self._passed = 0
        self._first_ms = 0
        self._arrived = 0

    def _judge(self, evidence: Evidence) -> tuple[JobStep, ...]:
        return (self._read_back(evidence.switch), self._durable(evidence), self._flowing(evidence))

    def _flowing(self, evidence: Evidence) -> JobStep:
        if "validated" in evidence.unread:
            return JobStep(FLOWING, UNKNOWN, f"orders.validated: {evidence.unread['validated']}")
        if evidence.risky and not self._passed:
            self._first_ms = evidence.risky[0].at_ms
        self._passed += len(evidence.risky)
        self._arrived += evidence.incoming
        if self._passed:
            seconds = (self._first_ms - self._act_ms) / 1000
            return JobStep(FLOWING, DONE, f"the first {max(0.0, seconds):.2f} s after the release")
        if self._arrived:
            return JobStep(FLOWING, RUNNING, f"{self._arrived} arrived, none validated yet")
        return JobStep(FLOWING, RUNNING, "no order has arrived yet")
