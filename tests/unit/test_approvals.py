"""A second person is somebody else, by the kernel's word, for exactly this plan, once, and in time."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cockpit import accounts
from cockpit.errors import JournalError, Rejected
from cockpit.model.approval import Standing
from cockpit.model.audit import Operator
from cockpit.model.danger import Danger
from cockpit.model.plan import Confirmation
from cockpit.storage.approvals import Approvals
from cockpit.storage.attested import TeamFolder
from tests.unit.test_confirm import PLAN

TEAM, ASHA, BEN, CARL = 64001, 64011, 64012, 64013
LAPSE_S = 600.0
REASON = "brokers are back"
WHO = Operator("asha", "asha", "jump1", None, None)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two other people")


def as_user(user: int, act: Callable[[], object]) -> str:
    """Do it as somebody of the team, in a process of their own; what went wrong, else what it answered."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([TEAM])
            os.setgid(user)
            os.setuid(user)
            os.umask(0o077)
            answer = str(act() or "")
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        words = told.read()
    os.waitpid(child, 0)
    return words


class Team:
    """A site's shared folder, at a moment that a test moves."""

    def __init__(self, state: Path) -> None:
        self.folder = state / "approvals"
        self.now = state.stat().st_mtime

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.folder, LAPSE_S)

    def ask(self, user: int = ASHA) -> str:
        found = as_user(user, lambda: self.approvals.ask(PLAN, WHO, REASON, self.now, ("late",)).id)
        assert found.isalnum(), found
        return found

    def approve(self, user: int, request: str) -> str:
        return as_user(user, lambda: self.approvals.approve(self.approvals.find(request[:8], self.now), self.now))

    def use(self, user: int, request: str, job: str = "job-1", **changes: Any) -> str:
        act = replace(Confirmation(PLAN.digest, reason=REASON, approval=request), **changes)
        return as_user(user, lambda: self.approvals.use(PLAN, act, job, self.now).by)

    def standing(self, request: str) -> Standing:
        return self.approvals.standing(request, self.now).standing


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """Other users cannot pass through pytest's own folders."""
    top = Path(tempfile.mkdtemp(prefix="cockpit-test-", dir="/tmp"))
    top.chmod(0o711)
    state = top / "state"
    state.mkdir()
    os.chown(state, 0, TEAM)
    state.chmod(0o2770)
    monkeypatch.setattr(accounts, "user_name", {ASHA: "asha", BEN: "ben", CARL: "carl", 0: "root"}.__getitem__)
    monkeypatch.setattr(accounts, "login_uid", lambda: None)
    yield Team(state)
    shutil.rmtree(top)


@needs_root
def test_somebody_else_approves_and_it_counts_once(team: Team) -> None:
    request = team.ask()
    assert team.standing(request) is Standing.WAITING
    assert "no second person: waiting" in team.use(ASHA, request)
    assert team.approve(BEN, request) == ""
    assert team.approvals.standing(request, team.now).words == "approved by ben"
    assert "approved for asha, not for you" in team.use(CARL, request)
    assert team.use(ASHA, request) == "ben"
    assert "counts once" in team.use(ASHA, request, "job-2")
    assert team.standing(request) is Standing.USED


@needs_root
def test_neither_who_asks_nor_root_is_a_second_person(team: Team) -> None:
    request = team.ask()
    assert "it is by asha, who asks for it" in team.approve(ASHA, request)
    assert "root is nobody in particular" in team.approve(0, request)
    assert team.standing(request) is Standing.WAITING


@needs_root
def test_one_person_with_two_accounts_is_one_person(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "login_uid", lambda: ASHA)
    request = team.ask()
    assert "who asks for it" in team.approve(BEN, request), "sudo keeps the login user"
    monkeypatch.setattr(accounts, "login_uid", lambda: BEN)
    assert team.approve(BEN, request) == ""
    assert team.use(ASHA, request) == "ben"


@needs_root
def test_an_approval_that_was_forged_does_not_count(team: Team) -> None:
    """Who asks may write into the folder, and own the folder, but cannot make a file that is Ben's."""
    request = team.ask()

    def forge(name: str) -> None:
        said = {"request": request, "digest": PLAN.digest, "login_uid": None}
        (team.folder / name).write_text(json.dumps(said))

    for name in (f"{request}.{ASHA}.approved", f"{request}.{BEN}.approved"):
        as_user(ASHA, lambda name=name: forge(name))  # type: ignore[misc]
        assert "no second person" in team.use(ASHA, request)


