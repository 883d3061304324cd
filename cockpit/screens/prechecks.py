"""Asks, step by step, whether each could be taken now: a few at a time, never one twice, nobody is shown the plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from cockpit.model.action import ActionSpec
from cockpit.model.plan import Plan
from cockpit.screens.desk import Desk
from widgets.standing import Standing, standing

AT_ONCE = 4
"""So many are on their way at most: what hangs must not pile up."""
AGAIN_S = 3.0


class Prechecks:
    """What each step's checks said last."""

    def __init__(self, desk: Desk, landed: Callable[[], None]) -> None:
        self._desk = desk
        self._landed = landed
        self._asked: set[str] = set()
        self._said: dict[str, Standing] = {}
        self._to_be_seen: Sequence[ActionSpec] = ()

    def of(self, step: ActionSpec) -> Standing:
        """The verdict on a step, for what it is worth now."""
        return self._said.get(step.step, Standing()).as_of(self._desk.clock.now())

    def ask(self, steps: Sequence[ActionSpec]) -> None:
        """Ask for those of these steps whose verdict is the oldest; called once a second, for what is to be seen."""
        self._to_be_seen = steps
        now = self._desk.clock.now()
        self._ask([step for step in steps if self._at(step) < now - AGAIN_S])

    def _ask(self, due: Sequence[ActionSpec]) -> None:
        session = self._desk.session
        if session is None:
            return
        others = [step for step in due if step.step not in self._asked]
        for step in sorted(others, key=self._at)[: max(0, AT_ONCE - len(self._asked))]:
            self._asked.add(step.step)
            asked = session.prepare(step.step, {}, is_shown=False)
            asked.add_done_callback(lambda done, of=step: self._soon(of, done))  # type: ignore[misc]

    def _at(self, step: ActionSpec) -> float:
        return self._said.get(step.step, Standing()).at

    def _soon(self, step: ActionSpec, done: Future[Plan]) -> None:
        """On whatever thread it was answered."""
        error = done.exception()
        plan = None if error else done.result()
        words = (str(error) or type(error).__name__) if error else ""
        self._desk.soon(self._told, step, plan, words)

    def _told(self, step: ActionSpec, plan: Plan | None, words: str) -> None:
        self._asked.discard(step.step)
        self._said[step.step] = standing(plan, words, self._desk.clock.now(), step.chosen, step.asks)
        # What was never asked does not wait for the next second: the whole list says at once where it stands.
        self._ask([one for one in self._to_be_seen if one.step not in self._said])
        self._landed()
