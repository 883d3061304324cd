"""Looks until every proof holds or the time is over, and journals what it sees."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from cockpit.clock import Clock
from cockpit.errors import BackendError
from cockpit.jobs import journaling
from cockpit.model.job import JobStep, Phase, StepState
from cockpit.storage.fold import KINDS
from cockpit.storage.journal import Entry

LOOK_S = 0.25
TELL_S = 1.0
"""A proof that is not decided tells its news this often at most: each line waits for the disk."""
SURE_S = 1.0
"""A write that was sent without an answer may still be executed a moment after Redis answers again."""


class Prover(Protocol):
    """What looks at the platform."""

    gave_up: bool
    """Whether a proof has failed for good, so that nothing is to be waited for."""

    async def look(self) -> tuple[tuple[StepState, str], tuple[JobStep, ...]]:
        """Whether the act is there, and each proof as it stands now."""

    async def close(self) -> None:
        """Let go of what it holds."""


Failure = Callable[[str, bool], Sequence[str]]
"""What an operator must know and do: by the error, and by whether it is known that nothing was done."""


class Proving:
    """One run over the proofs of one job."""

    def __init__(
        self,
        prover: Prover,
        names: Sequence[str],
        record: Callable[[Entry], object],
        clock: Clock,
        is_act_known: bool,
        late: StepState = StepState.UNKNOWN,
        failure: Failure = lambda error, is_known: (),
        stopped: Callable[[], str] = str,
    ) -> None:
        """`late`: what a proof becomes that did not hold in time; `failure`: what is said where not all hold.

        `stopped`: who does not want to wait for it any more, empty as long as nobody says so.
        """
        self._prover = prover
        self._late = late
        self._failure = failure
        self._stopped = stopped
        self._done = "written" if late is StepState.UNKNOWN else "done"
        self._record = record
        self._clock = clock
        self._is_act_known = is_act_known
        self._missing_since: float | None = None
        self._is_missing = False
        self._steps = [JobStep(name) for name in names]
        self._told_at = 0.0
        self._error: str | None = None

    async def run(self, deadline_s: float) -> Phase:
        """How it ended; the journal says the same."""
        ends_at = self._clock.monotonic() + deadline_s
        self._tell("verifying", pid=os.getpid(), deadline_s=deadline_s)
        try:
            while True:
                if await self._look() or self._clock.monotonic() >= ends_at:
                    return self._conclude()
                if self._stopped():
                    return self._cancel()
                await asyncio.sleep(LOOK_S)
        finally:
            await self._prover.close()

    async def _look(self) -> bool:
        """Whether nothing more is to be waited for."""
        try:
            act, steps = await self._prover.look()
        except BackendError as error:
            self._error = str(error)
            return False
        self._error = None
        if not self._is_act_known and self._settle(*act):
            return True
        if self._is_act_known:
            self._note(steps)
        return self._prover.gave_up or all(step.state is StepState.DONE for step in self._steps)

    def _settle(self, state: StepState, detail: str) -> bool:
        """The act's own outcome, where nobody could write it down; whether it is known not to be done."""
        now = self._clock.monotonic()
        if state is StepState.DONE:
            self._is_act_known = True
            self._tell("step_done", step=0, detail=detail)
            return False
        if self._missing_since is None:
            self._missing_since = now
        if now - self._missing_since < SURE_S:
            return False
        self._tell("step_failed", step=0, detail=detail)
        self._is_missing = True
        self._error = detail
        return True

    def _note(self, steps: tuple[JobStep, ...]) -> None:
        now = self._clock.monotonic()
        may_chat = now - self._told_at >= TELL_S
        for index, (before, after) in enumerate(zip(self._steps, steps, strict=True)):
            if after.state is before.state and not (may_chat and after.detail != before.detail):
                continue
            self._steps[index] = after
            self._told_at = now
            self._tell_proof(index, after)

    def _conclude(self) -> Phase:
        if not self._is_act_known:
            return self._end_unknown()
        for index, step in enumerate(self._steps):
            if step.state in (StepState.WAITING, StepState.RUNNING) or self._error is not None:
                state = self._late if self._error is None else StepState.UNKNOWN
                detail = step.detail if self._error is None else f"Redis: {self._error}"
                self._steps[index] = replace(step, state=state, detail=detail, took_s=None)
                self._tell_proof(index, self._steps[index])
        open_ = [step for step in self._steps if step.state is not StepState.DONE]
        if not open_:
            return self._end(Phase.DONE, None)
        words = "; ".join(f"{step.name}: {step.detail or 'not seen'}" for step in open_)
        is_failed = any(step.state is StepState.FAILED for step in open_)
        # It is written: of what is to be said then, only the first line, which is the verdict, does not hold.
        self._warn(self._failure(words, True)[1:])
        return self._end(Phase.FAILED if is_failed else Phase.IN_DOUBT, f"{self._done}, but not proven. {words}")

    def _cancel(self) -> Phase:
        """Everything is done: only the waiting is stopped."""
        held = [step.name for step in self._steps if step.state is StepState.DONE]
        left = [step.name for step in self._steps if step.state is not StepState.DONE]
        words = f"done, then stopped by {self._stopped()} before it was proven; not seen: {', '.join(left)}"
        return self._end(Phase.CANCELLED, words + (f"; seen: {', '.join(held)}" if held else ""))

    def _end_unknown(self) -> Phase:
        error = self._error or "it was not seen, but not for long enough to be sure"
        self._warn(self._failure(error, self._is_missing))
        if self._is_missing:
            return self._end(Phase.FAILED, f"not done: {error}")
        return self._end(Phase.IN_DOUBT, f"whether it was done is unknown: {error}")

    def _warn(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._record(journaling.note(self._clock.now(), text))

    def _end(self, phase: Phase, error: str | None) -> Phase:
        facts = {} if error is None else {"error": error}
        self._record(Entry(self._clock.now(), KINDS[phase], facts))
        return phase

    def _tell_proof(self, index: int, step: JobStep) -> None:
        known = {} if step.fraction is None else {"fraction": step.fraction}
        self._tell("proof", proof=index, state=step.state.value, detail=step.detail, took_s=step.took_s, **known)

    def _tell(self, kind: str, **facts: object) -> None:
        self._record(Entry(self._clock.now(), kind, facts))