@needs_root
def test_an_approval_for_one_request_is_none_for_another(team: Team) -> None:
    first = team.ask()
    assert team.approve(BEN, first) == ""
    team.now += 1
    second = team.ask()
    old, new = (team.folder / f"{one}.{BEN}.approved" for one in (first, second))
    assert "PermissionError" in as_user(CARL, lambda: old.rename(new)), "the folder is sticky"
    # Asha's cockpit made the folder: the kernel lets her rename what is in it. It names its request, though.
    as_user(ASHA, lambda: old.rename(new))
    assert "no second person" in team.use(ASHA, second)
    new.rename(old)
    os.link(old, new)
    assert "no second person" in team.use(ASHA, first), "a file with two names is not believed"
    new.unlink()
    new.symlink_to(old)
    assert "no second person" in team.use(ASHA, second)
    assert team.use(ASHA, first) == "ben"


@needs_root
def test_another_plan_is_not_what_was_approved(team: Team) -> None:
    request = team.ask()
    team.approve(BEN, request)
    other = replace(PLAN, parameters=(("halted_by", "somebody else"),))
    act = Confirmation(PLAN.digest, reason=REASON, approval=request)
    assert "not this plan" in as_user(ASHA, lambda: team.approvals.use(other, act, "job", team.now))


@needs_root
def test_another_reason_or_override_is_not_what_was_approved(team: Team) -> None:
    request = team.ask()
    team.approve(BEN, request)
    assert "overriding in flight was not approved" in team.use(ASHA, request, overrides=("late", "in flight"))
    assert "another reason" in team.use(ASHA, request, reason="I want to")
    assert team.use(ASHA, request, overrides=("late",), reason=f" {REASON} ") == "ben"


@pytest.mark.parametrize(
    "changes",
    [{"danger": Danger.OBSERVE}, {"needs_second": True}, {"phrase": None}, {"locks": ("book",)}],
)
def test_what_guards_a_plan_is_part_of_it(changes: dict[str, Any]) -> None:
    assert replace(PLAN, **changes).digest != PLAN.digest


@needs_root
@pytest.mark.parametrize("tamper", ["reason", "plan"])
def test_a_request_that_was_changed_is_no_request(team: Team, tamper: str) -> None:
    request = team.ask()
    file = team.folder / f"{request}.request"
    fields = json.loads(file.read_text())
    fields[tamper] = fields[tamper].replace("e", "a")
    as_user(ASHA, lambda: (file.unlink(), file.write_text(json.dumps(fields))))
    assert team.standing(request) is Standing.GONE
    assert "no request waits" in team.approve(BEN, request)


@needs_root
def test_request_and_approval_lapse(team: Team) -> None:
    request = team.ask()
    team.now += LAPSE_S + 1
    assert team.standing(request) is Standing.LAPSED
    assert "no request waits" in team.approve(BEN, request)
    request = team.ask()
    assert team.approve(BEN, request) == ""
    file = team.folder / f"{request}.{BEN}.approved"
    for at, stands in (
        (team.now, Standing.APPROVED),
        (team.now + 60, Standing.WAITING),
        (team.now - 60, Standing.WAITING),
    ):
        os.utime(file, (at, at))
        assert team.standing(request) is stands, "one from the future, or from before it was asked for, is refused"
    asked_at = team.now
    late = asked_at + LAPSE_S - 60
    os.utime(file, (late, late))
    team.now = asked_at + LAPSE_S + 120
    second = team.approvals.standing(request, team.now)
    assert (second.standing, second.lapses_at) == (Standing.APPROVED, pytest.approx(late + LAPSE_S, abs=0.01))
    team.now = late + LAPSE_S + 1
    assert team.standing(request) is Standing.LAPSED and "it has lapsed" in team.use(ASHA, request)
    too_late = asked_at + LAPSE_S + 30
    os.utime(file, (too_late, too_late))
    team.now = too_late + 1
    assert "it came after the request had lapsed" in team.use(ASHA, request)


@needs_root
def test_a_refusal_ends_it(team: Team) -> None:
    request = team.ask()
    as_user(BEN, lambda: team.approvals.refuse(team.approvals.find(request, team.now), "not before the open"))
    found = team.approvals.standing(request, team.now)
    assert (found.standing, found.words) == (Standing.REFUSED, "refused by ben: not before the open")
    assert "no request waits" in team.approve(CARL, request)
    late = team.now + 1
    for number in range(60):
        flood = team.folder / f"{'0' * 64}.{number}.refused"
        flood.touch()
        os.utime(flood, (late, late))
    assert "refused by ben" in team.use(ASHA, request), "newer files of others hide it not"


