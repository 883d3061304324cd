"""What goes out by itself: once each, not too often, by one cockpit, never of a recording."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cockpit.config import AlertingPart, Settings
from cockpit.errors import Rejected
from cockpit.model.alerting import FULL, Alerting, Audience
from cockpit.model.finding import Assessment, Finding
from cockpit.model.severity import Severity
from cockpit.model.snapshot import Snapshot
from cockpit.model.world import World
from cockpit.notify import herald as herald_module
from cockpit.notify.herald import Herald
from cockpit.notify.news import ALL_CLEAR, State, Told, look
from cockpit.severity.watch import died
from cockpit.storage.disk import try_lock
from tests.unit.healthy import NOW, SETTINGS, snapshot

P1, P2, P3 = Severity.P1, Severity.P2, Severity.P3
PART = AlertingPart(settle_s=5.0, clear_s=60.0, pause_s=60.0, hourly=4)
PANELS = (("brokers", Severity.OK),)


def finding(rule: str, severity: Severity, **changes: Any) -> Finding:
    return replace(Finding(rule, "x", severity, "brokers", f"{rule} is wrong", "", "", NOW), **changes)


def shown(at: float, *findings: Finding, is_automatic: bool = True) -> Snapshot:
    made = snapshot(at, alerting=Alerting(is_present=True, is_automatic=is_automatic))
    worst = min((one.severity for one in findings), default=Severity.OK)
    return replace(made, assessment=Assessment(worst, findings, PANELS))


class Wire:
    """Sends all news at once."""

    def __init__(self) -> None:
        self.state = State()
        self.sent: list[tuple[float, str]] = []

    def see(self, second: float, *findings: Finding) -> None:
        self.state, news = look(self.state, shown(NOW + second, *findings), PART)
        if news is not None:
            self.sent.append((second, news.headline))
            self.state = replace(self.state, told=news.told)

    def seen(self, begin: int, end: int, *findings: Finding) -> None:
        for second in range(begin, end):
            self.see(second, *findings)


def test_a_finding_is_told_once_it_stands_and_once_only() -> None:
    wire = Wire()
    wire.seen(0, 300, finding("venue_down", P1), finding("feed_late", P2), finding("candles_late", P3))
    assert wire.sent == [(5, "P1: venue_down is wrong (and 1 more)")]


def test_what_flaps_or_is_expected_or_minor_is_no_news() -> None:
    wire = Wire()
    for second in range(0, 40, 4):
        wire.see(second, finding("venue_slow", P2))
        wire.see(second + 1)
    assert wire.sent == [(8, "P2: venue_slow is wrong")]
    wire = Wire()
    wire.seen(0, 60, finding("venue_reset", P2, is_expected=True), finding("candles_late", P3))
    assert wire.sent == []


def test_worse_is_news_better_is_none_and_the_end_is_told() -> None:
    wire = Wire()
    wire.seen(0, 100, finding("venue_down", P2))
    wire.seen(100, 200, finding("venue_down", P1))
    wire.seen(200, 300, finding("venue_down", P2))
    wire.seen(300, 500)
    assert wire.sent == [(5, "P2: venue_down is wrong"), (100, "P1: venue_down is wrong"), (359, ALL_CLEAR)]


def test_not_more_often_than_agreed_and_what_waited_is_in_the_next() -> None:
    wire = Wire()
    for minute in range(10):
        standing = [finding(f"rule_{number}", P1) for number in range(2 * minute + 1)]
        wire.seen(30 * minute, 30 * minute + 30, *standing)
    assert [second for second, _ in wire.sent] == [5, 65, 125, 185]
    assert wire.sent[1][1] == "P1: rule_1 is wrong (and 3 more)"


def test_what_is_urgent_waits_for_no_message_of_less() -> None:
    wire = Wire()
    for minute in range(6):
        wire.seen(60 * minute, 60 * minute + 60, *(finding(f"rule_{number}", P2) for number in range(minute + 1)))
    standing = [finding(f"rule_{number}", P2) for number in range(6)]
    assert [second for second, _ in wire.sent] == [5, 65, 125, 185], "the hour is full"
    wire.seen(360, 400, *standing, finding("venue_down", P1))
    assert wire.sent[4:] == [(365, "P1: venue_down is wrong (and 2 more)")]
    # The pause and the hour's number hold for P1 among themselves.
    for minute in range(6):
        urgent = [finding(f"urgent_{number}", P1) for number in range(minute + 1)]
        wire.seen(400 + 60 * minute, 460 + 60 * minute, *standing, finding("venue_down", P1), *urgent)
    assert [second for second, _ in wire.sent[5:]] == [425, 485, 545]


def test_what_is_worse_gives_the_message_its_class_however_young_it_is() -> None:
    wire = Wire()
    wire.seen(0, 3, finding("pending_old", P2))
    wire.seen(3, 200, finding("var_breach", P1), finding("pending_old", P2))
    assert wire.sent == [(8, "P1: var_breach is wrong (and 1 more)")]


def test_what_did_not_stand_yet_is_told_in_its_turn() -> None:
    wire = Wire()
    wire.seen(0, 4, finding("venue_down", P1))
    wire.seen(4, 200, finding("venue_down", P1), finding("feed_late", P2))
    assert wire.sent == [(5, "P1: venue_down is wrong"), (65, "P2: feed_late is wrong")]


def test_a_blind_cockpit_knows_no_news() -> None:
    wire = Wire()
    wire.seen(0, 10, finding("venue_down", P1))
    state, news = look(wire.state, died(shown(NOW + 500), "it ended"), PART)
    assert news is None and state is wire.state


class Post:
    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.is_refusing = False
        self.tried = 0

    def __call__(self, audiences: str, headline: str) -> None:
        self.tried += 1
        if self.is_refusing:
            raise Rejected("no route")
        self.sent.append((audiences, headline))


def herald(root: Path, post: Post, **changes: Any) -> Herald:
    settings: Settings = structs.replace(SETTINGS, root=root, alerting=PART, **changes)
    return Herald(settings, root / "state", post)


def watched(one: Herald, begin: int, end: int, *findings: Finding, **options: Any) -> None:
    for second in range(begin, end):
        one.hear(shown(NOW + second, *findings, **options))
        one.look()


def test_one_cockpit_tells_and_the_next_does_not_tell_it_again(tmp_path: Path) -> None:
    post = Post()
    first, second = herald(tmp_path, post), herald(tmp_path, post)
    for at in range(20):
        watched(first, at, at + 1, finding("venue_down", P1))
        watched(second, at, at + 1, finding("venue_down", P1))
    assert post.sent == [("ops,risk_officer", "P1: venue_down is wrong")]
    first.let_go()
    watched(second, 20, 60, finding("venue_down", P1))
    assert len(post.sent) == 1
    watched(second, 60, 200)
    assert [headline for _, headline in post.sent] == ["P1: venue_down is wrong", ALL_CLEAR]
    second.let_go()


def test_who_may_only_read_keeps_nobody_from_telling(tmp_path: Path) -> None:
    """A lock needs no more than a reader's descriptor."""
    shared = tmp_path / "runbooks" / "incidents"
    shared.mkdir(parents=True)
    shared.chmod(0o2775)
    post = Post()
    one = herald(tmp_path, post)
    watched(one, 0, 2, finding("venue_down", P1))
    one.let_go()
    readable = [path for path in (tmp_path, *tmp_path.rglob("*")) if path.stat().st_mode & 0o004]
    held = [os.open(path, os.O_RDONLY) for path in readable]
    assert shared in readable and all(map(try_lock, held))
    watched(one, 2, 10, finding("venue_down", P1))
    assert len(post.sent) == 1
    for descriptor in held:
        os.close(descriptor)
    (lock,) = (path for path in shared.rglob("notices.*.lock"))
    assert (lock.stat().st_mode & 0o777, lock.parent.stat().st_mode & 0o777) == (0o660, 0o770)
    # Of two that share no more than the incidents one tells.
    settings: Settings = structs.replace(SETTINGS, root=tmp_path, alerting=PART)
    other = Herald(settings, tmp_path / "other", post)
    watched(other, 10, 20, finding("venue_down", P1))
    assert len(post.sent) == 1
    one.let_go()
    watched(other, 20, 30, finding("venue_down", P1))
    assert len(post.sent) == 2
    other.let_go()


