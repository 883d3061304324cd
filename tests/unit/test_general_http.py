"""The general HTTP request against servers that fail, hang, redirect and echo."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from probe_servers import free_port, serving, silence, speaking

from actions.general import http
from actions.step import Result, Stage
from cockpit.clock import SystemClock
from cockpit.errors import TimedOut, Unreachable
from cockpit.model.job import StepState
from tests.unit.healthy import NOW, SETTINGS, snapshot
from tests.unit.test_general_command import Pile
from tests.unit.test_journal import WHO


async def sent(url: str, **parameters: Any) -> tuple[Result, Pile]:
    told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    row = {"step": "call", "title": "Call", "summary": "Ours.", "class": "protect", "url": url}
    plan = http.plan(SETTINGS, WHO, {**row, **told}, snapshot(), NOW)
    pile = Pile()
    (step,) = http.steps(plan)
    stage = Stage(SETTINGS, SystemClock(), WHO, plan, snapshot(), {}, pile, lambda words, fraction=None: None)
    return await step.perform(stage), pile


def answering(status: int, **headers: str) -> Any:
    async def answer(request: web.Request) -> web.Response:
        said = f"{request.method} {request.path_qs} {await request.text()} {request.headers.get('X-Key')}"
        return web.Response(status=status, text=said, headers=headers)

    return answer


async def test_a_success_is_kept_and_no_secret_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "sesame-open")
    async with serving(answering(202)) as url:
        headers = {"X-Key": {"env": "DESK_KEY", "prefix": "Key"}}
        result, pile = await sent(f"{url}/calls?a=1", method="POST", body='{"b": 2}', headers=headers)
    assert (result.state, result.detail) == (StepState.DONE, "answered 202 Accepted")
    assert pile.text == b'202 Accepted\nPOST /calls?a=1 {"b": 2} Key [secret]\n'


@pytest.mark.parametrize(
    ("status", "method", "state", "words"),
    [
        (500, "POST", StepState.UNKNOWN, "whether it was done is unknown"),
        (500, "GET", StepState.FAILED, "answered 500"),
        (404, "POST", StepState.FAILED, "answered 404"),
        (302, "GET", StepState.FAILED, "elsewhere, where we do not follow"),
        (302, "POST", StepState.UNKNOWN, "whether it was done is unknown"),
        (303, "DELETE", StepState.UNKNOWN, "whether it was done is unknown"),
        (307, "POST", StepState.FAILED, "elsewhere, where we do not follow"),
    ],
)
async def test_other_statuses(status: int, method: str, state: StepState, words: str) -> None:
    async with serving(answering(status, Location="http://127.0.0.1:1/")) as url:
        result, _ = await sent(url, method=method)
    assert result.state is state and words in result.detail


async def test_the_expected_status_is_the_one_that_counts() -> None:
    async with serving(answering(404)) as url:
        assert (await sent(url, expect=[404]))[0].state is StepState.DONE
    async with serving(answering(200)) as url:
        assert (await sent(url, expect=[201]))[0].state is StepState.FAILED


async def test_what_hangs_or_is_not_there() -> None:
    with pytest.raises(Unreachable):
        await sent(f"http://127.0.0.1:{free_port()}/")
    async with speaking(silence) as port:
        with pytest.raises(TimedOut):
            await sent(f"http://127.0.0.1:{port}/", timeout_s=0.3)
