"""The kill switch after the restart: read as soon as Redis has loaded, engaged where it was or may have been."""

from __future__ import annotations

import asyncio
import shlex

from actions.kill_switch.words import other_rungs
from actions.redis_container.halt import Halt
from actions.step import Result, Stage, Step
from cockpit.clients.redis_facts import is_true
from cockpit.clients.redis_write import RedisWriter
from cockpit.config import Settings
from cockpit.errors import BackendError, ConfigError
from cockpit.model.job import StepState

TRY_S = 0.2
MARGIN_S = 15.0
_AS_READ = {
    "true": "engaged, as before",
    "false": "engaged now; it was released before: by somebody else, or by the latch of a halt on a host",
}
"""By what was read before the restart, where nothing had to be written after it."""
UNSURE = "whether it was engaged before the restart of Redis is unknown: engaged to be safe"
DONE, FAILED, UNKNOWN = StepState.DONE, StepState.FAILED, StepState.UNKNOWN


class PutBack(Step):
    """Tried until it reads back or the time to load is over; then it is said loudly what else stops trading."""

    is_protective = True

    def fit(self, settings: Settings) -> None:
        """A large append-only file takes as long as the configuration says."""
        self.deadline_s = (settings.redis.loading_s if settings.redis is not None else 0.0) + MARGIN_S

    async def perform(self, stage: Stage) -> Result:
        """Not only an outage is tried through: a refusal may end too, a replica become the primary."""
        part = stage.settings.redis
        if part is None:
            raise ConfigError("no Redis is configured")
        halt, writer = Halt.from_facts(stage.facts), RedisWriter(part)
        ends_at, has_written, why = stage.clock.monotonic() + part.loading_s, False, "not read"
        try:
            while stage.clock.monotonic() < ends_at:
                try:
                    if is_true((await writer.read_kill_switch()).get("enabled")):
                        return _engaged(halt, has_written)
                    if not halt.is_put_back:
                        return Result(DONE, "not engaged, it was not before", {"reasserted": False})
                    await _write(writer, halt, stage)
                    has_written, why = True, "it was written and does not read back"
                except BackendError as error:
                    why = str(error)
                    stage.tell(f"waiting for Redis: {why}")
                await asyncio.sleep(TRY_S)
        finally:
            await writer.close()
        return _lost(stage.settings, halt, f"{why}, for {part.loading_s:.0f} s")

    def probe(self, stage: Stage) -> Result:
        """Whether it is as it was."""
        sample, halt = stage.snapshot.kill_switch, Halt.from_facts(stage.facts)
        if sample.value is None or not sample.is_live(stage.clock.now()):
            return Result(UNKNOWN, sample.error or "the kill switch was not read")
        if sample.value.is_engaged or not halt.is_put_back:
            return Result(DONE, "engaged" if sample.value.is_engaged else "not engaged, it was not before")
        return _lost(stage.settings, halt, "it is NOT engaged now")


async def _write(writer: RedisWriter, halt: Halt, stage: Stage) -> None:
    """The same halt as before, with its own time; a halt of ours where it is not known."""
    now_ms = int(stage.clock.now() * 1000)
    if halt.halted == "true":
        await writer.set_kill_switch(True, halt.by, halt.reason, halt.since_ms or now_ms)
    else:
        await writer.set_kill_switch(True, stage.operator.label, UNSURE, now_ms)


def _engaged(halt: Halt, has_written: bool) -> Result:
    if not has_written:
        return Result(DONE, _AS_READ.get(halt.halted, "engaged"), {"reasserted": False})
    lost = "LOST by the restart, engaged again" if halt.halted == "true" else "not known before: ENGAGED to be safe"
    return Result(DONE, lost, {"reasserted": True})


def _lost(settings: Settings, halt: Halt, why: str) -> Result:
    """Trading may go on without its halt: what else stops it stands first."""
    if not halt.is_put_back:
        return Result(FAILED, f"Redis does not answer after the restart: {why}")
    return Result(FAILED, f"THE HALT IS NOT BACK ({why}). NOW: {'; or '.join(other_rungs(settings))}")


def command_words(key: str, halt: Halt) -> str:
    """As it stands in the plan."""
    read, name = f"HGETALL {shlex.quote(key)}", shlex.quote(key)
    if halt.halted == "true":
        by, reason = shlex.quote(halt.by), shlex.quote(halt.reason)
        return f"{read}; HSET {name} enabled true reason {reason} by {by} ts {halt.since_ms} where it was lost"
    if halt.halted == "false":
        return f"{read}; engaged again if it is not read as released right before the restart"
    return f"{read}; HSET {name} enabled true reason {shlex.quote(UNSURE)} where it is not engaged"
