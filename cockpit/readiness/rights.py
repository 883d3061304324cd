"""What the cockpit's own logins may do: Kubernetes and Redis are asked, without doing it."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.clients.kubernetes_access import Right, may
from cockpit.clients.kubernetes_words import all_deployments
from cockpit.clients.redis_rights import Rights, ask_rights
from cockpit.clients.resp import Command
from cockpit.clock import Clock
from cockpit.config import KubernetesPart, RedisPart, Settings
from cockpit.errors import BackendError, ConfigError
from cockpit.readiness.look import Concerns, Look, failed, of, passed, unknown, warned

AHEAD_S = 1.0
"""Clocks that differ by more make ages of what Redis dates wrong."""
FAR_AHEAD_S = 30.0
ROLE = "have the role bound to it: kubectl auth can-i says the same"
ACL = "have it allowed: ACL SETUSER, in the file that the server reads"


async def cluster_looks(settings: Settings) -> list[Look]:
    """Each right that a step of rollouts needs."""
    part = settings.kubernetes
    if part is None:
        return []
    wanted = _rights(part)
    everything = of("rollout.")
    try:
        answers = await may(part, [right for right, _ in wanted])
    except (BackendError, ConfigError) as error:
        return [unknown("rights in Kubernetes", str(error), "look at the panel Kubernetes", everything)]
    refused = [(right, concerns) for (right, concerns), is_given in zip(wanted, answers, strict=True) if not is_given]
    if not refused:
        return [passed("rights in Kubernetes", f"all {len(wanted)} that the steps need", everything)]
    return [failed("rights in Kubernetes", f"may not {_words(right)}", ROLE, concerns) for right, concerns in refused]


def _rights(part: KubernetesPart) -> list[tuple[Right, Concerns]]:
    patching, undoing = of("rollout.restart", "rollout.undo", "rollout.scale"), of("rollout.undo")
    found: list[tuple[Right, Concerns]] = [(("list", "replicasets", ""), undoing)]
    found += [(("patch", "deployments", name), patching) for name in all_deployments(part)]
    return found


def _words(right: Right) -> str:
    verb, resource, name = right
    return f"{verb} {resource} {name}".strip()


async def redis_looks(settings: Settings, clock: Clock) -> list[Look]:
    """Rights where the server tells them, and its clock."""
    part = settings.redis
    if part is None:
        return []
    wanted = _commands(part)
    try:
        rights = await ask_rights(part, [command for command, _ in wanted], clock)
    except (BackendError, ConfigError) as error:
        return [unknown("Redis' clock", str(error), "look at the panel Redis")]
    return [*_allowed(wanted, rights), _clock(rights.ahead_s)]


def _commands(part: RedisPart) -> list[tuple[Command, Concerns]]:
    """What steps, and the programs that they run with the same address, send."""
    fills = part.order_streams.get("fills", "orders.fills")
    putting_back = of("script.replay")
    return [
        (("HSET", part.kill_switch_key, "enabled", "true"), of("kill_switch.", "redis_container.")),
        (("HSET", part.route_override_key, "venue", "adapter"), of("reroute.away")),
        (("HDEL", part.route_override_key, "venue"), of("reroute.back")),
        (("BGSAVE",), of("snapshot.")),
        (("XADD", fills, "*", "json", "{}"), putting_back),
        (("HSET", part.positions_key, "symbol", "{}"), putting_back),
        (("XADD", part.order_streams.get("incoming", "orders.incoming"), "*", "json", "{}"), of("script.flatten")),
    ]


def _allowed(wanted: list[tuple[Command, Concerns]], rights: Rights) -> Iterator[Look]:
    name = "rights in Redis"
    for (command, concerns), refused in zip(wanted, rights.refused, strict=True):
        if refused:
            yield failed(name, f"{' '.join(map(str, command[:2]))}: {refused}", ACL, concerns)
    if any(refused is None for refused in rights.refused):
        words = f"user {rights.user}; what it may do, this Redis does not tell (before 7.0, or no right to ask)"
        yield warned(name, words, "")
    else:
        yield passed(name, f"user {rights.user}, asked for {len(wanted)} commands that steps send")


def _clock(ahead_s: float | None) -> Look:
    if ahead_s is None:
        return unknown("Redis' clock", "it does not tell the time", "let the cockpit's user run TIME")
    words = f"{abs(ahead_s):.3f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
    advice = "look at chrony or ntpd on both hosts: ages would be wrong"
    if abs(ahead_s) > FAR_AHEAD_S:
        return failed("Redis' clock", words, advice)
    return warned("Redis' clock", words, advice) if abs(ahead_s) > AHEAD_S else passed("Redis' clock", words)
