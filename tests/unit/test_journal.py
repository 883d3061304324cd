"""A job is a fold over its journal, and nothing else."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from actions.kill_switch import engage
from cockpit import paths
from cockpit.errors import JournalError
from cockpit.jobs import journaling
from cockpit.jobs.strike import Outcome
from cockpit.model.audit import Operator
from cockpit.model.job import Phase, StepState
from cockpit.model.plan import Confirmation, Plan
from cockpit.storage.disk import private_folder
from cockpit.storage.fold import fold
from cockpit.storage.jobs import JobStore, new_job_id
from cockpit.storage.journal import Entry, Journal
from cockpit.storage.plans import plan_from_json, plan_to_json
from tests.unit.healthy import NOW, SETTINGS, snapshot

DEEP = json.loads("[" * 900 + "]" * 900)
WHO = Operator("asha", "root", "jump1", None, None)


def a_plan() -> Plan:
    return engage.plan(SETTINGS, WHO, {}, snapshot(), NOW)


def intent() -> tuple[Entry, ...]:
    plan = a_plan()
    confirmation = Confirmation(plan.digest)
    return journaling.intent(plan, confirmation, WHO, engage.write(WHO, plan, confirmation, int(NOW * 1000)), "", NOW)


def done() -> tuple[Entry, ...]:
    return (*intent(), *journaling.outcome(NOW + 1, Outcome(True, True, "Redis took it", 5), (), 0.004))


def proofs(count: int = 4) -> tuple[Entry, ...]:
    return tuple(
        Entry(NOW + 2, "proof", {"proof": n, "state": "done", "detail": "", "took_s": 1.0}) for n in range(count)
    )


@pytest.mark.parametrize(
    ("entries", "is_held", "phase"),
    [
        (intent()[:1], True, Phase.QUEUED),
        (intent(), True, Phase.RUNNING),
        (done(), True, Phase.RUNNING),
        ((*done(), Entry(NOW, "verifying", {})), True, Phase.VERIFYING),
        ((*done(), *proofs(), Entry(NOW + 3, "done")), False, Phase.DONE),
        ((*done(), Entry(NOW + 3, "failed", {"error": "why"})), False, Phase.FAILED),
        (intent()[:1], False, Phase.IN_DOUBT),
        (intent(), False, Phase.IN_DOUBT),
        (done(), False, Phase.IN_DOUBT),
    ],
)
def test_the_phase_follows_from_the_lines(entries: tuple[Entry, ...], is_held: bool, phase: Phase) -> None:
    job = fold("j", entries, is_held)
    assert job is not None
    assert job.phase is phase


@pytest.mark.parametrize(("said", "known"), [(["streams drained"], ("streams drained",)), ([], ()), (None, ())])
def test_a_job_knows_which_checks_were_overridden(said: list[str] | None, known: tuple[str, ...]) -> None:
    plan = a_plan()
    submitted, confirmed = journaling.submission(plan, Confirmation(plan.digest), WHO, "", NOW)
    job = fold("1", (submitted, Entry(NOW, "confirmed", {**confirmed.facts, "overrides": said})), False)
    assert job is not None
    assert job.overrides == known
    assert job.by == WHO.label


def test_in_doubt_tells_an_unknown_act_from_an_unproven_one() -> None:
    unknown, unproven = fold("j", intent(), False), fold("j", done(), False)
    assert unknown is not None and unproven is not None
    assert "before it could write whether this was done" in (unknown.error or "")
    assert unknown.steps[0].state is StepState.RUNNING
    assert unproven.error == "done, but whoever proved it ended before the proof"
    assert unproven.steps[0].state is StepState.DONE


def test_a_home_that_is_missing_stops_no_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert paths.state_folder("hf-1") == Path("/nonexistent/.local/state/cockpit/hf-1")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "not" / "yet"))
    folder = paths.state_folder("hf-1")
    assert not (tmp_path / "not").exists()
    private_folder(folder / "jobs")
    assert {each.stat().st_mode & 0o777 for each in (tmp_path / "not").rglob("*")} == {0o700}


def test_a_folder_that_cannot_be_made_names_the_setting() -> None:
    with pytest.raises(JournalError, match="set `state:`"):
        private_folder(Path("/proc/nope/jobs"))


def test_an_outcome_that_is_not_known_is_not_called_a_failure() -> None:
    entries = (*intent(), *journaling.outcome(NOW, Outcome(False, False, "no answer"), ("NOT HALTED",), 2.0))
    job = fold("j", entries, True)
    assert job is not None
    assert (job.phase, job.steps[0].state, job.notes) == (Phase.RUNNING, StepState.UNKNOWN, ("NOT HALTED",))


def test_a_journal_of_another_version_is_shown_not_fatal() -> None:
    job = fold("j", (Entry(NOW, "submitted", {"title": "Something"}),), True)
    assert job is not None
    assert job.phase is Phase.IN_DOUBT
    later = fold("j", (*intent(), Entry(NOW, "proof", {"proof": 99, "state": "sideways"})), True)
    assert later is not None
    assert later.phase is Phase.IN_DOUBT


def test_a_line_that_a_crash_cut_short_does_not_count(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(intent())
    with journal.file.open("ab") as file:
        file.write(b'{"at":1,"kind":"step_do')
    assert len(journal.entries()) == 3
    journal.append([Entry(NOW, "note", {"text": "after"})])
    entries = journal.entries()
    assert [entry.kind for entry in entries][-3:] == ["step_started", "note", "note"]
    assert "line 4 of its journal cannot be read" in entries[-2].facts["text"]


@pytest.mark.parametrize("cut", range(0, 2400, 97))
def test_any_cut_of_a_journal_folds(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append((*done(), *proofs(), Entry(NOW + 3, "done")))
    journal.file.write_bytes(journal.file.read_bytes()[:cut])
    job = fold("j", journal.entries(), is_held=False)
    assert job is None or job.phase in (Phase.IN_DOUBT, Phase.DONE)


def test_the_store_sees_who_holds_a_job(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    job_id = new_job_id(NOW, "kill_switch.engage")
    claim = store.create(job_id, intent())
    held = store.job(job_id)
    assert held is not None and held.phase is Phase.RUNNING
    assert store.claim(job_id) is None
    claim.release()
    left = JobStore(tmp_path / "jobs").job(job_id)
    assert left is not None and left.phase is Phase.IN_DOUBT
    again = store.claim(job_id)
    assert again is not None
    store.append(job_id, [Entry(NOW + 1, "done")])
    again.release()
    ended = store.job(job_id)
    assert ended is not None and ended.phase is Phase.DONE


def test_listing_is_newest_first_and_reads_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JobStore(tmp_path / "jobs")
    for number in range(60):
        store.create(new_job_id(NOW + number, "kill_switch.engage"), (*intent(), Entry(NOW, "done"))).release()
    jobs = store.jobs()
    assert len(jobs) == 50
    assert [job.id for job in jobs] == sorted((job.id for job in jobs), reverse=True)

    def fail(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(Journal, "entries", fail)
    assert store.jobs() == jobs


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "missing"])
def test_a_strange_job_id_is_no_job(tmp_path: Path, name: str) -> None:
    assert JobStore(tmp_path).job(name) is None


def test_a_plan_survives_the_disk_and_a_changed_one_is_found() -> None:
    plan = a_plan()
    text = plan_to_json(plan)
    assert plan_from_json(text) == plan
    assert asdict(plan_from_json(text))["checks"] == asdict(plan)["checks"]
    with pytest.raises(JournalError, match="changed after"):
        plan_from_json(text.replace("enabled true", "enabled false"))
    with pytest.raises(JournalError, match="cannot be read"):
        plan_from_json("{}")


@pytest.mark.parametrize("text", ['"x"', "[]", "7", "[" * 50_000, '{"a":' * 50_000])
def test_what_is_no_plan_is_said_to_be_none(text: str) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        plan_from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"title": 7},
        {"proof_deadline_s": None},
        {"proof_deadline_s": 10**400},
        {"phrase": ["y"]},
        {"impact": [1]},
        {"checks": [{"name": "x", "verdict": "pass", "detail": "y", "evidence_age_s": "z"}]},
        {"steps": [{"meaning": "x", "command": None}]},
    ],
)
def test_what_only_looks_like_a_plan_is_none(change: dict[str, object]) -> None:
    fields = {**json.loads(plan_to_json(a_plan())), **change}
    with pytest.raises(JournalError, match="cannot be read"):
        plan_from_json(json.dumps(fields))


def test_a_full_disk_is_said_and_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match="no space left"):
        JobStore(tmp_path / "jobs").create("j1", intent())
    monkeypatch.undo()
    assert JobStore(tmp_path / "jobs").jobs() == ()


@pytest.mark.parametrize("phase", [Phase.IN_DOUBT, Phase.RUNNING])
def test_what_is_not_settled_stays_behind_any_number_of_newer_ones(tmp_path: Path, phase: Phase) -> None:
    store = JobStore(tmp_path / "jobs")
    claim = store.create("0-old", done())
    if phase is Phase.IN_DOUBT:
        claim.release()
    for number in range(5):
        store.create(f"{number + 1}-new", (*done(), Entry(NOW, "done"))).release()
    assert [job.id for job in store.jobs(2)] == ["5-new", "4-new", "0-old"]
    assert [job.id for job in JobStore(tmp_path / "jobs").jobs(2, older=3)] == ["5-new", "4-new"], "not yet"
    store.append("0-old", [Entry(NOW + 1, "done")])
    assert [job.id for job in store.jobs(2)] == ["5-new", "4-new"]
    claim.release()


def test_what_cannot_be_read_is_not_called_none(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("no folder")
    with pytest.raises(JournalError, match="cannot read"):
        JobStore(tmp_path / "jobs").jobs()
    assert JobStore(tmp_path / "missing").jobs() == ()
    (tmp_path / "x" / "1-odd" / "journal.jsonl").mkdir(parents=True)
    (job,) = JobStore(tmp_path / "x").jobs()
    assert job.phase is Phase.IN_DOUBT and "cannot read" in (job.error or "")


def test_nothing_that_somebody_else_wrote_reaches_a_terminal_as_it_is(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    hostile = {"title": "\x1b]2;OWNED\x07", "by": "\x1b[31m"}
    entries = [Entry(entry.at, entry.kind, {**entry.facts, **hostile}) for entry in done()]
    entries += [Entry(NOW, "note", {"text": "\x1b[2J"}), Entry(NOW, "in_doubt", {"error": "\x9b2J"})]
    store.create("1-x", entries).release()
    (tmp_path / "jobs" / "2-\x1b[2J").mkdir()
    (job,) = store.jobs()
    assert "".join((job.title, job.by, job.error or "", *job.notes)).isprintable()


@pytest.mark.parametrize(
    "facts",
    [
        {"took_s": "x"},
        {"step": "x"},
        {"step": 99},
        {"detail": 3},
        {"fraction": "much"},
        {"took_s": [1]},
        {"took_s": 10**400},
        {"detail": DEEP},
    ],
)
def test_a_journal_of_something_else_breaks_nobody(facts: dict[str, object]) -> None:
    job = fold("j", (*done(), Entry(NOW, "step_progress", {"step": 0, "detail": "x", **facts})), is_held=True)
    assert job is not None and (job.error or isinstance(job.steps[0].detail, str))


@pytest.mark.parametrize("at", ["NaN", "1e300", "-1", "Infinity", f"1{'0' * 400}"])
def test_a_moment_that_is_none_is_no_entry(tmp_path: Path, at: str) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.file.write_text(f'{{"at": {at}, "kind": "done"}}\n')
    assert [entry.kind for entry in journal.entries()] == ["note"]


def test_two_jobs_of_one_tick_are_both_seen(tmp_path: Path) -> None:
    store, other = JobStore(tmp_path / "jobs"), JobStore(tmp_path / "jobs")
    other.create("1-x", intent()).release()
    at = time.time_ns()
    os.utime(tmp_path / "jobs", ns=(at, at))
    assert [job.id for job in store.jobs()] == ["1-x"]
    other.create("2-x", intent()).release()
    os.utime(tmp_path / "jobs", ns=(at, at))
    assert [job.id for job in store.jobs()] == ["2-x", "1-x"]
