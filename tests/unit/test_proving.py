"""How a proof ends: what is known then, and what the operator must do where it does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actions.kill_switch.engage import KEPT
from actions.kill_switch.evidence import Evidence
from actions.kill_switch.proofs import OPEN_ORDERS
from actions.kill_switch.prover import KillSwitchProver
from cockpit.errors import Unreachable
from cockpit.jobs import journaling
from cockpit.jobs.prove import Proving
from cockpit.jobs.strike import Outcome
from cockpit.jobs.worker import failure_for, prover_for
from cockpit.model.job import JobStep, Phase, StepState
from cockpit.storage.journal import Entry
from tests.unit.healthy import NOW, SETTINGS
from tests.unit.test_journal import done, intent
from tests.unit.virtual_time import LoopClock, VirtualLoop, play

THERE, ABSENT = (StepState.DONE, "found in Redis"), (StepState.FAILED, "not found in Redis")
KUBECTL = "stop the router: Space b h, or by hand: kubectl scale deploy/router --replicas=0"
CALL = "call the brokers (IBKR, ZERODHA, PAPER) and have trading blocked there"
HELD, OPEN = JobStep("stopped", StepState.DONE), JobStep("stopped", StepState.FAILED, "ORDERS STILL PASS")


class Script:
    """Shows one look after the other, the last one for ever; None is a Redis that is gone."""

    gave_up = False

    def __init__(self, *looks: tuple[tuple[StepState, str], JobStep] | None) -> None:
        self._looks = list(looks)

    async def look(self) -> tuple[tuple[StepState, str], tuple[JobStep, ...]]:
        look = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        if look is None:
            raise Unreachable("refused the connection")
        return look[0], (look[1],)

    async def close(self) -> None:
        pass


def proven(script: Script, journal: Sequence[Entry], is_act_known: bool) -> tuple[Phase, list[str], list[Entry]]:
    loop = VirtualLoop()
    told: list[Entry] = []
    proving = Proving(
        script, ["stopped"], told.append, LoopClock(loop), is_act_known, failure=failure_for(SETTINGS, journal)
    )
    phase = play(proving.run(4.0), loop)
    return phase, [entry.facts["text"] for entry in told if entry.kind == "note"], told


def test_orders_that_still_pass_name_the_other_rungs() -> None:
    phase, notes, told = proven(Script((THERE, OPEN)), done(), True)
    assert (phase, notes) == (Phase.FAILED, [KUBECTL, CALL])
    assert told[-1].kind == "failed"


def test_a_redis_that_died_after_the_halt_names_the_other_rungs() -> None:
    phase, notes, _ = proven(Script((THERE, replace(HELD, state=StepState.RUNNING)), None), done(), True)
    assert (phase, notes) == (Phase.IN_DOUBT, [KUBECTL, CALL])


def test_a_halt_that_did_not_arrive_is_said_plainly() -> None:
    phase, notes, _ = proven(Script((ABSENT, OPEN)), intent(), False)
    assert (phase, notes) == (Phase.FAILED, [f"NOT HALTED by this: not found in Redis. {KEPT}", KUBECTL, CALL])


def test_a_halt_that_nobody_could_look_for_is_unknown() -> None:
    phase, notes, _ = proven(Script(None), intent(), False)
    assert phase is Phase.IN_DOUBT
    assert notes == [f"NOT KNOWN WHETHER HALTED: refused the connection. {KEPT}", KUBECTL, CALL]


def test_one_look_that_missed_it_is_not_enough_to_call_it_undone() -> None:
    phase, notes, _ = proven(Script((ABSENT, OPEN), None), intent(), False)
    assert phase is Phase.IN_DOUBT
    assert notes[0].startswith("NOT KNOWN WHETHER HALTED")


def test_what_was_said_at_the_act_is_not_said_again() -> None:
    silent = Outcome(False, False, "Redis did not say whether it took it")
    said = journaling.outcome(NOW, silent, ("NOT KNOWN WHETHER HALTED: silent", KUBECTL, CALL), 1.0)
    phase, notes, _ = proven(Script((ABSENT, OPEN)), (*intent(), *said), False)
    assert (phase, notes) == (Phase.FAILED, [f"NOT HALTED by this: not found in Redis. {KEPT}"])


def test_a_halt_that_is_proven_needs_no_other_rung() -> None:
    phase, notes, _ = proven(Script((THERE, HELD)), done(), True)
    assert (phase, notes) == (Phase.DONE, [])


def test_every_configured_broker_must_report() -> None:
    prover, _ = prover_for(SETTINGS, done())
    assert isinstance(prover, KillSwitchProver)
    (orders,) = (step for step in prover._proofs.judge(Evidence(int(NOW * 1000) + 60_000)) if step.name == OPEN_ORDERS)
    assert all(f"{venue.name} (does not report)" in orders.detail for venue in SETTINGS.venues)
