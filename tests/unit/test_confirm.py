"""A confirmation must fit the plan to the letter, and the world of this moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.jobs.guard import why_not_on, why_refused
from cockpit.model.plan import Check, Confirmation, Danger, Plan, Verdict
from cockpit.model.world import World

PLAN = Plan(
    action="kill_switch.release",
    title="Release",
    sentence="",
    world=World.SANDBOX,
    site="hf-1",
    target="policy:kill_switch",
    danger=Danger.DANGER,
    parameters=(),
    steps=(),
    checks=(Check("brokers up", Verdict.PASS, "up"),),
    impact=(),
    proofs=(),
    proof_deadline_s=10.0,
    undo="",
    phrase="START TRADING hf-1",
    needs_reason=True,
)
GOOD = Confirmation(PLAN.digest, "START TRADING hf-1", "brokers are back")


def with_check(check: Check) -> Plan:
    return replace(PLAN, checks=(check,))


def test_the_right_confirmation_is_enough() -> None:
    assert why_refused(PLAN, PLAN, GOOD) is None


def test_another_plans_digest_is_not() -> None:
    assert why_refused(PLAN, PLAN, replace(GOOD, digest="0" * 64)) == "what was confirmed is not this plan"


def test_a_plan_that_changed_meanwhile_is_not() -> None:
    live = replace(PLAN, target="policy:other")
    assert "no longer what would be done" in (why_refused(PLAN, live, GOOD) or "")


@pytest.mark.parametrize(
    "typed", [None, "", "start trading hf-1", "START TRADING hf-1 ", " START TRADING hf-1", "START TRADING hf-2"]
)
def test_the_phrase_must_be_typed_to_the_letter(typed: str | None) -> None:
    assert "typed exactly" in (why_refused(PLAN, PLAN, replace(GOOD, typed=typed)) or "")


@pytest.mark.parametrize("reason", [None, "", "  \t"])
def test_a_reason_must_be_given(reason: str | None) -> None:
    assert why_refused(PLAN, PLAN, replace(GOOD, reason=reason)) == "a reason is needed"


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNKNOWN])
def test_a_check_that_fails_now_forbids_although_it_passed_in_the_dialog(verdict: Verdict) -> None:
    live = with_check(Check("brokers up", verdict, "IBKR down"))
    assert why_refused(PLAN, live, GOOD) == "brokers up: IBKR down"
    assert "cannot be overridden" in (why_refused(PLAN, live, replace(GOOD, overrides=("brokers up",))) or "")


def test_a_check_is_overridden_only_by_name_and_with_a_reason() -> None:
    live = replace(with_check(Check("drained", Verdict.FAIL, "3", is_overridable=True)), needs_reason=False)
    assert why_refused(live, live, GOOD) == "drained: 3"
    named = replace(GOOD, overrides=("drained",))
    assert why_refused(live, live, named) is None
    assert why_refused(live, live, replace(named, reason=None)) == "overriding drained needs a reason"


def test_a_warning_forbids_nothing() -> None:
    assert why_refused(PLAN, with_check(Check("feeds", Verdict.WARN, "late")), GOOD) is None


def test_a_second_person_is_asked_for_last_and_for_exactly_this() -> None:
    live = replace(PLAN, needs_second=True)
    good = replace(GOOD, digest=live.digest)
    assert "second person" in (why_refused(live, live, good) or "")
    asked: list[Confirmation] = []

    def approved(plan: Plan, confirmation: Confirmation) -> str | None:
        asked.append(confirmation)
        return None if confirmation.approval == "3f2a" else "not approved"

    assert why_refused(live, live, replace(good, typed="x"), approved) and not asked
    assert why_refused(live, live, replace(good, approval="beef"), approved) == "not approved"
    assert why_refused(live, live, replace(good, approval="3f2a"), approved) is None


@pytest.mark.parametrize(
    ("verdict", "is_overridable", "is_refused"),
    [
        (Verdict.FAIL, False, True),
        (Verdict.UNKNOWN, False, True),
        (Verdict.FAIL, True, False),
        (Verdict.WARN, False, False),
    ],
)
@pytest.mark.parametrize("reason", [None, "to see"])
def test_looking_asks_for_nothing_and_does_not_run_past_what_cannot_be_overridden(
    verdict: Verdict, is_overridable: bool, is_refused: bool, reason: str | None
) -> None:
    check = Check("program", verdict, "is not there", is_overridable=is_overridable)
    plan = replace(PLAN, danger=Danger.OBSERVE, phrase=None, needs_reason=False, checks=(check,))
    refusal = why_refused(plan, plan, Confirmation(plan.digest, reason=reason))
    assert bool(refusal) is is_refused and "reason" not in (refusal or "")
    assert bool(why_not_on(plan, ())) is is_refused
