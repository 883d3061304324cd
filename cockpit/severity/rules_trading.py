"""Trading itself: the flow of orders through risk manager, router and ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from cockpit.severity import sections, words
from cockpit.severity.rule import Hit, View, rule
from cockpit.severity.rules_brokers import DOWN

if TYPE_CHECKING:
    from cockpit.model.states import Group, Heartbeat, OrderFlow, Stream

LEAST_BEHIND = 25
"""A slow stream's group is not late before it is behind by this many entries (a burst is about five)."""
CRUCIAL = ("incoming", "validated", "fills")
"""The streams, by label, that there must be; nothing may ever have been rejected."""
LEAST_DECIDED = 5.0
"""With fewer orders a second than this a share says nothing."""
WARM_UP_S = 10.0
"""A Redis this young may not have all its streams yet."""
PLACES = {
    "market": ("feeds", sections.FEED),
    "candles": ("feeds", sections.FEED),
    "ws-gateway": ("feeds", sections.FEED),
    "pgwriter": ("postgres", sections.POSTGRES),
}
"""Where a silent component shows, and what answers it; all others belong to the flow of orders."""


@rule("flow", panel="flow", section=sections.BROKER)
def group_behind(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """A worker does not keep up with its stream."""
    for stream in flow.judged:
        yield from behind(view, stream)


@rule("flow", panel="flow", section=sections.BROKER)
def pending_old(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """A worker has taken entries and not finished them."""
    limit_s = view.limits.pending_age_s
    for stream in flow.judged:
        for group in stream.groups:
            if group.oldest_pending_s is not None and group.oldest_pending_s > limit_s:
                age = words.seconds(group.oldest_pending_s)
                yield Hit(
                    group.name,
                    group_severity(view, group),
                    f"{group.name}: {group.pending or 'some'} pending on {stream.name}, oldest {age}",
                    age,
                    words.seconds(limit_s),
                    since=view.ago(group.oldest_pending_s),
                    by_hand=by_hand(view, group.name),
                )


@rule("flow", panel="flow", section=sections.REDIS)
def entries_lost(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """Entries were trimmed before their group read them."""
    for stream in flow.judged:
        for group in stream.groups:
            if group.has_lost_entries:
                yield Hit(
                    f"{stream.name}/{group.name}",
                    group_severity(view, group),
                    f"{group.name} lost entries of {stream.name}: trimmed unread",
                    "trimmed unread",
                    "none",
                )


@rule("flow", panel="flow", section=sections.REDIS)
def stream_missing(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """An order stream is not there, as after a Redis that lost its data."""
    if is_warming_up(view):
        return
    for stream in _crucial(flow):
        if stream.depth is None and stream.fault is None:
            yield Hit(stream.name, Severity.P2, f"stream {stream.name} does not exist", "absent", "present")


@rule("flow", panel="flow", section=sections.RISK, readings=3)
def rejects_many(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """The risk manager refuses more than it should; a halt refuses all, and is told by itself."""
    limit, switch = view.limits.reject_fraction, view.snapshot.kill_switch.value
    rates = {stream.label: stream.rate_per_s for stream in flow.judged}
    rejected, validated = rates.get("rejected"), rates.get("validated")
    if limit is None or rejected is None or validated is None or (switch is not None and switch.is_engaged):
        return
    decided = rejected + validated
    if decided >= LEAST_DECIDED and rejected / decided > limit:
        share, most = f"{rejected / decided:.0%}", f"{limit:.0%}"
        share, most = share.replace("%", " %"), most.replace("%", " %")
        # What a broker that is down sends back is no breach of a limit: nothing is to be flattened for it.
        section = sections.BROKER if _is_broker_down(view) else None
        yield Hit("orders", Severity.P3, f"rejected {share} > {most} of the orders", share, most, section=section)


@rule("flow", panel="flow", section=sections.REDIS)
def stream_unreadable(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """A stream that is denied, or is none, hides how the orders flow."""
    for stream in flow.judged:
        if stream.fault is not None:
            severity = Severity.P2 if stream.label in CRUCIAL else Severity.P3
            yield Hit(stream.name, severity, f"{stream.name} unreadable: {stream.fault}", stream.fault, "readable")


@rule("flow", panel="flow", section=sections.REDIS)
def group_missing(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """Nobody reads for a worker without which orders are not safely traded."""
    if is_warming_up(view) or any(stream.depth is None for stream in _crucial(flow)):
        return  # a stream that is not there, or not readable, is told by itself
    workers = view.settings.critical_workers
    there = _groups_of(flow.judged)
    if not there.issuperset(workers):
        there = _groups_of(flow.streams)
    for name in workers:
        if name not in there:
            yield Hit(name, Severity.P2, f"{name}: its consumer group is on no order stream", "absent", "present")


@rule("flow", panel="flow", section=sections.REDIS, readings=5)
def lag_unknown(view: View, flow: OrderFlow) -> Iterator[Hit]:
    """For long nobody can tell how far such a worker is behind."""
    for stream in flow.judged:
        for group in stream.groups:
            if group.lag is None and group.name in view.settings.critical_workers:
                summary = f"{group.name}: how far behind on {stream.name} is unknown"
                yield Hit(f"{stream.name}/{group.name}", Severity.P2, summary, "unknown lag", "known")


@rule("heartbeats", panel="flow", section=sections.BROKER)
def worker_missing(view: View, heartbeats: tuple[Heartbeat, ...]) -> Iterator[Hit]:
    """A worker without which orders are not safely traded never gave a sign of life."""
    there = {heartbeat.component for heartbeat in heartbeats}
    for name in () if is_warming_up(view) else view.settings.critical_workers:
        if name not in there:
            limit = words.seconds(view.limits.heartbeat_s)
            yield Hit(name, Severity.P2, f"{name}: there is no heartbeat of it", "no heartbeat", limit)


@rule("heartbeats", panel="flow", section=sections.BROKER)
def worker_silent(view: View, heartbeats: tuple[Heartbeat, ...]) -> Iterator[Hit]:
    """A component of the platform gives no sign of life."""
    limit_s = view.limits.heartbeat_s
    for heartbeat in heartbeats:
        if heartbeat.age_s is None or heartbeat.age_s > limit_s:
            panel, section = PLACES.get(heartbeat.component, (None, None))
            age = "an unknown time" if heartbeat.age_s is None else words.seconds(heartbeat.age_s)
            yield Hit(
                heartbeat.component,
                worker_severity(view, heartbeat.component),
                f"{heartbeat.component}: no heartbeat for {age}",
                age,
                words.seconds(limit_s),
                panel=panel,
                section=section,
                since=view.ago(heartbeat.age_s),
                by_hand=by_hand(view, heartbeat.component),
            )


def behind(view: View, stream: Stream) -> Iterator[Hit]:
    """The groups of one stream that are late, by entries or by time.

    At 50 orders a second 100 entries are two seconds: time tells sooner than the count.
    """
    rate = stream.rate_per_s or 0.0
    limit = min(view.limits.group_lag, max(LEAST_BEHIND, rate * view.limits.group_behind_s))
    for group in stream.groups:
        if group.lag is not None and group.lag > limit:
            least = "at least " if group.is_lag_capped else ""
            time = f" ({words.seconds(group.lag / rate)})" if rate > 0 else ""
            yield Hit(
                f"{stream.name}/{group.name}",
                group_severity(view, group),
                f"{group.name} is {least}{group.lag:,}{time} behind on {stream.name}",
                f"{group.lag:,} entries",
                f"{limit:,.0f} entries",
                by_hand=by_hand(view, group.name),
            )


def is_warming_up(view: View) -> bool:
    """Whether Redis is known to be so young that something may be missing yet."""
    redis = view.snapshot.redis
    uptime_s = redis.value.uptime_s if redis.value is not None and redis.is_live(view.now) else None
    return uptime_s is not None and uptime_s < WARM_UP_S


def _is_broker_down(view: View) -> bool:
    sample = view.snapshot.venues
    return sample.is_live(view.now) and any(venue.status in DOWN for venue in sample.value or ())


def by_hand(view: View, worker: str) -> str:
    """How a worker that stands still is started again: no step of a section of trading does that."""
    if worker not in view.settings.critical_workers:
        return ""
    part = view.settings.kubernetes
    if part is not None and worker in part.deployments:
        return f"Restart a deployment, with {worker} (section 4)"
    return f"no step restarts {worker}: restart its process where it runs"


def _groups_of(streams: tuple[Stream, ...]) -> set[str]:
    return {group.name for stream in streams for group in stream.groups}


def _crucial(flow: OrderFlow) -> tuple[Stream, ...]:
    return tuple(stream for stream in flow.judged if stream.label in CRUCIAL)


def group_severity(view: View, group: Group) -> Severity:
    """How much a late consumer group matters."""
    return Severity.P2 if group.name in view.settings.critical_workers else Severity.P3


def worker_severity(view: View, component: str) -> Severity:
    """How much a silent component matters."""
    if component in view.settings.critical_workers:
        return Severity.P2
    return Severity.P4 if component in view.settings.cosmetic_workers else Severity.P3


RULES = (
    group_behind,
    pending_old,
    entries_lost,
    stream_missing,
    stream_unreadable,
    rejects_many,
    group_missing,
    lag_unknown,
    worker_missing,
    worker_silent,
)
