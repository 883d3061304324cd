"""Replay from the ledger: Redis' order streams, groups and positions rebuilt, then counted once more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from actions.checks import world_check
from actions.script.book import LEDGER_EQUAL, halted, held, ledger_equal, ledger_words, writable
from actions.script.command import Command, command_step, program_check
from actions.snapshot.kept_check import chain_check, kept_check
from actions.step import Result, Stage, Step
from cockpit.clients.ledger import read_ledger
from cockpit.config import Settings
from cockpit.errors import BackendError
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.snapshot import Snapshot

ID = "script.replay"
EVIDENCE = frozenset({"redis", "risk", "kill_switch", "flow"})
DEADLINE_S = 20.0
COUNT = 1
"""The step that only counts."""
CHAIN = "the ledger's hash chain is whole"
NOTHING_LEFT = "a second run would change nothing"
VERIFIED = re.compile(r"ledger: ([\d,]+) events, hash chain verified")
MISSING = re.compile(r"([\d,]+) missing")


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """What replaying would do now."""
    command = settings.scripts.replay
    name = settings.scripts.ledger.name
    return Plan(
        action=ID,
        title=f"Replay from {name}",
        sentence="Puts back into Redis what the ledger has and Redis lacks: orders, fills, groups, positions.",
        world=settings.world,
        site=settings.site,
        target=name,
        danger=Danger.DISRUPT,
        parameters=(),
        steps=(
            command_step("replayed", command, settings.scripts.replay_timeout_s),
            command_step("counted again", (*command, "--dry-run"), settings.scripts.replay_timeout_s),
        ),
        checks=tuple(_checks(settings, snapshot, now)),
        impact=tuple(_impact(settings, snapshot, now)),
        proofs=(CHAIN, NOTHING_LEFT, LEDGER_EQUAL),
        proof_deadline_s=DEADLINE_S,
        undo="none needed: what is there is not written again, and no order is executed again",
        phrase=name,
        locks=("book",),
        is_cancellable=True,
        prepared_at=now,
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The program twice, the second time only counting."""
    return (_Replay(plan, 0), _Count(plan, 1))


class _Replay(Command):
    settle_s = 0.0
    """Nothing of it is under way once its program has ended."""

    def before(self, stage: Stage) -> dict[str, Any]:
        """Where the ledger ends: what came later is not put back."""
        found = super().before(stage)
        with suppress(BackendError):
            newest_ms = read_ledger(stage.settings.below_root(stage.settings.scripts.ledger)).newest_ms
            found |= {} if newest_ms is None else {"recovered_to": newest_ms / 1000}
        return found

    def read(self, said: str) -> dict[str, Any]:
        """How many events it verified before it changed anything."""
        return _verified(said)

    async def look(self, stage: Stage) -> Result:
        """Half a replay looks like none by the snapshot: the program itself counts what is missing."""
        counted = await _Count(stage.plan, COUNT, stage.plan.steps[COUNT].timeout_s).perform(stage)
        if counted.state is not StepState.DONE or counted.facts["missing"] is None:
            return Result(StepState.UNKNOWN, f"nothing could be counted: {counted.detail}")
        if counted.facts["missing"]:
            return Result(StepState.FAILED, f"{counted.facts['missing']} entries are missing; it may be run again")
        return Result(StepState.DONE, "none of the ledger's entries is missing", counted.facts)


class _Count(Command):
    is_look = True

    def read(self, said: str) -> dict[str, Any]:
        """How many entries are missing, over all streams, and how many events it verified; None where it is silent."""
        found = [int(number.replace(",", "")) for number in MISSING.findall(said)]
        return {"missing": sum(found) if found else None, **_verified(said)}

    async def look(self, stage: Stage) -> Result:
        """It changes nothing: to look is to count."""
        return await self.perform(stage)


def _verified(said: str) -> dict[str, Any]:
    found = VERIFIED.search(said)
    return {"verified_events": found[1]} if found else {}


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """What the program verified and counted, and the positions side by side."""
    return (_chain(stage.facts), _nothing_left(stage.facts), ledger_equal(stage))


def _chain(facts: Mapping[str, Any]) -> JobStep:
    events = facts.get("verified_events")
    if events is None:
        return JobStep(CHAIN, StepState.UNKNOWN, "the program did not say")
    return JobStep(CHAIN, StepState.DONE, f"{events} events, verified before anything was changed")


def _nothing_left(facts: Mapping[str, Any]) -> JobStep:
    missing = facts.get("missing")
    if missing is None:
        return JobStep(NOTHING_LEFT, StepState.UNKNOWN, "the program did not say")
    if missing:
        return JobStep(NOTHING_LEFT, StepState.FAILED, f"{missing} entries are missing")
    return JobStep(NOTHING_LEFT, StepState.DONE, "none of the ledger's entries is missing")


def _checks(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[Check]:
    yield from world_check(settings.world)
    yield program_check(settings, settings.scripts.replay)
    yield _ledger(settings)
    yield writable(snapshot, now)
    yield halted(snapshot, now, "live orders mix in with what is put back")
    yield kept_check(settings, snapshot, now)
    yield from chain_check(settings)


def _ledger(settings: Settings) -> Check:
    try:
        ledger = read_ledger(settings.below_root(settings.scripts.ledger))
    except BackendError as error:
        return Check("ledger", Verdict.FAIL, str(error))
    if not ledger.events:
        return Check("ledger", Verdict.FAIL, "it holds no event: there is nothing to put back")
    return Check("ledger", Verdict.PASS, f"{ledger.events:,} events")


def _impact(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[str]:
    try:
        yield ledger_words(settings, now)
    except BackendError as error:
        yield str(error)
    yield from _in_redis(settings, snapshot, now)
    yield "entries that Redis has are not written again; live ones behind them are kept"


def _in_redis(settings: Settings, snapshot: Snapshot, now: float) -> Iterator[str]:
    """What is there already, and what of the positions differs."""
    flow, risk = snapshot.flow.value, snapshot.risk.value
    if flow is None or not snapshot.flow.is_live(now):
        yield "what Redis holds is unknown: what is missing is counted before it is written"
    else:
        depths = ", ".join(f"{one.name} {'absent' if one.depth is None else f'{one.depth:,}'}" for one in flow.streams)
        yield f"Redis holds {depths}"
    if risk is None or not snapshot.risk.is_live(now):
        return
    with suppress(BackendError):
        ledger = read_ledger(settings.below_root(settings.scripts.ledger)).positions
        here = held(snapshot)
        different = sum(here.get(symbol) != ledger.get(symbol) for symbol in here.keys() | ledger.keys())
        yield f"{different} positions differ from the ledger's and are written"
