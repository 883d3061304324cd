"""The runner's parts by themselves: the hedged write, who sits here, jobs that were left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from actions.kill_switch.intent import Write
from cockpit import accounts
from cockpit.config import Settings
from cockpit.errors import BackendError, CockpitError, Refused, TimedOut, Unreachable
from cockpit.jobs.operator import current_operator
from cockpit.jobs.runner import Runner
from cockpit.jobs.strike import HEDGE_S, Outcome, strike
from cockpit.model.audit import Operator
from cockpit.model.job import Job, Phase
from cockpit.storage.audit import AuditLog
from cockpit.storage.jobs import JobStore, new_job_id
from cockpit.storage.journal import Entry
from cockpit.storage.targets import Holder, Targets
from tests.unit.healthy import NOW, SETTINGS, snapshot
from tests.unit.test_journal import WHO, done, intent
from tests.unit.virtual_time import VirtualLoop, play

WRITE = Write(True, "asha@jump1", "test", 1)


class FakeWriter:
    """Answers each call by its script: seconds to wait, then an error or the time of the write."""

    def __init__(self, *script: tuple[float, CockpitError | int]) -> None:
        self._script = list(script)
        self.calls = 0
        self.written_ms: int | None = None

    async def set_kill_switch(self, enabled: bool, by: str, reason: str, ts_ms: int, may_replace: object) -> None:
        self.calls += 1
        wait_s, answer = self._script.pop(0)
        await asyncio.sleep(wait_s)
        if isinstance(answer, CockpitError):
            raise answer
        self.written_ms = answer


def struck(*script: tuple[float, CockpitError | int]) -> tuple[Outcome, float, int]:
    writer = FakeWriter(*script)

    async def run() -> tuple[Outcome, float]:
        started = asyncio.get_running_loop().time()
        outcome = await strike(writer, WRITE)  # type: ignore[arg-type]
        return outcome, asyncio.get_running_loop().time() - started

    outcome, took_s = play(run(), VirtualLoop())
    return outcome, took_s, writer.calls


def test_a_healthy_redis_is_asked_once() -> None:
    outcome, _, calls = struck((0.001, 77))
    assert (outcome.is_done, outcome.redis_ms, calls) == (True, 77, 1)


def test_a_connection_that_hesitates_is_overtaken() -> None:
    outcome, took_s, calls = struck((2.0, TimedOut("accepted but did not answer")), (0.001, 78))
    assert (outcome.is_done, calls) == (True, 2)
    assert took_s == pytest.approx(HEDGE_S + 0.001)


def test_a_late_answer_of_the_first_counts_too() -> None:
    outcome, took_s, _ = struck((0.4, 79), (2.0, TimedOut("no")))
    assert (outcome.is_done, took_s) == (True, pytest.approx(0.4))


def test_a_broken_connection_is_tried_again_at_once() -> None:
    outcome, took_s, calls = struck((0.001, Unreachable("closed the connection")), (0.001, 80))
    assert (outcome.is_done, calls) == (True, 2)
    assert took_s < HEDGE_S


def test_the_servers_no_is_final() -> None:
    outcome, _, calls = struck((0.001, Refused("READONLY You can't write")))
    assert (outcome.is_done, outcome.is_known, calls) == (False, True, 1)
    assert "READONLY" in outcome.detail


def test_twice_unreachable_is_known_not_to_be_done() -> None:
    outcome, _, calls = struck((0.0, Unreachable("refused")), (0.0, Unreachable("refused the connection")))
    assert (outcome.is_done, outcome.is_known, calls) == (False, True, 2)
    assert outcome.detail == "Redis cannot be reached, tried twice: refused the connection"


def sent(error: BackendError) -> BackendError:
    error.was_sent = True
    return error


def test_silence_is_not_a_no() -> None:
    outcome, _, _ = struck((2.0, sent(TimedOut("silent"))), (2.0, sent(TimedOut("silent"))))
    assert (outcome.is_done, outcome.is_known) == (False, False)


def test_a_connection_that_breaks_after_it_was_sent_is_silence_too() -> None:
    outcome, _, _ = struck((0.0, sent(Unreachable("reset the connection"))), (0.0, Unreachable("refused")))
    assert (outcome.is_done, outcome.is_known) == (False, False)


def test_what_never_was_sent_is_known_not_to_be_done() -> None:
    outcome, _, _ = struck((2.0, TimedOut("did not accept")), (2.0, TimedOut("did not accept")))
    assert (outcome.is_done, outcome.is_known) == (False, True)


@pytest.mark.parametrize("first", [(2.0, 81), (0.0, sent(Unreachable("reset the connection")))])
def test_a_no_does_not_speak_for_another_try(first: Any) -> None:
    outcome, _, calls = struck(first, (0.0, Refused("READONLY You can't write")))
    assert (outcome.is_done, outcome.is_known, calls) == (False, False, 2)
    assert "READONLY" in outcome.detail


def test_the_login_user_is_the_kernels_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = tmp_path / "loginuid"
    monkeypatch.setattr(accounts, "LOGIN_UID", uid)
    monkeypatch.setattr(accounts, "user_name", {0: "root", 1001: "asha"}.__getitem__)
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "mallory\x1b")
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.7 51234 10.0.0.1 22")
    uid.write_text("1001")
    found = current_operator()
    assert (found.login, found.user, found.ssh_from) == ("asha", "root (sudo says mallory␛)", "10.0.0.7")
    for unset in ("4294967295", "", "what"):
        uid.write_text(unset)
        assert current_operator().login == "root", "what the environment claims is no login"
    uid.unlink()
    monkeypatch.delenv("SUDO_USER")
    monkeypatch.setenv("SSH_CONNECTION", "garbage")
    assert current_operator() == Operator("root", "root", found.host, found.tty, None)


class StoppedClock:
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now


def left_behind(folder: Path, entries: Sequence[Entry]) -> str:
    job_id = new_job_id(NOW, "kill_switch.engage")
    JobStore(folder / "jobs").create(job_id, entries).release()
    return job_id


def after(folder: Path, job_id: str, now: float, settings: Settings = SETTINGS) -> Job:
    runner = Runner(settings, StoppedClock(now), WHO, folder)
    deadline = time.monotonic() + 5.0
    while runner.jobs()[0].error is None or "too long ago" not in (runner.jobs()[0].error or ""):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    found = runner.job(job_id)
    runner.stop()
    assert found is not None
    return found


@pytest.mark.parametrize("entries", [intent(), done()])
def test_what_was_left_behind_long_ago_is_not_proven_by_todays_state(tmp_path: Path, entries: Any) -> None:
    job_id = left_behind(tmp_path, entries)
    job = after(tmp_path, job_id, NOW + 3600)
    assert job.phase is Phase.IN_DOUBT
    assert JobStore(tmp_path / "jobs").entries(job_id)[-1].kind == "in_doubt"
    assert AuditLog(tmp_path).tail()[-1].kind == "in_doubt"


def test_nobody_lets_trading_begin_while_somebody_works_on_the_book(tmp_path: Path) -> None:
    runner = Runner(SETTINGS, StoppedClock(NOW), WHO, tmp_path)
    try:
        with Targets(tmp_path / "targets").held(("book",), Holder("1", "asha@jump1", "Flatten all positions")):
            held = runner.prepare("kill_switch.release", {}, snapshot(), is_shown=False)
        free = runner.prepare("kill_switch.release", {}, snapshot(), is_shown=False)
    finally:
        runner.stop()
    (check,) = [check for check in held.blocking if check.name == "book free"]
    assert "asha@jump1 is at it: Flatten all positions" in check.detail and not check.is_overridable
    assert "book free" not in [check.name for check in free.checks]
