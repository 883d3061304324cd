"""The Slack and mail sinks: they keep what they get and answer as the real ones do."""

from __future__ import annotations

import asyncio
import json
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from served_runtimes import Box, eventually, free_port, serving

from cockpit.sandbox.served.slack import SlackServer
from cockpit.sandbox.served.smtp import SmtpServer
from tests.patience import PATIENCE_S


class Mail:
    def __init__(self, port: int, gate: Box, sink: SmtpServer, file: Path) -> None:
        self.port, self.gate, self.sink, self.file = port, gate, sink, file

    async def send(self, timeout_s: float = PATIENCE_S) -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = "P1 – Redis ⛔", "cockpit@example.com", "ops@example.com"
        message.set_content("Redis is down")
        await asyncio.to_thread(self._send, message, timeout_s)

    def _send(self, message: EmailMessage, timeout_s: float) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=timeout_s) as client:
            client.send_message(message, to_addrs=["ops@example.com", "risk@example.com"])


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[tuple[SlackServer, Box, Path]]:
    gate, file = Box(), tmp_path / "slack.jsonl"
    async with serving(SlackServer(free_port(), "tok", file, gate)) as sink:
        assert isinstance(sink, SlackServer)
        yield sink, gate, file


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncIterator[Mail]:
    gate, file, port = Box(), tmp_path / "smtp.jsonl", free_port()
    async with serving(SmtpServer(port, file, gate)) as sink:
        assert isinstance(sink, SmtpServer)
        yield Mail(port, gate, sink, file)


async def test_slack_keeps_messages_and_says_ok(slack: tuple[SlackServer, Box, Path]) -> None:
    sink, gate, file = slack
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        good = await client.post(sink.webhook_url, json={"text": "redis down"})
        assert (good.status_code, good.text) == (200, "ok")
        assert (await client.post(sink.webhook_url, data={"payload": '{"text": "form"}'})).text == "ok"
        for body, text in ((b"{", "invalid_payload"), (b"[]", "invalid_payload"), (b"{}", "no_text")):
            bad = await client.post(sink.webhook_url, content=body, headers={"Content-Type": "application/json"})
            assert (bad.status_code, bad.text) == (400, text)
        wrong = await client.post(sink.webhook_url + "x", json={"text": "t"})
        assert (wrong.status_code, wrong.text) == (403, "invalid_token")
        nowhere = await client.post(sink.webhook_url.replace("/services", "/s"), json={"text": "t"})
        assert (nowhere.status_code, nowhere.text) == (404, "no_service")
        gate.value = "error"
        assert (await client.post(sink.webhook_url, json={"text": "t"})).status_code == 500
    assert [m["payload"]["text"] for m in sink.inbox.messages] == ["redis down", "form"]
    assert [json.loads(line)["payload"]["text"] for line in file.read_text().splitlines()] == ["redis down", "form"]


async def test_mail_is_kept(mail: Mail) -> None:
    await mail.send()
    (kept,) = mail.sink.inbox.messages
    assert kept["subject"] == "P1 – Redis ⛔" and kept["body"].strip() == "Redis is down"
    assert kept["to"] == ["ops@example.com", "risk@example.com"] and kept["from"] == "cockpit@example.com"
    assert json.loads(mail.file.read_text())["subject"] == kept["subject"]


async def test_mail_s_moods(mail: Mail) -> None:
    mail.gate.value = "error"
    with pytest.raises(smtplib.SMTPConnectError, match="421"):
        await mail.send()
    mail.gate.value = "blackhole"
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        await mail.send(timeout_s=0.3)
    mail.gate.value = "down"

    async def refused() -> bool:
        try:
            await mail.send(timeout_s=1)
        except ConnectionRefusedError:
            return True
        except (OSError, smtplib.SMTPException):
            return False
        return False

    await eventually(refused)
    mail.gate.value = "blackhole"  # stopping must not wait for held callers
