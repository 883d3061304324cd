"""The plan that rerouting and routing back have in common."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from actions import by_hand
from actions.checks import FAIL, PASS, WARN, evidence_error, world_check
from actions.reroute.override import READ_BACK, TAKES, asked_for, is_halted, taker_check, venue_of
from cockpit.config import Settings
from cockpit.model.danger import Danger
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World

DEADLINE_S = 10.0
UNKNOWN_VENUE = "(no venue)"
NO_BACKUP = "(no backup)"


def make(
    action: str, settings: Settings, snapshot: Snapshot, venue: str | None, to: str | None, why_not: str, now: float
) -> Plan:
    """`to` is None for the way back; `why_not` is what stands against it from the start."""
    name = venue or UNKNOWN_VENUE
    taker = to or name
    title = f"Reroute {name} to {to}" if to else f"Route {name} to itself again"
    return Plan(
        action=action,
        title=title,
        sentence=f"From now on the router gives orders for {name} to {taker}. What is in flight stays where it is.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=asked_for({"venue": name, "to": to}),
        steps=_steps(settings, snapshot, name, to),
        checks=tuple(_checks(settings, snapshot, name, taker, why_not, now)),
        impact=tuple(_impact(snapshot, name, taker)),
        proofs=(READ_BACK, TAKES),
        proof_deadline_s=DEADLINE_S,
        undo="Space b o routes it back" if to else "Space b r reroutes it again",
        phrase=name,
        locks=("book",),
        prepared_at=now,
    )


def _steps(settings: Settings, snapshot: Snapshot, name: str, to: str | None) -> tuple[PlanStep, ...]:
    redis = settings.redis
    key = redis.route_override_key if redis is not None else "policy:route_override"
    fills = redis.order_streams.get("fills", "orders.fills") if redis is not None else "orders.fills"
    if name == UNKNOWN_VENUE or to == NO_BACKUP:
        # A line with a stand-in for the name would be typed as it stands, and Redis would take it.
        template = f"HSET {key} <venue> <backup>" if to else f"HDEL {key} <venue>"
        return (PlanStep("override written", template),)
    words = ["HSET", key, name, to] if to else ["HDEL", key, name]
    write = PlanStep(f"override of {name} written", shlex.join(words), by_hand.redis(redis, *words))
    if is_halted(snapshot):
        return (write,)
    seen = PlanStep(f"an order for {name} seen filled by {to or name}", f"XRANGE {shlex.quote(fills)} <since then> +")
    return (write, seen)


def _checks(settings: Settings, snapshot: Snapshot, name: str, taker: str, why_not: str, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    unknown = evidence_error("venues", snapshot.venues, now) or evidence_error("kill switch", snapshot.kill_switch, now)
    if unknown is not None:
        yield unknown
        return
    age_s = snapshot.venues.age_s(now)
    if why_not:
        # Where one is still to be chosen, its dialog opens all the same.
        is_open = name == UNKNOWN_VENUE and taker != name and any(one.backup for one in settings.venues)
        yield Check("venue" if is_open else "route", FAIL, why_not, age_s)
        return
    venue = venue_of(snapshot, name)
    status = venue.status if venue is not None else "does not report"
    yield Check("route", PASS, f"{name} {status}, its orders go to {(venue and venue.override) or name}", age_s)
    yield taker_check(settings, taker, venue_of(snapshot, taker), age_s)
    yield from _reached(taker, snapshot, now)
    if settings.world is World.LIVE and taker.lower() in {one.lower() for one in settings.paper_adapters}:
        words = "on LIVE its orders would not reach a market: what is to be closed stays open"
        yield Check(f"{taker} is a market", FAIL, words, is_overridable=True)
    if is_halted(snapshot):
        words = "engaged: no order can show the new way before it is released; verify the flow then (Space b v)"
        yield Check("kill switch", WARN, words, snapshot.kill_switch.age_s(now))
    else:
        words = "NOT engaged: orders go the new way at once"
        yield Check("kill switch", WARN, words, snapshot.kill_switch.age_s(now))


def _reached(taker: str, snapshot: Snapshot, now: float) -> Iterator[Check]:
    """The cockpit's own look at the backup, past the router, where it has one."""
    found = next((one for one in snapshot.reach.value or () if one.venue.lower() == taker.lower()), None)
    if found is None or not snapshot.reach.is_live(now):
        return
    age_s = snapshot.reach.age_s(now)
    if not found.is_up:
        yield Check(f"{taker} reached", FAIL, found.detail, age_s, is_overridable=True)
    elif found.is_degraded:
        yield Check(f"{taker} reached", WARN, found.detail, age_s)


def _impact(snapshot: Snapshot, name: str, taker: str) -> Iterator[str]:
    venue = venue_of(snapshot, name)
    stay = "they stay there, neither cancelled nor sent again"
    if venue is None or venue.open_orders is None:
        words = "unknown" if venue is None else venue.orders_words
        yield f"how many orders are open at {name} is {words}: {stay}"
    else:
        yield f"{venue.open_orders} orders are open at {name}: {stay}"
    flow = snapshot.flow.value
    in_flight = "unknown" if flow is None or flow.in_flight is None else str(flow.in_flight)
    yield f"{in_flight} orders in flight over all venues; those not yet sent go to {taker}"
