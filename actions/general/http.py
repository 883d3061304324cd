"""Any HTTP request of a fund's own runbook: sent once, followed nowhere, its status the result."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from actions.checks import FAIL, PASS
from actions.general.planning import ENDED, general_plan
from actions.step import Result, Stage, Step
from cockpit.clients.web import Answer, Web
from cockpit.config import Settings
from cockpit.errors import ConfigError
from cockpit.model.audit import Operator
from cockpit.model.job import JobStep, StepState
from cockpit.model.plan import Check, Plan, PlanStep
from cockpit.model.snapshot import Snapshot
from cockpit.parts import parsed
from cockpit.secret import Secret
from cockpit.text import clean

ID = "general.http"
EVIDENCE = frozenset({"kill_switch"})
TIMEOUT_S = 15.0
MARGIN_S = 5.0
MAX_BYTES = 1 << 20
SAFE = ("GET", "HEAD")
PERHAPS_DONE = (301, 302, 303)
"""Sends whoever asked to a page that shows what was done, as forms do, or to one where to log in first."""
REDACTED = b"[secret]"
DONE, FAILED, UNKNOWN = StepState.DONE, StepState.FAILED, StepState.UNKNOWN


def plan(settings: Settings, operator: Operator, parameters: Mapping[str, str], snapshot: Snapshot, now: float) -> Plan:
    """The request as its row writes it; of a secret only its place."""
    method, url = parameters.get("method", "GET"), parameters.get("url", "")
    shown = [f"{name}: {_shown(value)}" for name, value in _headers(parameters).items()]
    body = parameters.get("body")
    command = " ".join([method, url, *(f"[{header}]" for header in shown), *([shlex.quote(body)] if body else [])])
    curl = ["curl", "-sS", "-X", method, *(part for header in shown for part in ("-H", header))]
    curl += [*(["--data-binary", body] if body else []), url]
    step = PlanStep(f"{method} sent to {urlsplit(url).hostname}", command, shlex.join(curl))
    timeout_s = _timeout_s(parameters)
    impact = (
        f"one request, at most {timeout_s:g} s; success is {_expected_words(parameters)}; no redirect is followed",
    )
    return general_plan(ID, settings, parameters, now, step, _checks(parameters), impact, (ENDED,), 5.0)


def steps(plan: Plan) -> tuple[Step, ...]:
    """The one request."""
    return (_Send(dict(plan.parameters)),)


class _Send(Step):
    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters
        self.deadline_s = _timeout_s(parameters) + MARGIN_S

    async def perform(self, stage: Stage) -> Result:
        """One request, once."""
        headers, secrets = _revealed(self._parameters)
        parts = urlsplit(self._parameters["url"])
        host = f"{parts.scheme}://{parts.netloc}"
        web = Web(host, name=parts.netloc, timeout_s=_timeout_s(self._parameters), max_bytes=MAX_BYTES)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = self._parameters.get("body")
        try:
            answer = await web.send(self._method, path, headers, None if body is None else body.encode())
        finally:
            await web.close()
        text = answer.body
        for secret in secrets:
            text = text.replace(secret.encode(), REDACTED)
        stage.output.write(f"{answer.status} {clean(answer.reason)}\n".encode() + text + b"\n")
        return self._result(answer)

    @property
    def _method(self) -> str:
        return self._parameters.get("method", "GET")

    def _result(self, answer: Answer) -> Result:
        words = f"answered {answer.status} {clean(answer.reason, 40)}".rstrip()
        if _is_expected(self._parameters, answer.status):
            return Result(DONE, words, {"ended": answer.status})
        if self._method not in SAFE and (answer.status >= 500 or answer.status in PERHAPS_DONE):
            return Result(UNKNOWN, f"{words}: whether it was done is unknown")
        if 300 <= answer.status < 400:
            return Result(FAILED, f"{words}: it sends us elsewhere, where we do not follow")
        return Result(FAILED, words)


def judge(stage: Stage) -> tuple[JobStep, ...]:
    """Its answer's status."""
    if "ended" in stage.facts:
        return (JobStep(ENDED, DONE, f"with {stage.facts['ended']}"),)
    return (JobStep(ENDED, UNKNOWN, "nobody saw its answer"),)


def _headers(parameters: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(parameters.get("headers", "{}"))
    return found


def _revealed(parameters: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The headers as they are sent, and the secrets in them.

    Raises:
        ConfigError: a secret is not where the runbook says.
    """
    headers, secrets = {}, []
    for name, value in _headers(parameters).items():
        if not isinstance(value, dict):
            headers[name] = str(value)
            continue
        secret = _secret(value).reveal().strip()
        if not secret.isprintable() or not secret.isascii():
            raise ConfigError(f"the secret of header {name} is nothing that a header can hold")
        headers[name] = f"{value['prefix']} {secret}" if "prefix" in value else secret
        secrets.append(secret)
    return headers, tuple(one for one in secrets if one)


def _secret(value: Mapping[str, object]) -> Secret:
    return parsed(Secret, {name: place for name, place in value.items() if name != "prefix"})


def _shown(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    place = next(f"{kind} {_place(where)}" for kind, where in value.items() if kind != "prefix")
    return " ".join(filter(None, [str(value.get("prefix", "")), f"<secret in {place}>"]))


def _place(where: object) -> str:
    return shlex.join(where) if isinstance(where, list) else str(where)


def _timeout_s(parameters: Mapping[str, str]) -> float:
    return float(parameters.get("timeout_s", TIMEOUT_S))


def _is_expected(parameters: Mapping[str, str], status: int) -> bool:
    return status in json.loads(parameters["expect"]) if "expect" in parameters else 200 <= status < 300


def _expected_words(parameters: Mapping[str, str]) -> str:
    return ", ".join(map(str, json.loads(parameters["expect"]))) if "expect" in parameters else "any 2xx"


def _checks(parameters: Mapping[str, str]) -> Iterator[Check]:
    """That the secrets are where they should be; one that a command prints is asked for only when it is needed."""
    for name, value in _headers(parameters).items():
        if not isinstance(value, dict) or "command" in value:
            continue
        try:
            _secret(value).reveal()
        except ConfigError as error:
            yield Check(f"header {name}", FAIL, str(error))
        else:
            yield Check(f"header {name}", PASS, "its secret is there")
