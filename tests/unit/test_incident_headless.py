"""`cockpit incident`: from opened to closed on the command line."""

from __future__ import annotations

import io
import json
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from cockpit import cli
from cockpit.clock import SystemClock
from cockpit.errors import Rejected
from cockpit.headless.listening import Ear
from cockpit.incidents import closing
from cockpit.model.severity import Severity
from cockpit.model.states import Position
from cockpit.storage.audit import AuditLog
from cockpit.storage.incident_front import iso
from cockpit.storage.incidents import Incidents, Opening
from cockpit.storage.jobs import JobStore, new_job_id
from cockpit.storage.journal import Entry
from tests.unit.healthy import risk, snapshot


class Log:
    """The command on a platform that only has a folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], is_git: bool = False) -> None:
        self.folder = folder
        self._capsys = capsys
        self.config = folder / "cockpit.yaml"
        self.config.write_text(
            f"site: hf-1\nworld: PAPER\nroot: {folder}\nstate: {folder / 'state'}\n"
            f"redis: {{url: 'redis://cache-01.internal:6379/0'}}\nincidents: {{git: {str(is_git).lower()}}}\n"
        )

    def __call__(self, *words: str) -> tuple[int, str, str]:
        code = cli.run(["incident", *words, "--config", str(self.config)])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def json(self, *words: str) -> Any:
        code, said, _ = self(*words, "--json")
        assert code == 0
        return json.loads(said)


@pytest.fixture
def log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Log:
    return Log(tmp_path, capsys)


def test_from_opened_to_closed(log: Log) -> None:
    assert log("note", "x")[0] == 4
    made = log.json("new", "Redis down", "--severity", "p1", "--section", "3.3", "--role", "commander=asha")
    assert (made["severity"], made["roles"], made["is_open"]) == ("P1", {"commander": "asha"}, True)
    assert log("note", "called the desk")[0] == 0
    assert log("severity", "P2", "--reason", "backup fills")[0] == 0
    assert log("role", "scribe=ben")[0] == 0
    assert log("update", "30")[0] == 0
    code, _, error = log("close", "--cause", "OOM")
    assert code == 4
    assert "the Summary is empty" in error
    assert log.json("show", "redis")["cause"] == ""
    file = next((log.folder / "runbooks" / "incidents").glob("*.md"))
    text = file.read_text()
    words = "Redis at cache-01.internal died; 4 orders of AAPL 1,200 late."
    file.write_text(
        text.replace("## Summary\n", f"## Summary\n\n{words}\n").replace("## Impact\n", "## Impact\n\nNone.\n")
    )
    assert log("close", "--cause", "OOM", "--rpo-rows", "12")[0] == 0
    found = log.json("show", "redis")
    assert (found["is_open"], found["cause"], found["metrics"]["rpo_rows"]) == (False, "OOM", 12)
    kinds = [entry["kind"] for entry in found["timeline"]]
    assert kinds == ["opened", "note", "severity", "role", "update", "closed"]
    assert log("close", "redis")[0] == 4
    kinds = [record.kind for record in AuditLog(log.folder / "state").tail()]
    assert kinds == ["incident_opened", "incident_severity", "incident_closed"]


def test_exports(log: Log) -> None:
    log("new", "Feed late", "--severity", "P2", "--section", "3.2", "--drill", "--began", "2020-01-01T10:00:00Z")
    file = next((log.folder / "runbooks" / "incidents").glob("*.md"))
    words = "Seen on cache-01.internal by asha@jump1."
    file.write_text(file.read_text().replace("## Summary\n", f"## Summary\n\n{words}\n"))
    code, full, _ = log("export")
    assert code == 0
    assert "| Time to acknowledge (MTTA) |" in full
    assert words in full
    _, summary, doubt = log("export", "--as", "summary")
    assert "what is held is unknown" in doubt
    assert "P2 incident: Data feed failure" in summary
    assert "This is a drill." in summary
    assert not any(word in summary for word in ("cache-01", "asha", "jump1"))
    assert json.loads(log("export", "--as", "timeline")[1])["is_drill"] is True


def test_a_summary_names_no_symbol_that_is_held(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log("new", "Feed late", "--severity", "P2", "--section", "3.2")
    file = next((log.folder / "runbooks" / "incidents").glob("*.md"))
    file.write_text(file.read_text().replace("## Summary\n", "## Summary\n\nWe could not sell tsla in time.\n"))
    ear = Ear(frozenset({"risk"}))
    book = risk(positions=(Position("TSLA", 1.0, 2.0, 3.0, 4.0),))
    ear(snapshot(risk=book))
    monkeypatch.setattr("cockpit.headless.status.watching", lambda _: nullcontext((ear, None)))
    assert "We could not sell [withheld] in time." in log("export", "--as", "summary")[1]


def test_an_empty_list_says_so(log: Log) -> None:
    assert log("list")[1] == "no incident yet\n"
    assert log("list", "--open")[1] == "no incident is open\n"
    assert log("list", "--json")[1].strip() == "[]"


def test_list_and_search(log: Log) -> None:
    log("new", "Feed late", "--severity", "P2")
    log("close", "--although", "a try")
    log("new", "Redis down", "--severity", "P1")
    log("note", "a \x1b[31mneedle")
    lines = log("list")[1].splitlines()
    assert sorted(line.split()[3] for line in lines) == ["OPEN", "closed"]
    assert len(log("list", "--open")[1].splitlines()) == 1
    code, said, _ = log("search", "NEEDLE")
    assert (code, said.count("\n"), "\x1b" in said) == (0, 1, False)
    assert log("search", "nowhere")[0] == 1


def test_a_long_note_comes_from_standard_input(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log("new", "x", "--severity", "P3")
    monkeypatch.setattr("sys.stdin", io.StringIO("first\nsecond\n"))
    assert log("note", "-")[0] == 0
    text = next((log.folder / "runbooks" / "incidents").glob("*.md")).read_text()
    assert ": first\n  second\n" in text


def restored(log: Log, began: float) -> None:
    """A restore that lost the 90 seconds before the trouble, proven."""
    facts = {"action": "pg_restore.restore", "title": "Restore", "target": "x", "world": "PAPER", "digest": "d"}
    entries = [
        Entry(began + 1, "submitted", {**facts, "by": "asha", "steps": ["put"], "proofs": []}),
        Entry(began + 2, "step_started", {"step": 0, "command": "c", "before": {"recovered_to": began - 90}}),
        Entry(began + 3, "step_done", {"step": 0, "facts": {}}),
        Entry(began + 4, "done", {"error": ""}),
    ]
    JobStore(log.folder / "state" / "jobs").create(new_job_id(began, "pg_restore.restore"), entries).release()


@pytest.mark.parametrize(("said", "minutes"), [((), 1.5), (("--rpo-minutes", "0"), 0.0)])
def test_what_a_step_measured_as_lost_is_taken_as_it_is_closed(log: Log, said: tuple[str, ...], minutes: float) -> None:
    log("new", "x", "--severity", "P1")
    incidents = Incidents(log.folder / "runbooks" / "incidents", "asha")
    opened = incidents.open_one()
    assert opened is not None
    restored(log, opened.from_at)
    assert log("close", "--cause", "disk")[0] == 4
    assert incidents.find(opened.id).rpo_minutes is None, "until it is closed more may be lost"
    code, _, error = log("close", "--cause", "disk", "--although", "a try", *said)
    assert (code, incidents.find(opened.id).rpo_minutes) == (0, minutes)
    assert ("minutes lost, as measured: 1.5. Restore: what it put back ends" in error) is (not said)


def test_what_somebody_said_was_lost_stands_before_what_was_measured(log: Log) -> None:
    log("new", "x", "--severity", "P1")
    incidents = Incidents(log.folder / "runbooks" / "incidents", "asha")
    opened = incidents.open_one()
    assert opened is not None
    restored(log, opened.from_at)
    incidents.set(opened.id, {"rpo_minutes": 4})
    code, _, error = log("close", "--although", "a try")
    assert (code, incidents.find(opened.id).rpo_minutes, error) == (0, 4.0, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new", "x"), "--severity"),
        (("new", "x", "--severity", "P9"), "one of P1, P2, P3, P4, not 'P9'"),
        (("role", "boss=x"), "communications, not 'boss=x'"),
        (("close", "--rpo-rows", "y"), "'y'"),
    ],
)
def test_wrong_words_are_usage(log: Log, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        log(*words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_section_that_does_not_exist_opens_nothing(log: Log) -> None:
    code, _, error = log("new", "x", "--severity", "P1", "--section", "99")
    assert code == 2
    assert "There is no section 99: it is one of 3.1" in error
    assert log("list")[1].strip() == "no incident yet"


def test_break_glass_needs_somebody_else(log: Log) -> None:
    log("new", "x", "--severity", "P1")
    file = next((log.folder / "runbooks" / "incidents").glob("*.md"))
    me = json.loads(log("show", "--json")[1])["opened_by"]
    file.write_text(file.read_text().replace("roles:", f"break_glass: ['{me}']\nroles:"))
    assert log("close", "--although", "tired")[0] == 4
    assert log("review", "--text", "fine")[0] == 4
    file.write_text(
        file.read_text().replace(me, "ben@jump2", 1) if False else file.read_text().replace(f"['{me}']", "[ben@jump2]")
    )
    assert log("review", "--text", "looked at it")[0] == 0
    assert log("close", "--although", "tired")[0] == 0


def test_git_commits_what_matters_and_failing_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(tmp_path, capsys, is_git=True)
    code, _, error = log("new", "outside", "--severity", "P4")
    assert code == 0
    assert "not committed" in error
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    code, _, error = log("note", "inside")
    assert (code, error) == (0, "")
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "ls-files"], check=True, capture_output=True, text=True
    ).stdout.split()
    assert len(listed) == 1
    assert listed[0].startswith("runbooks/incidents/")
    assert listed[0].endswith("P4-outside.md")


def test_a_note_that_cannot_be_written_is_kept(log: Log) -> None:
    log("new", "x", "--severity", "P1")
    file = next((log.folder / "runbooks" / "incidents").glob("*.md"))
    hidden = file.parent / ".cockpit" / "lock"
    hidden.unlink()
    hidden.mkdir()
    code, _, error = log("note", "not to be lost")
    assert code == 5
    assert "not to be lost" in (log.folder / "state" / "drafts" / "notes.jsonl").read_text()
    assert "is kept in" in error


def test_nothing_that_others_wrote_acts_on_the_terminal(log: Log) -> None:
    name = log.json("new", "Redis down", "--severity", "p1")["id"]
    folder = log.folder / "runbooks" / "incidents"
    file = folder / f"{name}.md"
    file.write_bytes(file.read_bytes() + b"\n- 2099-01-01 00:00:00Z note: a \xc2\x9b2J \xe2\x80\xae \xff b\n")
    (folder / "2020-01-01-\x1b[2J.md").write_text("words\n")
    for words in (("show", name, "--json"), ("list", "--json"), ("list",), ("search", "words"), ("show", name)):
        code, said, _ = log(*words)
        assert code == 0
        assert said.replace("\n", "").isprintable(), words


@pytest.mark.parametrize(
    ("values", "why"), [({"break_glass": ["ben@jump1"]}, "acted alone"), ({"closed": "x"}, "already")]
)
def test_it_is_closed_only_as_it_stands_when_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], why: str
) -> None:
    incidents = Incidents(tmp_path, "asha@jump1")
    name = incidents.open(Opening("x", Severity.P1, "")).id
    values = {key: iso(SystemClock().now()) if value == "x" else value for key, value in values.items()}

    def meanwhile(*_: object) -> tuple[closing.Lack, ...]:
        Incidents(tmp_path, "ben@jump1").set(name, values)
        return ()

    monkeypatch.setattr(closing, "lacks", meanwhile)
    with pytest.raises(Rejected, match=why):
        closing.close(incidents, name, "asha@jump1", SystemClock(), {})
    assert incidents.find(name).closed_by == ""
