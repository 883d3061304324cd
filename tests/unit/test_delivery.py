"""Slack and mail against servers that misbehave: delivered once, refused, or honestly in doubt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.alerting.routing import MailRoute
from cockpit.clients import delivery, mail, slack
from cockpit.clients.delivery import Outcome, Try, deliver, resolved
from cockpit.errors import Refused, Unreachable
from cockpit.storage import notices as notices_module
from cockpit.storage.disk import lock
from cockpit.storage.notices import DELIVERED, FAILED, SENDING, UNKNOWN, Delivery, Notices
from tests.unit.hostile_sinks import OK, http, serve_mail, serve_slack, sinking

LETTER = mail.Mail("ops@fund.example", "P1: IBKR down", "IBKR is down\n.\nä", "k" * 24)
PATIENT_S, HANGING_S = 15.0, 2.0
"""One try: where it should answer, and where it never does."""


async def slack_to(port: int, within_s: float = 30.0, scheme: str = "http", attempt_s: float = PATIENT_S) -> Try:
    async def attempt(limit_s: float) -> Try:
        return await slack.post(f"{scheme}://127.0.0.1:{port}/services/T/B/verysecret", "a < b", True, limit_s)

    return await deliver(attempt, attempt_s, within_s, lambda words: None)


async def mail_to(port: int, security: str = "none", within_s: float = 30.0, attempt_s: float = PATIENT_S) -> Try:
    route = MailRoute("127.0.0.1", port, security, "cockpit@fund.example")

    async def attempt(limit_s: float) -> Try:
        return await mail.send(route, LETTER, True, limit_s)

    return await deliver(attempt, attempt_s, within_s, lambda words: None)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.01)


@pytest.mark.parametrize(
    ("answers", "outcome", "words", "arrived"),
    [
        ([OK], Outcome.DELIVERED, "200 ok", 1),
        ([http("429 Too Many", "Retry-After: 0"), OK], Outcome.DELIVERED, "200 ok", 2),
        ([http("429 Too Many", "Retry-After: 600")], Outcome.REFUSED, "429 no (1 try in 30 s)", 1),
        ([http("500 Oops"), http("503 Busy"), OK], Outcome.DELIVERED, "200 ok", 3),
        ([http("403 Forbidden", body="invalid_token")], Outcome.REFUSED, "403 invalid_token", 1),
        ([http("302 Found", "Location: http://10.0.0.1/")], Outcome.REFUSED, "302", 1),
        ([http("504 Late")], Outcome.UNKNOWN, "may have been taken", 1),
        (["drop"], Outcome.UNKNOWN, "broke off after the message was sent", 1),
        (["hang"], Outcome.UNKNOWN, "after the message was sent", 1),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok"], Outcome.DELIVERED, "200 ok", 1),
    ],
    ids=["ok", "429", "429 for long", "5xx", "403", "redirect", "504", "drop", "hang", "short body"],
)
async def test_slack(answers: list[object], outcome: Outcome, words: str, arrived: int) -> None:
    with sinking(serve_slack, *answers) as sink:
        tried = await slack_to(sink.port, attempt_s=HANGING_S if "hang" in answers else PATIENT_S)
    assert tried.outcome is outcome, tried
    assert words in tried.detail and "verysecret" not in tried.detail
    assert len(sink.got) == arrived
    assert json.loads(sink.got[0])["text"] == "a &lt; b"


async def test_slack_is_tried_again_only_where_nothing_was_sent() -> None:
    with sinking(serve_slack, OK) as sink:
        port = sink.port
    tried = await slack_to(port, within_s=1.0)
    assert tried.outcome is Outcome.REFUSED and tried.detail.startswith(("no connection", "no answer"))
    # What listens speaks no TLS: the handshake fails, so nothing was sent.
    with sinking(serve_slack, "early") as sink:
        tried = await slack_to(sink.port, within_s=1.0, scheme="https")
    assert tried.outcome is Outcome.REFUSED and sink.got == []


@pytest.mark.parametrize(
    ("modes", "outcome", "words", "arrived"),
    [
        (["ok"], Outcome.DELIVERED, "250 2.0.0 queued", 1),
        (["busy", "greylist", "ok"], Outcome.DELIVERED, "250", 1),
        (["drop-in-data", "ok"], Outcome.UNKNOWN, "after the mail was sent", 0),
        (["hang", "ok"], Outcome.DELIVERED, "250", 1),
        (["no-such-user"], Outcome.REFUSED, "550 no such user", 0),
        (["reject"], Outcome.REFUSED, "554 refused", 1),
        (["drop-after-data"], Outcome.UNKNOWN, "after the mail was sent", 1),
        (["hang-after-data"], Outcome.UNKNOWN, "after the mail was sent", 1),
        (["garble", "ok"], Outcome.UNKNOWN, "after the mail was sent", 1),
        (["odd", "ok"], Outcome.UNKNOWN, "after the mail was sent", 1),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, list) else None,
)
async def test_mail(modes: list[str], outcome: Outcome, words: str, arrived: int) -> None:
    with sinking(serve_mail, *modes) as sink:
        tried = await mail_to(sink.port, attempt_s=HANGING_S if "hang" in modes[0] else PATIENT_S)
    assert tried.outcome is outcome, tried
    assert words in tried.detail
    assert len(sink.got) == arrived
    if arrived:
        assert b"Message-ID: <" + b"k" * 24 in sink.got[0] and b"\r\nSubject: P1: IBKR down\r\n" in sink.got[0]


@pytest.mark.parametrize(("security", "mode"), [("starttls", "ok"), ("starttls", "bad-tls"), ("tls", "ok")])
async def test_no_mail_leaves_without_the_tls_that_was_asked_for(security: str, mode: str) -> None:
    with sinking(serve_mail, mode) as sink:
        tried = await mail_to(sink.port, security, 1.5)
    assert tried.outcome is Outcome.REFUSED, tried
    assert sink.got == []


@pytest.mark.parametrize("who", ["jörg@fund.example", "ops@fünd.example"])
async def test_an_address_that_smtp_does_not_take_is_not_in_doubt(who: str) -> None:
    with sinking(serve_mail, "ok") as sink:
        for sender, to in (("cockpit@fund.example", who), (who, "ops@fund.example")):
            route = MailRoute("127.0.0.1", sink.port, "none", sender)
            tried = await mail.send(route, replace(LETTER, to=to), True, PATIENT_S)
            assert tried.outcome is Outcome.REFUSED and "nothing was sent" in tried.detail
    assert sink.got == []


async def test_what_is_confined_reaches_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="not this machine"):
        resolved("10.0.0.1", 80, True)
    with pytest.raises(Refused, match="not this machine"):
        resolved("0.0.0.0", 80, True)
    assert resolved("localhost", 80, True) in ("127.0.0.1", "::1")
    assert resolved("10.0.0.1", 80, False) == "10.0.0.1"
    with pytest.raises(Unreachable):
        resolved("no such host", 80, True)
    # A name that has both kinds of addresses is not this machine either.
    both = [(0, 0, 0, "", ("127.0.0.1", 80)), (0, 0, 0, "", ("192.0.2.1", 80))]
    monkeypatch.setattr(delivery.socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(Refused):
        resolved("both.example", 80, True)
    assert (await slack.post("https://both.example/services/x", "t", True, 1.0)).outcome is Outcome.REFUSED
    route = MailRoute("both.example", 25, "none", "a@b")
    assert (await mail.send(route, LETTER, True, 1.0)).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "url", ["", "hooks", "ftp://h/x", "http://", "https://h:99999/x", "https://h", "http://127.0.0.1/\0x"]
)
async def test_a_webhook_that_is_none(url: str) -> None:
    tried = await slack.post(url, "t", True, 1.0)
    assert tried.outcome is Outcome.REFUSED and "webhook" in tried.detail


async def test_outside_a_webhook_must_be_https() -> None:
    tried = await slack.post("http://hooks.example/services/x", "t", False, 1.0)
    assert (tried.outcome, "https" in tried.detail) == (Outcome.REFUSED, True)


def draft(key: str = "k1") -> Delivery:
    return Delivery(key, 1.0, "ops", "slack", "", "full", "P1", "IBKR is down", SENDING, "")


def test_a_message_is_begun_once(tmp_path: Path) -> None:
    kept = Notices(tmp_path / "state")
    assert kept.all() == ()
    assert kept.begin(draft()) is None
    # Its sender died: nobody knows, so nobody sends it again by itself.
    assert Notices(tmp_path / "state").begin(draft()) == draft()
    kept.end(replace(draft(), state=FAILED, detail="403"))
    assert kept.begin(draft()) is None
    kept.end(replace(draft(), state=UNKNOWN, detail="hang"))
    found = kept.begin(draft())
    assert found is not None and found.state == UNKNOWN
    assert kept.begin(draft(), is_again=True) is None
    kept.end(replace(draft(), state=DELIVERED, detail="ok"))
    assert kept.begin(draft(), is_again=True) is not None
    assert [one.is_open for one in kept.all()] == [False]
    assert (tmp_path / "state" / "notices.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_is_being_sent_goes_out_once(tmp_path: Path) -> None:
    """A person who sends again what the cockpit is still trying."""
    kept = Notices(tmp_path)
    assert kept.begin(draft(), within_s=60.0) is None
    for moment, is_held in ((2.0, True), (60.5, True), (61.0, False)):
        found = kept.begin(replace(draft(), at=moment), is_again=True, within_s=60.0)
        assert (found is not None) is is_held, moment
    assert kept.begin(replace(draft(), at=-100.0), is_again=True, within_s=60.0) is None, "the clock was set back"


def test_half_a_line_of_a_crash_is_no_message(tmp_path: Path) -> None:
    kept = Notices(tmp_path)
    kept.begin(draft())
    with kept.file.open("ab") as file:
        file.write(b'{"key": "k2", "at"')
    assert kept.begin(draft("k3")) is None
    assert [one.key for one in kept.all()] == ["k1", "k3"]


DAY_S = 86_400.0


def sent(kept: Notices, key: str, day: float, state: str = DELIVERED) -> None:
    one = replace(draft(key), at=day * DAY_S)
    assert kept.begin(one) is None
    kept.end(replace(one, state=state))


def test_what_nobody_asks_for_any_more_is_not_kept(tmp_path: Path) -> None:
    kept = Notices(tmp_path)
    for day in range(100):
        sent(kept, f"k{day}", day)
        sent(kept, f"failed{day}", day, FAILED)
    found = {one.key: one for one in kept.all()}
    assert {f"k{day}" for day in range(93, 100)} <= found.keys() <= {
        *(f"k{day}" for day in range(91, 100)), *(f"failed{day}" for day in range(68, 100))
    }  # fmt: skip
    assert {f"failed{day}" for day in range(70, 100)} <= found.keys()
    assert kept.file.read_bytes().count(b"\n") < 90
    assert kept.file.stat().st_mode & 0o777 == 0o600
    again = kept.begin(replace(draft("k95"), at=99.5 * DAY_S), is_again=True)
    assert again is not None and again.state == DELIVERED, "still sent once only"
    assert [path.name for path in tmp_path.iterdir()] == ["notices.jsonl"]


def test_who_waits_while_it_is_shortened_writes_into_the_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Notices(tmp_path)
    sent(kept, "old", 0)
    others = [replace(draft("other"), at=20 * DAY_S)]

    def lock_late(descriptor: int, what: str) -> None:
        if others:
            Notices(tmp_path).begin(others.pop())
        lock(descriptor, what)

    monkeypatch.setattr(notices_module, "lock", lock_late)
    assert kept.begin(replace(draft("ours"), at=20 * DAY_S)) is None
    assert [one.key for one in kept.all()] == ["other", "ours"]


def test_a_file_that_cannot_be_made_shorter_keeps_no_message_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Notices(tmp_path)
    sent(kept, "old", 0)

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notices_module, "sync_folder", full)
    assert kept.begin(replace(draft("new"), at=20 * DAY_S)) is None
    assert [one.key for one in kept.all()] == ["new"]