def on_a_full_disk(act: Callable[[], object]) -> object:
    """No file can become longer than a few bytes: by the kernel's word, as where there is no room."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))
    return act()


@needs_root
def test_a_refusal_that_a_full_disk_did_not_take_can_be_given_again(team: Team) -> None:
    request = team.ask()

    def refuse() -> None:
        team.approvals.refuse(team.approvals.find(request, team.now), "not before the open")

    assert "file too large" in as_user(BEN, lambda: on_a_full_disk(refuse))
    assert [one.name for one in team.folder.iterdir()] == [f"{request}.request"], "nothing of it is left"
    assert as_user(BEN, refuse) == ""
    assert "no request waits" in team.approve(CARL, request)
    assert team.standing(request) is Standing.REFUSED


@needs_root
def test_an_approval_that_a_full_disk_did_not_mark_as_used_was_not(team: Team) -> None:
    request = team.ask()
    assert team.approve(BEN, request) == ""
    act = Confirmation(PLAN.digest, reason=REASON, approval=request)
    full = as_user(ASHA, lambda: on_a_full_disk(lambda: team.approvals.use(PLAN, act, "job-1", team.now)))
    assert "cannot be marked as used" in full
    assert team.use(ASHA, request) == "ben"
    assert "counts once" in team.use(ASHA, request, "job-2")


@needs_root
def test_a_refusal_whose_writer_died_before_its_draft_was_gone_counts_at_the_next_try(team: Team) -> None:
    request = team.ask()

    def refuse() -> None:
        Approvals(team.folder, LAPSE_S).refuse(team.approvals.find(request, team.now), "no")

    def die() -> None:
        unlink = Path.unlink
        Path.unlink = lambda *_, **__: os._exit(1)  # type: ignore[method-assign]
        try:
            refuse()
        finally:
            Path.unlink = unlink  # type: ignore[method-assign]

    as_user(BEN, die)
    assert len(list(team.folder.iterdir())) == 3
    assert "file exists" in as_user(BEN, refuse)
    assert team.standing(request) is Standing.REFUSED


@needs_root
def test_what_is_there_is_never_replaced(team: Team) -> None:
    request = team.ask()
    used = team.folder / f"{request}.{BEN}.refused"
    as_user(ASHA, lambda: used.symlink_to("nowhere"))
    refused = as_user(BEN, lambda: team.approvals.refuse(team.approvals.find(request, team.now), "no"))
    assert "file exists" in refused and not (team.folder / "nowhere").exists()


@needs_root
def test_what_waits_is_listed_for_all_and_can_be_taken_back(team: Team) -> None:
    request = team.ask()
    (found,) = team.approvals.waiting(team.now)
    assert found.words == "because: brokers are back, overriding late"
    assert (found.id, found.by, found.reason, found.plan.digest) == (request, "asha", REASON, PLAN.digest)
    as_user(ASHA, lambda: team.approvals.withdraw(request))
    assert team.approvals.waiting(team.now) == ()


@needs_root
@pytest.mark.parametrize("mode", [0o2770, 0o3777, 0o777])
def test_a_folder_in_which_others_could_replace_files_is_not_used(team: Team, mode: int) -> None:
    team.folder.mkdir()
    team.folder.chmod(mode)
    assert "it must be 3770" in (team.approvals.why_not_shared() or "")
    with pytest.raises(JournalError, match="it must be 3770"):
        team.approvals.ask(PLAN, WHO, "x", team.now)


@pytest.mark.parametrize("change", [{"plan": '"x"'}, {"plan": "[" * 50_000}, {"asked_at": 10**400}])
def test_a_request_that_is_none_hides_no_other(tmp_path: Path, change: dict[str, object]) -> None:
    approvals = Approvals(tmp_path / "state" / "approvals", LAPSE_S)
    asked = approvals.ask(PLAN, WHO, REASON, 1.0)
    folder = tmp_path / "state" / "approvals"
    fields = json.loads((folder / f"{asked.id}.request").read_bytes())
    content = json.dumps({**fields, **change}).encode()
    broken = folder / f"{hashlib.sha256(content).hexdigest()}.request"
    broken.write_bytes(content)
    broken.chmod(0o640)
    assert [one.id for one in approvals.waiting(1.0)] == [asked.id]


def test_what_is_taken_away_meanwhile_hides_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team = TeamFolder(tmp_path / "state" / "approvals")
    for name in ("x.1.refused", "x.2.refused"):
        team.put(name, b"{}")
    lstat = Path.lstat

    def meanwhile(file: Path) -> os.stat_result:
        (tmp_path / "state" / "approvals" / "x.2.refused").unlink(missing_ok=True)
        return lstat(file)

    monkeypatch.setattr(Path, "lstat", meanwhile)
    assert team.names(".refused", None) == ("x.1.refused",)


def test_alone_in_a_private_folder_says_what_to_configure(tmp_path: Path) -> None:
    approvals = Approvals(tmp_path / "state" / "approvals", LAPSE_S)
    assert "name one with `state:`" in (approvals.why_not_shared() or "")
    assert approvals.waiting(0.0) == ()
    with pytest.raises(Rejected):
        approvals.find("3f2a", 0.0)
