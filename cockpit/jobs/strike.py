"""The protective write, hedged: a warm connection first, a fresh one at once where it fails or hesitates."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from actions.kill_switch.intent import Write
from cockpit.clients.redis_write import RedisWriter
from cockpit.errors import BackendError, CockpitError, Refused

HEDGE_S = 0.25
"""A healthy Redis answers in a millisecond; a connection that a firewall forgot never does."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the write."""

    is_done: bool
    is_known: bool
    """False where a try was sent and no answer came: it may have been written."""
    detail: str
    redis_ms: int | None = None
    """Redis' own time right after it."""


async def strike(writer: RedisWriter, write: Write) -> Outcome:
    """Write it; the same write twice does no harm, so a second try runs beside the first instead of after it."""
    tries = {asyncio.create_task(_once(writer, write))}
    errors: list[CockpitError] = []
    has_hedged = False
    while True:
        done, tries = await asyncio.wait(
            tries, timeout=None if has_hedged else HEDGE_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            result = task.result()
            if isinstance(result, int):
                _abandon(tries)
                return Outcome(True, True, "Redis took it", result)
            errors.append(result)
        if any(isinstance(error, Refused) for error in errors):
            # The server's own no: it will not say yes to the same on another connection. What another try did before
            # that is another matter.
            _abandon(tries)
            return _failed(errors, has_open=bool(tries))
        if not has_hedged:
            has_hedged = True
            tries.add(asyncio.create_task(_once(writer, write)))
        if not tries:
            return _failed(errors)


async def _once(writer: RedisWriter, write: Write) -> int | CockpitError:
    try:
        may_replace = None if write.over is None else write.may_replace
        await writer.set_kill_switch(write.enabled, write.by, write.reason, write.ts_ms, may_replace)
    except CockpitError as error:
        return error
    return writer.written_ms or write.ts_ms


def _failed(errors: list[CockpitError], has_open: bool = False) -> Outcome:
    """The server's words first; silence is not a no, and a connection that broke after it was sent is silence."""
    is_known = not has_open and not any(isinstance(each, BackendError) and each.was_sent for each in errors)
    refused = next((error for error in errors if isinstance(error, Refused)), None)
    if refused is not None:
        doubt = "" if is_known else "; another try was sent and not answered"
        return Outcome(False, is_known, f"Redis refused it: {refused}{doubt}")
    if not is_known:
        return Outcome(False, False, f"Redis did not say whether it took it: {errors[-1]}")
    return Outcome(False, True, f"Redis cannot be reached, tried twice: {errors[-1]}")


def _abandon(tries: set[asyncio.Task[int | CockpitError]]) -> None:
    for task in tries:
        task.cancel()
