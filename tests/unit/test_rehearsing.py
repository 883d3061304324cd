"""From checks to words: what would work, what has its turn, what nobody needs, and what would not work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from actions.runbook import runbook_for
from cockpit.clients.redis_rights import Rights, _refusal
from cockpit.jobs.told import told
from cockpit.model.plan import Check, Verdict
from cockpit.model.rehearsal import Outcome, Rehearsal
from cockpit.model.sample import Sample
from cockpit.model.told import Told
from cockpit.model.world import World
from cockpit.readiness.house import house_looks
from cockpit.readiness.look import Look, failed, of, passed, unknown, warned
from cockpit.readiness.rights import _allowed, _clock, _commands
from cockpit.readiness.verdicts import judged, shared
from cockpit.storage.rehearsals import keep_rehearsal, read_rehearsal
from tests.unit.healthy import NOW, SETTINGS, snapshot

ROWS = {row.step: row for row in runbook_for(SETTINGS).actions}


def a_told(step: str, **changes: object) -> Told:
    fresh = replace(snapshot(), **changes)  # type: ignore[arg-type]
    return told((ROWS[step],), SETTINGS, fresh, NOW, {"to": "1", "minutes": "30"})[0]


def with_checks(step: str, *checks: Check) -> Told:
    found = a_told(step)
    return replace(found, plans=(replace(found.plans[0], checks=checks),))


PASS, WARN = Check("a", Verdict.PASS, "well"), Check("b", Verdict.WARN, "so so")
NOT_ENGAGED = Check("kill switch", Verdict.FAIL, "not engaged")
K_FIRST, NOT_THERE = Check("kill switch", Verdict.FAIL, "K first"), Check("route", Verdict.FAIL, "not rerouted")
A_REPLICA, NONE = Check("role", Verdict.FAIL, "a replica"), Check("silence", Verdict.FAIL, "none is in force")
DUMPS = of("pg_restore.")
NO_RIGHT = failed("rights", "may not", "", of("rollout."))
FAIL, SILENT = Check("c", Verdict.FAIL, "no"), Check("d", Verdict.UNKNOWN, "nobody knows")


@pytest.mark.parametrize(
    ("step", "checks", "looks", "outcome", "reason"),
    [
        ("reroute", (PASS,), (), Outcome.WORKS, ""),
        ("reroute", (PASS, WARN), (), Outcome.WORKS, "b: so so"),
        ("reroute", (PASS, SILENT), (), Outcome.UNKNOWN, "d: nobody knows"),
        ("reroute", (SILENT, FAIL), (), Outcome.BROKEN, "c: no"),
        ("reroute-back", (NOT_THERE,), (), Outcome.NEEDLESS, "not rerouted"),
        ("reroute-back", (NOT_THERE, SILENT), (), Outcome.UNKNOWN, "d: nobody knows"),
        ("flatten", (K_FIRST,), (), Outcome.IN_TURN, "kill switch: K first"),
        ("flatten", (K_FIRST, FAIL), (), Outcome.BROKEN, "c: no"),
        ("kill-switch-release", (NOT_ENGAGED, FAIL), (), Outcome.NEEDLESS, "not engaged"),
        ("kill-switch-release", (NOT_ENGAGED, A_REPLICA), (), Outcome.BROKEN, "role: a replica"),
        ("drop-old-database", (Check("age", Verdict.FAIL, "kept for a day"),), (), Outcome.NEEDLESS, "kept for a day"),
        ("scale", (Check("to", Verdict.FAIL, "say how many"),), (), Outcome.WORKS, ""),
        ("end-silence", (NONE,), (), Outcome.NEEDLESS, "none is in force"),
        ("restart-ingestion", (PASS,), (NO_RIGHT,), Outcome.BROKEN, "rights: may not"),
        ("reroute", (PASS,), (NO_RIGHT,), Outcome.WORKS, ""),
        ("undo-ingestion", (Check("revision before", Verdict.FAIL, "none"),), (NO_RIGHT,), Outcome.BROKEN,
         "rights: may not"),
        ("restore-postgres", (PASS, WARN), (warned("dump", "OLD", "", DUMPS),), Outcome.LIMITED, "dump: OLD"),
        ("restore-postgres", (PASS, WARN), (passed("dump", "read", DUMPS, True),), Outcome.WORKS, "dump: read"),
        ("restore-postgres", (PASS,), (unknown("dump", "late", "", DUMPS),), Outcome.UNKNOWN, "dump: late"),
    ],
)  # fmt: skip
def test_the_worst_that_matters_is_the_word(
    step: str, checks: tuple[Check, ...], looks: tuple[Look, ...], outcome: Outcome, reason: str
) -> None:
    found = judged(with_checks(step, *checks), looks)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_what_it_would_be_taken_on_is_named_once() -> None:
    found = a_told("reroute-back")
    plans = tuple(
        replace(found.plans[0], target=name, checks=(Check("route", Verdict.FAIL, words),))
        for name, words in (("IBKR", "IBKR is not rerouted"), ("PAPER", "it has no backup"))
    )
    for shown, words in ((plans, "IBKR is not rerouted"), (plans[::-1], "PAPER: it has no backup")):
        assert judged(replace(found, plans=shown), ()).reason == words


def test_on_a_healthy_platform_only_what_needs_files_or_what_is_not_configured_would_not_work() -> None:
    found = {row: judged(a_told(row), ()) for row in ROWS}
    broken = {name for name, one in found.items() if one.outcome is Outcome.BROKEN}
    # This platform has no folder: what needs files says so; nor is a container of Postgres configured.
    needs_files = {"switch-feed", "gap-fill", "snapshot", "replay", "flatten", "scenarios", "dump-postgres"}
    assert broken <= needs_files | {"restart-postgres"} | {name for name in ROWS if name.startswith("notify-")}
    assert found["kill-switch"].outcome is Outcome.WORKS
    assert found["kill-switch-release"].outcome is Outcome.NEEDLESS


def test_a_silent_backend_makes_its_steps_unknown_and_no_others() -> None:
    silent = Sample(error="refused the connection", tried_at=NOW)
    assert judged(a_told("restart-ingestion", kubernetes=silent), ()).outcome is Outcome.UNKNOWN
    assert judged(a_told("scale", kubernetes=silent), ()).outcome is Outcome.UNKNOWN
    assert judged(a_told("reroute", kubernetes=silent), ()).outcome is Outcome.WORKS


def test_on_live_a_second_person_must_be_able_to_answer(tmp_path: Path) -> None:
    live = structs.replace(SETTINGS, world=World.LIVE, root=tmp_path)
    looks = [look for look in house_looks(live, tmp_path / "state") if look.check.name == "second person"]
    found = judged(with_checks("restore-postgres", PASS), looks)
    assert found.outcome is Outcome.BROKEN and "nobody else can approve it" in found.reason
    assert "BREAK GLASS" in found.advice
    assert judged(with_checks("reroute", PASS), looks).outcome is Outcome.WORKS


def test_what_cannot_be_written_or_called_is_said(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    found = {look.check.name: shared(look) for look in house_looks(SETTINGS, tmp_path / "a file") if look.is_shared}
    assert found["state folder"].outcome is Outcome.BROKEN
    assert found["numbers to call"].outcome is Outcome.LIMITED and "IBKR" in found["numbers to call"].reason


def test_redis_rights_and_clock() -> None:
    assert SETTINGS.redis is not None
    wanted = _commands(SETTINGS.redis)
    no = _refusal(b"User ops has no permissions to run the 'hset' command")
    assert no and _refusal(b"OK") == "" and _refusal(b"ERR") is None
    looks = list(_allowed(wanted, Rights("ops", (no, *[""] * (len(wanted) - 1)), 0.0)))
    assert judged(with_checks("kill-switch", PASS), looks).outcome is Outcome.BROKEN
    assert judged(with_checks("reroute", PASS), looks).outcome is Outcome.WORKS
    assert [_clock(ahead).check.verdict for ahead in (0.2, -3.0, 40.0, None)] == [
        Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN,
    ]  # fmt: skip


def test_the_last_one_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert read_rehearsal(folder) is None
    kept = Rehearsal(NOW, 0.5, "LIVE", "hf-1", "asha", (judged(a_told("reroute"), ()),))
    keep_rehearsal(folder, kept)
    assert read_rehearsal(folder) == kept
    assert (folder / "readiness.json").stat().st_mode & 0o777 == 0o600
    (folder / "readiness.json").write_text("{")
    assert read_rehearsal(folder) is None