def test_another_platform_with_the_same_folders_silences_nobody(tmp_path: Path) -> None:
    paper_post, live_post = Post(), Post()
    paper, live = herald(tmp_path, paper_post, world=World.PAPER), herald(tmp_path, live_post, world=World.LIVE)
    watched(paper, 0, 10, finding("venue_down", P1))
    watched(live, 0, 10, finding("venue_down", P1))
    assert len(paper_post.sent) == len(live_post.sent) == 1
    paper.let_go()
    live.let_go()


def test_incidents_that_cannot_be_locked_silence_nobody_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_locks(descriptor: int) -> bool:
        if "/runbooks/incidents/" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return try_lock(descriptor)

    monkeypatch.setattr(herald_module, "try_lock", without_locks)
    post = Post()
    first, second = herald(tmp_path, post), herald(tmp_path, post)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for at in range(20):
        watched(first, at, at + 1, finding("venue_down", P1))
        watched(second, at, at + 1, finding("venue_down", P1))
    assert [headline for _, headline in post.sent] == ["P1: venue_down is wrong"]
    first.let_go()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_nobody_looked_for_since_is_told_again(tmp_path: Path) -> None:
    """A weekend later the same finding is another outage; and that it is over is told however late."""
    monday, friday = 4000, 4000 + 4 * 86_400
    post = Post()
    first = herald(tmp_path, post)
    for at in range(0, monday, 50):
        watched(first, at, at + 1, finding("venue_down", P1))
    first.let_go()
    second = herald(tmp_path, post)
    watched(second, monday, monday + 70, finding("venue_down", P1))
    second.let_go()
    assert len(post.sent) == 1, "somebody has looked all the time"
    third = herald(tmp_path, post)
    watched(third, friday, friday + 20, finding("venue_down", P1))
    third.let_go()
    assert [headline for _, headline in post.sent] == ["P1: venue_down is wrong"] * 2
    fourth = herald(tmp_path, post)
    watched(fourth, 2 * friday, 2 * friday + 70)
    fourth.let_go()
    assert [headline for _, headline in post.sent][2:] == [ALL_CLEAR]


