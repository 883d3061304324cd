"""The rule of two persons as runner and worker keep it, and the glass that can be broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cockpit.clock import SystemClock
from cockpit.config import ApprovalsPart, Settings
from cockpit.errors import Rejected
from cockpit.incidents.alone import take_over
from cockpit.incidents.closing import lacks, review
from cockpit.jobs.journaling import submission
from cockpit.jobs.minutes import Minutes
from cockpit.jobs.runner import _confirmed
from cockpit.jobs.scribe import Scribe
from cockpit.jobs.seconds import Seconds, admit, needs_second, with_second
from cockpit.model.approval import Consent, Look
from cockpit.model.danger import Danger
from cockpit.model.plan import Check, Confirmation, PlanStep, Verdict
from cockpit.model.severity import Severity
from cockpit.model.world import World
from cockpit.storage.audit import AuditLog
from cockpit.storage.fold import fold
from cockpit.storage.incidents import Incidents, Opening
from tests.unit.healthy import SETTINGS
from tests.unit.test_approvals import ASHA, BEN, WHO, Team, as_user, needs_root, team
from tests.unit.test_confirm import PLAN

__all__ = ["team"]
LIVE = structs.replace(SETTINGS, world=World.LIVE)
SECOND = replace(PLAN, needs_second=True)


def seconds(settings: Settings, state: Path) -> tuple[Seconds, Scribe]:
    scribe, clock = Scribe(), SystemClock()
    minutes = Minutes(AuditLog(state), scribe, clock, WHO, settings.world, settings.site)
    return Seconds(settings, state, clock, WHO, minutes), scribe


@pytest.mark.parametrize(
    ("world", "danger", "is_needed"),
    [
        (World.LIVE, Danger.DANGER, True),
        (World.PAPER, Danger.DANGER, True),
        (World.SANDBOX, Danger.DANGER, False),
        (World.LIVE, Danger.DISRUPT, False),
        (World.LIVE, Danger.PROTECT, False),
    ],
)
def test_where_a_second_person_is_needed(world: World, danger: Danger, is_needed: bool) -> None:
    settings = structs.replace(SETTINGS, world=world)
    assert needs_second(settings, replace(PLAN, danger=danger)) is is_needed


def test_a_row_may_ask_for_it_and_then_a_phrase_is_typed() -> None:
    plan = replace(PLAN, danger=Danger.DISRUPT, phrase=None, needs_second=True)
    assert (with_second(LIVE, plan).needs_second, with_second(LIVE, plan).phrase) == (True, "policy:kill_switch")
    assert (with_second(SETTINGS, plan).needs_second, with_second(SETTINGS, plan).phrase) == (False, None)


def test_a_site_may_ask_for_it_in_its_sandbox_too() -> None:
    settings = structs.replace(SETTINGS, approvals=ApprovalsPart(required_in=(World.SANDBOX,)))
    assert needs_second(settings, PLAN)


def test_without_a_teams_folder_it_is_said_what_to_configure(tmp_path: Path) -> None:
    asking, _ = seconds(LIVE, tmp_path / "state")
    with pytest.raises(Rejected, match="name one with `state:`"):
        asking.ask(SECOND, "brokers are back")


@needs_root
def test_asked_approved_and_admitted_by_the_worker_once(team: Team) -> None:
    state = team.folder.parent

    def ask() -> str:
        asking, scribe = seconds(LIVE, state)
        request = asking.ask(SECOND, "brokers are back")
        scribe.tell(lambda: None).result(5)
        return request.id

    def approve() -> str:
        answering, scribe = seconds(LIVE, state)
        (request,) = answering.waiting()
        seen = Look(request.id, SECOND)
        with pytest.raises(Rejected, match="typed exactly"):
            answering.approve(request, seen, Consent("start trading"))
        for other in (Look(request.id, None, ("none",)), Look(request.id, SECOND, ("other",)), Look("x", SECOND)):
            with pytest.raises(Rejected, match=f"not approved: {'; '.join(other.against) or 'it was not looked at'}"):
                answering.approve(request, other, Consent("START TRADING hf-1"))
        answering.approve(request, seen, Consent("START TRADING hf-1"))
        scribe.tell(lambda: None).result(5)
        return request.by

    def act(confirmed: dict[str, Any], job: str) -> str:
        return admit(LIVE, state, SECOND, confirmed, job, SystemClock().now(), WHO)

    request = as_user(ASHA, ask)
    assert "second person" in as_user(ASHA, lambda: act({}, "job-1"))
    assert "waiting" in as_user(ASHA, lambda: act({"approval": request, "reason": "brokers are back"}, "job-1"))
    assert as_user(BEN, approve) == "asha"
    assert as_user(ASHA, lambda: act({"approval": request, "reason": "brokers are back"}, "job-1")) == "ben"
    assert "counts once" in as_user(ASHA, lambda: act({"approval": request, "reason": "brokers are back"}, "job-2"))
    kinds = [record.kind for record in AuditLog(state).tail()]
    assert kinds == ["approval_requested", "approval_given", "approval_spent"]
    as_user(ASHA, lambda: (team.folder / f"{request}.used").unlink())
    assert team.approvals.standing(request, SystemClock().now()).words == "approved by ben"
    assert "counts once" in as_user(ASHA, lambda: act({"approval": request, "reason": "brokers are back"}, "job-3"))
    assert AuditLog(state).verify().is_sound


@needs_root
def test_what_fails_on_the_second_persons_look_forbids_it_or_stands_beside_the_approval(team: Team) -> None:
    state = team.folder.parent
    failing = Check("disk", Verdict.FAIL, "3 MB free", is_overridable=True)

    def approve(*overrides: str, reason: str = "") -> str:
        answering, scribe = seconds(LIVE, state)
        (request,) = answering.waiting()
        seen = Look(request.id, replace(SECOND, checks=(failing,)))
        answering.approve(request, seen, Consent("START TRADING hf-1", overrides, reason))
        scribe.tell(lambda: None).result(5)
        return "approved"

    request = as_user(ASHA, lambda: seconds(LIVE, state)[0].ask(SECOND, "brokers are back").id)
    assert as_user(BEN, approve) == "Rejected: not approved: on our own look it is refused: disk: 3 MB free"
    assert team.approvals.standing(request, SystemClock().now()).words == "waiting for a second person"
    assert as_user(BEN, lambda: approve("disk", reason="room is being made")) == "approved"
    said = team.approvals.standing(request, SystemClock().now())
    assert said.words == "approved by ben, overriding disk: room is being made"
    (record,) = (record for record in AuditLog(state).tail() if record.kind == "approval_given")
    assert "Release; overriding disk: 3 MB free; because: room is being made; plan " in record.text


@needs_root
def test_one_does_not_see_ones_own_request_as_somebody_elses(team: Team) -> None:
    def ask_and_look() -> int:
        asking, _ = seconds(LIVE, team.folder.parent)
        asking.ask(SECOND, "x")
        return len(asking.waiting())

    assert as_user(ASHA, ask_and_look) == ""


def test_alone_only_with_a_reason_and_loudly(tmp_path: Path) -> None:
    asking, scribe = seconds(LIVE, tmp_path)
    alone = Confirmation(PLAN.digest, PLAN.phrase, "nobody answers the telephone", break_glass=True)
    assert asking.why_not(SECOND, replace(alone, reason=" ")) == "breaking the glass needs a reason"
    assert asking.why_not(SECOND, alone) is None
    asking.tell_glass(SECOND, alone, "job-1")
    scribe.tell(lambda: None).result(5)
    (record,) = AuditLog(tmp_path).tail()
    assert (record.kind, record.ref) == ("break_glass", "job-1")
    assert "asha@jump1 alone" in record.text and "nobody answers the telephone" in record.text
    notes = [entry.facts["text"] for entry in submission(SECOND, alone, WHO, "r", 1.0) if entry.kind == "note"]
    assert notes and notes[0].startswith("BREAK GLASS: done by asha@jump1 alone")
    assert admit(LIVE, tmp_path, PLAN, {"break_glass": True}, "job-1", 1.0, WHO) == ""


def test_where_nobody_else_is_needed_nothing_is_asked(tmp_path: Path) -> None:
    asking, _ = seconds(SETTINGS, tmp_path)
    confirmation = Confirmation(PLAN.digest, PLAN.phrase, "x", break_glass=True)
    assert asking.why_not(PLAN, confirmation) is None
    assert not [entry for entry in submission(PLAN, confirmation, WHO, "r", 1.0) if entry.kind == "note"]
    assert admit(SETTINGS, tmp_path, PLAN, {}, "job-1", 1.0, WHO) == ""


def test_an_incident_asks_for_a_review_by_somebody_else(tmp_path: Path) -> None:
    clock = SystemClock()
    settings = structs.replace(LIVE, root=tmp_path)
    incidents = Incidents(settings.incidents_folder, "ben@jump1", clock)
    incidents.open(Opening("Redis is down", Severity.P1, "## Timeline\n"))
    asking, _ = seconds(settings, tmp_path / "state")
    asking.tell_glass(SECOND, Confirmation(PLAN.digest, PLAN.phrase, "nobody answers", break_glass=True), "job-1")
    found = incidents.open_one()
    assert found is not None and found.break_glass == ("asha@jump1",)
    assert "nobody but asha@jump1 has reviewed it" in [lack.what for lack in lacks(found, incidents.text(found.id))]
    with pytest.raises(Rejected, match="somebody else"):
        review(incidents, found.id, "asha@jump1", clock, "all well")
    assert "nobody answers" in incidents.text(found.id)


@pytest.mark.parametrize(
    ("ago_s", "is_alone", "is_taken"), [(60.0, True, True), (2000.0, True, False), (60.0, False, False)]
)
def test_what_was_done_alone_before_an_incident_was_opened_is_reviewed_with_it(
    tmp_path: Path, ago_s: float, is_alone: bool, is_taken: bool
) -> None:
    clock = SystemClock()
    incidents = Incidents(tmp_path, "ben@jump1", clock)
    confirmation = Confirmation(SECOND.digest, SECOND.phrase, "nobody answers", break_glass=is_alone)
    job = fold("1-x", submission(SECOND, confirmation, WHO, "r", clock.now() - ago_s), is_held=True)
    assert job is not None
    opened = incidents.open(Opening("Redis is down", Severity.P1, "## Timeline\n"))
    assert take_over(incidents, opened, [job], 0.0, clock.now()) is is_taken
    found = incidents.find(opened.id)
    assert found.break_glass == (("asha@jump1",) if is_taken else ())
    is_lacking = any("has reviewed it" in lack.what for lack in lacks(found, incidents.text(found.id)))
    assert is_lacking is is_taken
    assert not take_over(incidents, found, [job], 0.0, clock.now()), "once"
    if is_taken:
        reviewed = review(incidents, found.id, "ben@jump1", clock, "as it had to be")
        assert not take_over(incidents, reviewed, [job], 0.0, clock.now()), "a review stays one"


def test_the_audit_keeps_what_decided_however_long_the_commands_are(tmp_path: Path) -> None:
    scribe = Scribe()
    minutes = Minutes(AuditLog(tmp_path), scribe, SystemClock(), WHO, World.SANDBOX, "s")
    plan = replace(PLAN, steps=tuple(PlanStep("m", f"restore {n} {'x' * 400}") for n in range(30)))
    confirmation = Confirmation(plan.digest, "TYPED", "the disk died", ("in flight",), approval="3f2a")
    minutes.write("confirmed", _confirmed(plan, confirmation)).result(5)
    (record,) = AuditLog(tmp_path).tail()
    wanted = (
        "reason: the disk died",
        "typed: TYPED",
        "overridden: in flight",
        "request 3f2a",
        plan.digest,
        "restore 15 ",
    )
    assert not [words for words in wanted if words not in record.text]
    assert AuditLog(tmp_path).verify().is_sound
