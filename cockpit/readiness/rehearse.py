"""The rehearsal: all plans, all looks around them, at once and each within its time; nothing is submitted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from cockpit.clients.bounded import DaemonPool
from cockpit.clock import Clock
from cockpit.config import Settings
from cockpit.model.plan import Verdict
from cockpit.model.rehearsal import Rehearsal
from cockpit.model.snapshot import Snapshot
from cockpit.model.told import Told
from cockpit.readiness.house import house_looks
from cockpit.readiness.look import Look, unknown
from cockpit.readiness.programs import program_looks
from cockpit.readiness.rights import cluster_looks, redis_looks
from cockpit.readiness.verdicts import judged, shared

LIMIT_S = 90.0
"""The whole of one look; each has its own deadlines below that."""
Tell = Callable[[str], None]


def rehearse(
    settings: Settings, state: Path, told: Iterable[Told], snapshot: Snapshot, clock: Clock, by: str, tell: Tell
) -> Rehearsal:
    """Everything; blocks, and may take a minute where a dump is large."""
    began_at, began = clock.now(), clock.monotonic()
    steps = tuple(told)
    tell(f"{len(steps)} steps planned, nothing submitted; looking around them")
    looks = _run(_looks(settings, state, snapshot, clock, tell))
    lines = [shared(look) for look in looks if look.is_shared]
    lines += [judged(step, looks) for step in steps]
    lines += [shared(look) for look in looks if not look.is_shared and _is_for_nobody(look, steps)]
    took_s = round(clock.monotonic() - began, 3)
    return Rehearsal(began_at, took_s, settings.world.value, settings.site, by, tuple(lines))


def _run(looking: Coroutine[Any, Any, list[Look]]) -> list[Look]:
    """On a loop that leaves behind what hangs: a dead disk must not make this the last rehearsal."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonPool())
    try:
        return loop.run_until_complete(looking)
    finally:
        loop.close()


def _is_for_nobody(look: Look, steps: Iterable[Told]) -> bool:
    """A failure that concerns no step of this runbook is still told."""
    return look.check.verdict is Verdict.FAIL and not any(look.concerns(step.row) for step in steps)


async def _looks(settings: Settings, state: Path, snapshot: Snapshot, clock: Clock, tell: Tell) -> list[Look]:
    async def house() -> list[Look]:
        return await asyncio.to_thread(lambda: list(house_looks(settings, state)))

    parts: dict[str, Awaitable[list[Look]]] = {
        "this host": house(),
        "programs and dump": program_looks(settings, snapshot, clock.now()),
        "rights in Kubernetes": cluster_looks(settings),
        "rights in Redis": redis_looks(settings, clock),
    }
    found = await asyncio.gather(*(_within(name, part, tell) for name, part in parts.items()))
    return [look for each in found for look in each]


async def _within(name: str, part: Awaitable[list[Look]], tell: Tell) -> list[Look]:
    """What fails costs its own answer and no other."""
    try:
        looks = await asyncio.wait_for(part, LIMIT_S)
    except Exception as error:
        words = "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
        return [unknown(name, words, "r looks again")]
    tell(f"{name}: looked at")
    return looks