def test_an_audience_that_the_file_lacks_keeps_no_other_from_being_told(tmp_path: Path) -> None:
    post = Post()
    one = herald(tmp_path, post)
    ops = Alerting(is_present=True, is_automatic=True, audiences=(Audience("ops", ("slack",), (), FULL),))
    for second in range(10):
        made = shown(NOW + second, finding("venue_down", P1))
        one.hear(replace(made, alerting=replace(made.alerting, value=ops)))
        one.look()
    assert post.sent == [("ops", "P1: venue_down is wrong")]
    one.let_go()


def test_nothing_goes_out_unless_the_file_says_so(tmp_path: Path) -> None:
    post = Post()
    one = herald(tmp_path, post)
    watched(one, 0, 30, finding("venue_down", P1), is_automatic=False)
    assert post.sent == [] and not (tmp_path / "state").exists()


def test_a_file_that_broke_silences_nobody(tmp_path: Path) -> None:
    post = Post()
    one = herald(tmp_path, post)
    watched(one, 0, 5)
    for second in range(5, 30):
        now = shown(NOW + second, finding("venue_down", P1))
        one.hear(replace(now, alerting=shown(NOW).alerting.failed("line 3: nonsense", NOW + second, 0.01)))
        one.look()
    assert post.sent == [("ops,risk_officer", "P1: venue_down is wrong")]
    one.let_go()


def test_a_clock_that_is_set_back_prolongs_no_pause(tmp_path: Path) -> None:
    post = Post()
    one = herald(tmp_path, post)
    post.is_refusing = True
    with suppress(Rejected):
        watched(one, 0, 10, finding("venue_down", P1))
    post.is_refusing = False
    watched(one, -3600, -3590, finding("venue_down", P1))
    assert len(post.sent) == 1
    one.let_go()


def test_a_recording_tells_nobody(tmp_path: Path) -> None:
    one = herald(tmp_path, Post(), world=World.REPLAY)
    one.start()
    assert not one.is_running


def test_what_could_not_be_handed_over_is_tried_again(tmp_path: Path) -> None:
    post = Post()
    one = herald(tmp_path, post)
    post.is_refusing = True
    for second in range(5, 95):
        with suppress(Rejected):
            watched(one, second - 5, second - 4, finding("venue_down", P1))
    # After 30 s, and after twice as long.
    assert post.tried == 2
    post.is_refusing = False
    watched(one, 90, 95, finding("venue_down", P1))
    assert post.sent == []
    watched(one, 95, 100, finding("venue_down", P1))
    assert len(post.sent) == 1
    one.let_go()


def test_what_is_urgent_does_not_wait_until_what_failed_is_tried_again(tmp_path: Path) -> None:
    post = Post()
    one = herald(tmp_path, post)
    post.is_refusing = True
    for second in range(100):
        with suppress(Rejected):
            watched(one, second, second + 1, finding("feed_late", P2))
    assert post.tried == 3
    for second in range(100, 140):
        with suppress(Rejected):
            watched(one, second, second + 1, finding("feed_late", P2), finding("venue_down", P1))
    assert post.tried == 5, "at once, and after 30 s"
    one.let_go()


def test_what_was_urgent_counts_for_the_next_cockpit(tmp_path: Path) -> None:
    post = Post()
    first, second = herald(tmp_path, post), herald(tmp_path, post)
    watched(first, 0, 10, finding("venue_down", P1))
    first.let_go()
    watched(second, 10, 60, finding("venue_down", P1), finding("var_breach", P1))
    assert len(post.sent) == 1
    watched(second, 60, 70, finding("venue_down", P1), finding("var_breach", P1))
    assert len(post.sent) == 2
    second.let_go()


def test_a_mistake_of_ours_tells_nobody_the_same_again_and_again(tmp_path: Path) -> None:
    post = Post()

    def mistaken(audiences: str, headline: str) -> None:
        post(audiences, headline)
        raise RuntimeError("the loop is closed")

    one = Herald(structs.replace(SETTINGS, root=tmp_path, alerting=PART), tmp_path / "state", mistaken)
    for at in range(30):
        with suppress(RuntimeError):
            watched(one, at, at + 1, finding("venue_down", P1))
    assert post.tried == 1
    one.let_go()


def test_what_is_kept_is_private_and_a_broken_file_is_nothing(tmp_path: Path) -> None:
    one = herald(tmp_path, Post())
    watched(one, 0, 10, finding("venue_down", P1))
    (file,) = (tmp_path / "state").glob("notices.*.told.json")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("{")
    one.let_go()
    post = Post()
    other = herald(tmp_path, post)
    watched(other, 10, 20, finding("venue_down", P1))
    assert len(post.sent) == 1
    other.let_go()
    assert Told().room_at(NOW, PART)
