"""The second person's own cockpit plans what is asked for anew: nothing of another's file is shown or approved."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actions.runbook import runbook_for
from actions.script.command import program_check
from cockpit.clients.ledger import read_ledger
from cockpit.clock import SystemClock
from cockpit.errors import BackendError
from cockpit.jobs.guard import why_not_approved
from cockpit.jobs.runner import Runner
from cockpit.jobs.second_look import second_look
from cockpit.model.approval import Consent, Look, Request
from cockpit.model.audit import Operator
from cockpit.model.plan import Check, Plan, PlanStep, Verdict
from cockpit.model.sample import Sample
from cockpit.model.states import KillSwitch
from cockpit.model.world import World
from tests.unit.healthy import NOW, SETTINGS, snapshot
from tests.unit.test_own_runbook import OWN

ASHA = Operator("asha", "asha", "jump1", None, None)
BEN = Operator("ben", "ben", "jump1", None, None)
HALTED = KillSwitch(True, True, "IBKR down", "asha@jump1", NOW - 60)
SEEN = snapshot(kill_switch=Sample.good(HALTED, NOW, 0.001))
RELEASE = "kill_switch.release"


@pytest.fixture
def bens(tmp_path: Path) -> Iterator[Runner]:
    """Ben's cockpit, on a site with a runbook of its own."""
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    settings = structs.replace(SETTINGS, runbook=own)
    runner = Runner(settings, SystemClock(), BEN, tmp_path / "state", actions=runbook_for(settings).actions)
    yield runner
    runner.stop()


def asked(plan: Plan) -> Request:
    return Request("3f2a" * 16, plan, "asha", 1001, None, "jump1", "back", (), NOW, NOW + 600)


def planned(runner: Runner, step: str, **parameters: str) -> Plan:
    """As Asha's cockpit plans it."""
    row = next(row for row in runner.planner.actions if row.step == step or row.id == step)
    return runner.planner.plan(row, parameters, SEEN, ASHA)


def look(runner: Runner, plan: Plan) -> Look:
    return second_look(runner.planner, asked(plan), SEEN)


@pytest.mark.parametrize("step", [RELEASE, "script.flatten", "pg_restore.restore", "flush-dns"])
def test_what_ones_own_cockpit_would_do_too_may_be_approved(bens: Runner, step: str) -> None:
    plan = planned(bens, step)
    found = look(bens, plan)
    assert (found.against, found.may_approve) == ((), True)
    assert found.plan is not None and found.plan.digest == plan.digest


def test_nothing_that_who_asks_wrote_for_people_is_shown(bens: Runner) -> None:
    lie = "Trading stays halted, nothing happens."
    plan = planned(bens, RELEASE)
    told = {"title": lie, "sentence": lie, "impact": (lie,), "checks": (), "proofs": (lie,), "undo": lie, "phrase": "y"}
    forged = replace(plan, **told)
    assert forged.digest == plan.digest, "the digest is of the commands"
    found = look(bens, forged)
    assert found.may_approve and found.plan is not None
    assert lie not in str(found.plan) and found.plan.checks == plan.checks
    assert found.phrase == "START TRADING test"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"steps": (PlanStep("m", "HSET policy:kill_switch enabled false"),)}, "command: asked for is "),
        ({"steps": ()}, "how many commands: asked for is 0; by our own look it is 1"),
        ({"parameters": (("halted_by", "risk-manager"),)}, "halted_by: asked for is risk-manager"),
        ({"target": "policy:other"}, "target: asked for is policy:other; by our own look it is policy:kill"),
        ({"world": World.LIVE}, "world: asked for is LIVE; by our own look it is SANDBOX"),
        ({"locks": ()}, "locks: asked for is ()"),
        ({"phrase": None}, "is typed: asked for is False"),
        ({"needs_second": True}, "needs second: asked for is True"),
        ({"step": "flush-dns"}, "flush-dns is general.command in our own runbook, and kill_switch.release"),
        ({"step": "made-up", "action": "made.up"}, "our own runbook has no step made-up"),
        ({"step": "", "action": "general.command"}, "our own runbook has no step general.command"),
    ],
)
def test_what_differs_is_said_and_not_approved(bens: Runner, change: dict[str, Any], why: str) -> None:
    found = look(bens, replace(planned(bens, RELEASE), **change))
    assert not found.may_approve
    assert [one for one in found.against if why in one], found.against


