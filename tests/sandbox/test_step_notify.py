"""Section 6 as it is walked: everybody is told once, what fails is listed, and nothing leaves this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cockpit.jobs.launch import settings_text
from cockpit.model.job import Job, Phase, StepState
from cockpit.sandbox.layout import Layout
from cockpit.session import state_folder
from cockpit.storage.notices import Notices
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import PROGRAM, StepDesk, opened, opened_with, told
from tests.unit.hostile_sinks import OK, Sink, serve_mail, serve_slack, sinking

SEND = "notify.send"
QUICK = {"attempt_s": 5.0, "send_within_s": 6.0}


@pytest.fixture
def desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    layout, control = sandbox
    alerts = layout.root / "alerts.yaml"
    before = alerts.read_bytes()
    with opened(layout, control) as found:
        yield found
    alerts.write_bytes(before)


def inbox(desk: StepDesk, name: str) -> list[dict[str, Any]]:
    file = desk.layout.folder / "state" / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def routed(desk: StepDesk, slack: str, mail: int) -> None:
    """alerts.yaml with one audience that is told by both channels, over these servers."""
    text = f"""\
routing:
  slack: {{webhook_url: "{slack}"}}
  email: {{to: [ops@sandbox.invalid], smtp: {{host: 127.0.0.1, port: {mail}, security: none}}}}
audiences:
  ops: {{channels: [slack, email], detail: full}}
"""
    (desk.layout.root / "alerts.yaml").write_text(text)
    wait_until(lambda: len(known(desk)) == 1)


def known(desk: StepDesk) -> tuple[Any, ...]:
    found = desk.snapshot.alerting.value
    return found.audiences if found else ()


def hook(sink: Sink) -> str:
    return f"http://127.0.0.1:{sink.port}/services/T/B/x"


def states(desk: StepDesk) -> dict[str, str]:
    return {one.channel: one.state for one in Notices(state_folder(desk.settings)).all()}


def shell(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "notify", *arguments, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90, check=False)


def ended(desk: StepDesk, **parameters: str) -> Job:
    return desk.ended(desk.take(SEND, **parameters))


def test_everybody_is_told_once_each_in_their_words(desk: StepDesk) -> None:
    before = {name: len(inbox(desk, name)) for name in ("slack", "mail")}
    plan = desk.allowed(SEND, note="Back in 20 minutes, says Priya on gw1.fund.example")
    assert any("Back in 20 minutes" in line for line in plan.impact)
    job = desk.ended(desk.submit(plan))
    assert job.phase is Phase.DONE, told(job)
    # The same plan again, by whoever pressed twice: nothing goes out.
    wait_until(lambda: not desk.plan(SEND).blocking)
    again = desk.ended(desk.submit(plan))
    assert again.phase is Phase.DONE and "sent before and not again" in again.steps[0].detail, told(again)
    slack, mail = inbox(desk, "slack")[before["slack"] :], inbox(desk, "mail")[before["mail"] :]
    assert [one["payload"]["text"].count("gw1.fund.example") > 0 for one in slack] == [True]
    bodies = {one["to"][0]: one["body"] for one in mail}
    assert len(mail) == 3 and set(bodies) == {
        "ops@sandbox.invalid", "risk.officer@sandbox.invalid", "stakeholders@sandbox.invalid"
    }  # fmt: skip
    assert "gw1.fund.example" in bodies["risk.officer@sandbox.invalid"]
    summary = bodies["stakeholders@sandbox.invalid"]
    assert (
        "Back in 20 minutes, says [withheld] on [withheld]" in summary
        and "gw1" not in summary
        and "sandbox" not in summary
    )
    texts = [record.text for record in desk.log.tail() if record.ref == job.id and record.kind == "step_done"]
    assert (
        "ops by Slack: delivered (200 ok)" in texts[0] and "ops by mail to ops@sandbox.invalid: delivered" in texts[0]
    )


def test_what_may_have_arrived_is_listed_and_sent_again_only_by_hand(desk: StepDesk) -> None:
    part = structs.replace(desk.settings.alerting, **QUICK)
    settings = structs.replace(desk.settings, alerting=part, state=desk.layout.folder / "state-notify")
    with (
        sinking(serve_slack, "drop", OK) as slack,
        sinking(serve_mail, "no-such-user") as mail,
        opened_with(settings, desk) as mine,
    ):
        routed(mine, hook(slack), mail.port)
        job = ended(mine)
        assert job.phase is Phase.FAILED, told(job)
        proofs = {one.name: (one.state, one.detail) for one in job.proofs}
        assert proofs["ops by Slack: taken"][0] is StepState.UNKNOWN
        assert "may have been delivered" in proofs["ops by Slack: taken"][1]
        mailed = proofs["ops by mail to ops@sandbox.invalid: taken"]
        assert mailed == (StepState.FAILED, "not delivered: 550 no such user")
        assert states(mine) == {"slack": "unknown", "email": "failed"}
        assert len(slack.got) == 1
        (key,) = [one.key for one in Notices(state_folder(settings)).all() if one.channel == "slack"]
        config = desk.layout.folder / "notify.yaml"
        config.write_text(settings_text(settings))
        listed = shell(config, "--undelivered")
        assert listed.returncode == 1 and "ops slack: may have been delivered" in listed.stdout, listed
        sent = shell(config, "--resend", key[:8], "--confirm", "y")
        assert sent.returncode == 0, sent.stdout + sent.stderr
        assert states(mine) == {"slack": "delivered", "email": "failed"}
        assert len(slack.got) == 2 and slack.got[0] == slack.got[1]


def test_a_worker_that_dies_leaves_it_in_doubt_and_nobody_sends_it_twice(desk: StepDesk) -> None:
    with sinking(serve_slack, "hang") as slack, sinking(serve_mail, "ok") as mail:
        routed(desk, hook(slack), mail.port)
        job = desk.take(SEND)
        wait_until(lambda: slack.got and mail.got)
        working = next(entry for entry in desk.store.entries(job.id) if entry.kind == "working")
        os.kill(working.facts["pid"], signal.SIGKILL)
        job = desk.ended(job)
        assert job.phase is Phase.IN_DOUBT, told(job)
        assert "may have been delivered: its sender ended before it knew" in told(job)
        assert len(slack.got) == 1 and len(mail.got) == 1


def test_a_sandbox_reaches_no_real_channel(desk: StepDesk) -> None:
    with sinking(serve_mail, "ok") as mail:
        routed(desk, "https://192.0.2.1/services/T/B/x", mail.port)
        job = ended(desk)
        assert job.phase is Phase.FAILED, told(job)
        detail = {one.name: one.detail for one in job.proofs}["ops by Slack: taken"]
        assert "192.0.2.1 is not this machine: a sandbox or a recording tells nobody outside" in detail
        assert len(mail.got) == 1


def test_a_file_without_routes_tells_nobody(desk: StepDesk, tmp_path: Path) -> None:
    (desk.layout.root / "alerts.yaml").write_text("audiences: {ops: {channels: [slack]}}")
    wait_until(lambda: len(known(desk)) == 1)
    plan = desk.plan(SEND)
    assert [(one.name, one.detail) for one in plan.blocking] == [("channels", "alerts.yaml has no way to tell ops")]
    plan = desk.plan(SEND, audiences="ops,owners")
    assert "alerts.yaml names no audience owners" in [one.detail for one in plan.blocking]
