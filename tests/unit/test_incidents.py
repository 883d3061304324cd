"""The store of incidents: nothing that anybody wrote is lost, whoever writes at the same time and whatever dies."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.errors import JournalError, Rejected
from cockpit.model.incident import Event
from cockpit.model.severity import Severity
from cockpit.storage import incident_file
from cockpit.storage.incident_front import moment, read
from cockpit.storage.incidents import Incidents, Opening
from cockpit.storage.merge import has_conflict

BODY = "# T\n\n## Summary\n\n## Impact\n\n## Timeline\n\n## Actions\n"
NOW = moment("2026-04-01T19:44:12Z") or 0.0


class Still:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> float:
        self.at += 1
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def incidents(tmp_path: Path) -> Incidents:
    return Incidents(tmp_path / "runbooks" / "incidents", "asha@jump1", Still())


def opened(incidents: Incidents, title: str = "Redis down") -> str:
    return incidents.open(Opening(title, Severity.P1, BODY, site="s", world="SANDBOX")).id


def test_a_new_incident_is_a_private_markdown_file(incidents: Incidents) -> None:
    name = opened(incidents)
    assert name == "2026-04-01-1944-P1-redis-down"
    file = incidents.folder / f"{name}.md"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(incidents.folder.stat().st_mode) == 0o700
    values, problem = read(file.read_text())
    assert (problem, values["severity"], values["closed"]) == ("", "P1", None)
    assert opened(incidents) == f"{name}-2"
    assert [each.id for each in incidents.all()] == [f"{name}-2", name]


def test_in_a_shared_folder_it_is_the_teams(tmp_path: Path) -> None:
    folder = tmp_path / "incidents"
    folder.mkdir()
    folder.chmod(0o2770)
    name = opened(Incidents(folder, "asha@jump1"))
    assert stat.S_IMODE((folder / f"{name}.md").stat().st_mode) == 0o660
    (folder / f"{name}.md").chmod(0o664)
    Incidents(folder, "ben").note("x")
    assert stat.S_IMODE((folder / f"{name}.md").stat().st_mode) == 0o664


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_whatever_a_cockpit_keeps_beside_a_teams_incidents_is_the_teams(tmp_path: Path, mask: int) -> None:
    folder = tmp_path / "incidents"
    folder.mkdir()
    folder.chmod(0o2770)
    before = os.umask(mask)
    try:
        name = opened(Incidents(folder, "asha"))
        Incidents(folder, "asha").record(Event(1.0, "alert", "x", "alert/x"), name)
    finally:
        os.umask(before)
    # Whoever of the team may not write into the folder of the versions may not write into the incident.
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o2770 if path.is_dir() else 0o660), path


def test_the_open_one_is_the_newest_that_is_not_closed(incidents: Incidents) -> None:
    assert incidents.open_one() is None
    assert not incidents.note("nowhere to write it")
    first, second = opened(incidents), opened(incidents, "again")
    found = incidents.open_one()
    assert found is not None
    assert found.id == second
    incidents.set(second, {"closed": "2026-04-01T20:00:00Z"})
    assert incidents.open_one() is not None
    assert incidents.open_one().id == first  # type: ignore[union-attr]


def test_severity_keeps_its_history(incidents: Incidents) -> None:
    name = opened(incidents)
    incidents.set_severity(name, Severity.P3, "only the dashboards")
    found = incidents.find("redis-down")
    assert found.severity is Severity.P3
    assert [(each.severity, each.reason) for each in found.severity_history] == [
        (Severity.P1, "opened"),
        (Severity.P3, "only the dashboards"),
    ]
    assert found.timeline[-1].text == "P3 by asha@jump1: only the dashboards"


def test_roles_are_added(incidents: Incidents) -> None:
    name = opened(incidents)
    incidents.set_roles(name, {"scribe": "ben"})
    incidents.set_roles(name, {"commander": "asha"})
    assert incidents.find(name).roles == (("commander", "asha"), ("scribe", "ben"))


def test_unknown_or_ambiguous_names_are_refused(incidents: Incidents) -> None:
    opened(incidents), opened(incidents)
    for name in ("nothing", "2026", "../x", ""):
        with pytest.raises(Rejected):
            incidents.find(name)


def test_two_cockpits_and_another_editor_lose_no_line(incidents: Incidents) -> None:
    name = opened(incidents)
    file = incidents.folder / f"{name}.md"
    other = Incidents(incidents.folder, "ben@jump2", Still())
    base = incidents.body(name)
    loaded_by_vim = file.read_text()
    mine = base.replace("## Summary\n", "## Summary\n\nRedis died.\n")
    incidents.save_body(name, base, mine)
    other.save_body(name, base, base.replace("## Impact\n", "## Impact\n\nNo orders.\n"))
    other.record(Event(NOW + 5, "finding", "Redis down", "finding/a/b/raised"))
    # Saved over everything, from what was loaded before: by renaming, and in place.
    draft = file.with_name("vim.tmp")
    draft.write_text(loaded_by_vim.replace("## Actions\n", "## Actions\n\n- by vim\n"))
    draft.replace(file)
    incidents.note("one")
    file.write_text(loaded_by_vim.replace("# T\n", "# T\n\nby nano\n", 1))
    settle(file)
    incidents.note("two")
    text = file.read_text()
    wanted = ["Redis died.", "No orders.", "- by vim", "by nano"]
    assert [each for each in wanted if each not in text.split("\n")] == []
    assert {each.text for each in incidents.find(name).timeline} >= {
        "Redis down",
        "asha@jump1: one",
        "asha@jump1: two",
    }
    assert not has_conflict(text)


def settle(file: Path) -> None:
    """As if the other editor had saved a moment ago: nothing waits for it to finish."""
    entry = file.stat()
    os.utime(file, ns=(entry.st_atime_ns, entry.st_mtime_ns - 10**9))


def test_what_somebody_deleted_in_an_editor_stays_deleted(incidents: Incidents) -> None:
    name = opened(incidents)
    base = incidents.body(name)
    incidents.save_body(name, base, base.replace("## Summary\n", "## Summary\n\nwrong\n\nright\n"))
    incidents.note("later")
    file = incidents.folder / f"{name}.md"
    file.write_text(file.read_text().replace("wrong\n", ""))
    settle(file)
    incidents.note("after that")
    text = file.read_text()
    assert "right" in text
    assert "wrong" not in text


def test_a_line_of_ours_that_somebody_deleted_stays_deleted_whoever_looks_again(incidents: Incidents) -> None:
    name = opened(incidents)
    job = Event(NOW + 5, "action", "Restart, confirmed", "job/1/confirmed")
    raised = Event(NOW + 6, "finding", "P1 Redis", "finding/silent/Redis/P1", is_state=True)
    incidents.record_all([job, raised], name)
    file = incidents.folder / f"{name}.md"
    file.write_text("".join(line for line in file.read_text().splitlines(True) if "confirmed" not in line))
    other = Incidents(incidents.folder, "ben@jump1", Still())
    later = replace(raised, at=NOW + 600)
    other.record_all([job, later], name)
    assert [entry.kind for entry in other.find(name).timeline] == ["opened", "finding"]
    other.record_all([replace(raised, at=NOW + 700, kind="cleared", key="finding/silent/Redis/cleared")], name)
    other.record_all([replace(raised, at=NOW + 800)], name)
    kinds = [entry.kind for entry in other.find(name).timeline]
    assert kinds == ["opened", "finding", "cleared", "finding"]


def test_a_conflict_keeps_both_and_is_reported(incidents: Incidents) -> None:
    name = opened(incidents)
    base = incidents.body(name)
    first = incidents.save_body(name, base, base.replace("# T", "# Mine"))
    assert (first.has_conflict, first.was_merged) == (False, False)
    second = incidents.save_body(name, base, base.replace("# T", "# Yours"))
    assert (second.has_conflict, second.was_merged) == (True, True)
    assert {"# Mine", "# Yours"} <= set(second.body.split("\n"))


def test_bytes_that_are_no_text_are_kept(incidents: Incidents) -> None:
    name = opened(incidents)
    file = incidents.folder / f"{name}.md"
    file.write_bytes(file.read_bytes() + b"\xff\xfe latin \xe9\r\n")
    settle(file)
    incidents.note("x")
    assert b"\xff\xfe latin \xe9\r\n" in file.read_bytes()


def test_a_full_disk_or_a_read_only_folder_is_said_and_changes_nothing(
    incidents: Incidents, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = opened(incidents)
    before = incidents.text(name)

    def full(descriptor: int, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(incident_file, "append_synced", full)
        with pytest.raises(JournalError, match="no space left"):
            incidents.note("kept elsewhere")
        assert incidents.text(name) == before
    incidents.note("again")
    assert "again" in incidents.text(name)
    # What could not be written was meant to be: the next write brings it along, once.
    assert incidents.text(name).count("kept elsewhere") <= 1


def test_a_file_that_is_none_is_refused(incidents: Incidents) -> None:
    opened(incidents)
    (incidents.folder / "2026-05-05-0000-P1-link.md").symlink_to("/etc/passwd")
    (incidents.folder / "2026-05-06-0000-P1-dir.md").mkdir()
    os.mkfifo(incidents.folder / "2026-05-07-0000-P1-pipe.md")
    assert len(incidents.all()) == 1
    with pytest.raises(JournalError):
        incidents.find("link")


def test_many_processes_write_at_once(incidents: Incidents) -> None:
    name = opened(incidents)
    code = (
        "import sys; from pathlib import Path; from cockpit.storage.incidents import Incidents\n"
        "one = Incidents(Path(sys.argv[1]), sys.argv[2])\n"
        "for at in range(10): one.note(f'line {at}')"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(incidents.folder), f"user{each}"]) for each in range(3)
    ]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    written = {each.text for each in incidents.find(name).timeline}
    assert written >= {f"user{who}: line {at}" for who in range(3) for at in range(10)}


def test_listing_reads_only_what_changed(incidents: Incidents, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        opened(incidents)
    incidents.all()
    monkeypatch.setattr(incident_file, "read", lambda file: pytest.fail("read again"))
    assert len(incidents.all()) == 3