def test_a_difference_is_shown_from_where_the_commands_part(bens: Runner) -> None:
    plan = planned(bens, RELEASE)
    (step,) = plan.steps
    end = f"{step.command}; FLUSHALL"
    (why,) = look(bens, replace(plan, steps=(replace(step, command=end),))).against
    assert "; FLUSHALL; by our own look it is " in why


@pytest.mark.parametrize("name", ["probe_by", "summary", "step", "secrets"])
def test_a_step_of_the_funds_own_is_what_ones_own_runbook_says(bens: Runner, name: str) -> None:
    """What such a step does stands in its parameters alone."""
    plan = planned(bens, "flush-dns")
    theirs = tuple(sorted({**dict(plan.parameters), name: "nothing happens"}.items()))
    found = look(bens, replace(plan, parameters=theirs))
    assert not found.may_approve and found.plan is None, found


@pytest.mark.parametrize("text", ["", "x" * 5000, "\x1b]52;c;x\x07", "[red]", "-1", "\ud800"])
@pytest.mark.parametrize(
    "name", ["halted_at_ms", "orders_per_s", "dump", "deployment", "to", "halt", "venue", "minutes", "pid"]
)
def test_hostile_parameters_end_in_words(bens: Runner, name: str, text: str) -> None:
    for row in bens.planner.actions:
        plan = replace(planned(bens, RELEASE), action=row.id, step=row.step, parameters=((name, text),))
        found = look(bens, plan)
        assert not found.may_approve and found.against
        assert "\x1b" not in "".join(found.against)


def test_a_folder_that_the_second_person_may_not_enter_is_told_in_words(
    bens: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(bens, "snapshot.take")

    def closed(file: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(Path, "is_file", closed)
    check = program_check(SETTINGS, ["no-such-program"])
    assert check.blocks and check.detail.endswith("no-such-program cannot be looked at: Permission denied")
    with pytest.raises(BackendError, match="cannot be read: Permission denied"):
        read_ledger(Path("/nowhere/ledger.db"))
    (why,) = look(bens, plan).against
    assert why.startswith("snapshot cannot be planned: ") and why.endswith(": Permission denied")


FAILS = Check("brokers up", Verdict.FAIL, "IBKR is down")
DISK = Check("disk", Verdict.UNKNOWN, "not read", is_overridable=True)
TYPED = "START TRADING test"
NEVER = "it is refused, and cannot be overridden: "


@pytest.mark.parametrize(
    ("checks", "asked_over", "consent", "why"),
    [
        ((), (), Consent(TYPED), None),
        ((), (), Consent("START"), f"the phrase must be typed exactly: {TYPED}"),
        ((FAILS,), (), Consent(TYPED), f"{NEVER}brokers up: IBKR is down"),
        (
            (FAILS,),
            ("brokers up",),
            Consent(TYPED),
            f"{NEVER}brokers up: IBKR is down",
        ),
        ((FAILS,), (), Consent(TYPED, ("brokers up",), "it is"), f"{NEVER}brokers up"),
        ((DISK,), (), Consent(TYPED), "it is refused: disk: not read"),
        ((DISK,), (), Consent(TYPED, ("disk",), " "), "overriding disk needs a reason"),
        ((DISK,), (), Consent(TYPED, ("disk",), "there is room"), None),
        ((DISK,), ("disk",), Consent(TYPED), None),
        (
            (DISK, FAILS),
            (),
            Consent(TYPED, ("disk",), "there is room"),
            f"{NEVER}brok",
        ),
    ],
)
def test_a_check_that_fails_on_ones_own_look_forbids_the_yes_as_it_forbids_the_start(
    bens: Runner, checks: tuple[Check, ...], asked_over: tuple[str, ...], consent: Consent, why: str | None
) -> None:
    request = replace(asked(planned(bens, RELEASE)), overrides=asked_over)
    found = second_look(bens.planner, request, SEEN)
    assert found.plan is not None
    mine = replace(found, plan=replace(found.plan, checks=checks))
    said = why_not_approved(mine, request, consent)
    assert said is None if why is None else said is not None and why in said, said


def test_what_is_signed_is_signed_with_the_name_of_who_asks(bens: Runner) -> None:
    found = look(bens, planned(bens, RELEASE))
    assert found.plan is not None and "by asha@jump1" in found.plan.steps[0].command
