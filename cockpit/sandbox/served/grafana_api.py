"""Grafana's alerting API over rules that look at the platform once a second."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from cockpit.sandbox.ending import end
from cockpit.sandbox.knobs import Gate
from cockpit.sandbox.served.grafana_rules import RULES, Standing
from cockpit.sandbox.served.grafana_shapes import alert_labels, health, instance, routed_alert, rules_answer, silence
from cockpit.sandbox.served.grafana_silences import Matcher, Silences, read_matcher
from cockpit.sandbox.served.grafana_source import RedisSource
from cockpit.sandbox.served.web import HttpEndpoint, json_answer, json_object

EVALUATE_EVERY_S = 1.0
VERSION = {"version": "12.1.0", "commit": "sandbox"}
ALERTMANAGER = "/api/alertmanager/grafana/api/v2"
PROMETHEUS = "/api/prometheus/grafana/api/v1"
STATES = ("firing", "pending", "inactive", "recovering", "nodata", "error", "normal")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GrafanaServer:
    """Evaluates the rules, also while nobody can reach it, and shows how they stand."""

    def __init__(
        self, port: int, token: str, redis_port: int, is_blind: Callable[[], bool], gate: Callable[[], Gate]
    ) -> None:
        """`is_blind` says that the data source is gone, and every rule with it."""
        self._bearer = f"Bearer {token}".encode()
        self._is_blind = is_blind
        self._source = RedisSource(redis_port)
        self._standings = [Standing(rule) for rule in RULES]
        self._silences = Silences()
        self._task: asyncio.Task[None] | None = None
        self._endpoint = HttpEndpoint(port, gate, self._routes(), _failing)

    async def start(self) -> None:
        """Listen and begin to evaluate."""
        await self._endpoint.start()
        self._task = asyncio.create_task(self._evaluate(), name="grafana rules")

    async def stop(self) -> None:
        """Stop both."""
        await self._endpoint.stop()
        await end(self._task)
        await self._source.close()

    async def _evaluate(self) -> None:
        while True:
            begun_s = time.monotonic()
            readings = None if self._is_blind() else await self._source.read()
            now, took_s = datetime.now(UTC), time.monotonic() - begun_s
            for standing in self._standings:
                standing.evaluate(readings, now, took_s)
            await asyncio.sleep(max(0.1, EVALUATE_EVERY_S - took_s))

    def _routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/api/health", self._health),
            web.get(f"{PROMETHEUS}/rules", self._known(self._rules)),
            web.get(f"{PROMETHEUS}/alerts", self._known(self._instances)),
            web.get(f"{ALERTMANAGER}/alerts", self._known(self._alerts)),
            web.get(f"{ALERTMANAGER}/silences", self._known(self._list_silences)),
            web.post(f"{ALERTMANAGER}/silences", self._known(self._put_silence)),
            web.get(f"{ALERTMANAGER}/silence/{{id}}", self._known(self._get_silence)),
            web.delete(f"{ALERTMANAGER}/silence/{{id}}", self._known(self._end_silence)),
            web.route("*", "/{rest:.*}", _elsewhere),
        ]

    def _known(self, answer: Answer) -> Answer:
        """Let only the service account in."""

        async def checked(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "").encode()
            if not given:
                return json_answer({"message": "Unauthorized", "statusCode": 401}, 401)
            if not hmac.compare_digest(given, self._bearer):
                return json_answer({"message": "Invalid API key", "statusCode": 401}, 401)
            try:
                return await answer(request)
            except ValueError as problem:
                return json_answer({"message": f"bad request data: {problem}"}, 400)

        return checked

    async def _health(self, _request: web.Request) -> web.StreamResponse:
        return json_answer({"database": "ok", **VERSION})

    async def _rules(self, request: web.Request) -> web.StreamResponse:
        states = request.query.getall("state", [])
        if wrong := [state for state in states if state not in STATES]:
            return json_answer({"status": "error", "errorType": "bad_data", "error": f"unknown state {wrong[0]}"}, 400)
        matchers = [_json_matcher(text) for text in request.query.getall("matcher", [])]
        limit = request.query.get("limit_alerts", "")
        shown = [
            standing
            for standing in self._standings
            if (not states or _states(standing) & set(states))
            and all(matcher.matches(alert_labels(standing)) for matcher in matchers)
        ]
        return json_answer(rules_answer(shown, int(limit) if limit else len(RULES)))

    async def _instances(self, _request: web.Request) -> web.StreamResponse:
        alerts = [instance(standing) for standing in self._standings]
        return json_answer({"status": "success", "data": {"alerts": alerts}})

    async def _alerts(self, request: web.Request) -> web.StreamResponse:
        query, now = request.query, datetime.now(UTC)
        try:
            wanted = [read_matcher(text) for text in query.getall("filter", [])]
        except ValueError as problem:
            return json_answer(str(problem), 400)
        alerts = [routed_alert(standing, self._silences, now) for standing in self._standings if standing.is_routed]
        flags = {"active": query.get("active") != "false", "suppressed": query.get("silenced") != "false"}
        return json_answer(
            [
                alert
                for alert in alerts
                if flags[alert["status"]["state"]] and all(matcher.matches(alert["labels"]) for matcher in wanted)
            ]
        )

    async def _list_silences(self, _request: web.Request) -> web.StreamResponse:
        now = datetime.now(UTC)
        return json_answer([silence(item, now) for item in self._silences.all()])

    async def _put_silence(self, request: web.Request) -> web.StreamResponse:
        try:
            made = self._silences.put(json_object(await request.read()))
        except KeyError:
            return json_answer({"message": "silence not found"}, 404)
        return json_answer({"silenceID": made}, 202)

    async def _get_silence(self, request: web.Request) -> web.StreamResponse:
        found = self._silences.get(request.match_info["id"])
        if found is None:
            return json_answer({"message": "silence not found"}, 404)
        return json_answer(silence(found, datetime.now(UTC)))

    async def _end_silence(self, request: web.Request) -> web.StreamResponse:
        if not self._silences.expire(request.match_info["id"]):
            return json_answer({"message": "silence not found"}, 404)
        return json_answer({"message": "silence deleted"})


def _states(standing: Standing) -> set[str]:
    """Return every word by which a caller can ask for a rule that stands so."""
    words = {"Alerting": {"firing"}, "Pending": {"pending"}, "NoData": {"inactive", "nodata"}}
    found = words.get(standing.state, {"inactive", "normal"})
    return found | ({"error"} if health(standing) == "error" else set())


def _json_matcher(text: str) -> Matcher:
    item = json.loads(text)
    if not isinstance(item, dict):
        raise ValueError("a matcher must be an object")
    name, value = str(item.get("name", "")), str(item.get("value", ""))
    operator = ("=" if item.get("isEqual", True) else "!") + ("~" if item.get("isRegex") else "")
    return read_matcher(f'{name}{"!=" if operator == "!" else operator}"{value}"')


def _failing() -> web.Response:
    """Return what Grafana says when its own database is gone."""
    return json_answer({"database": "failing", "message": "database is locked", **VERSION}, 503)


async def _elsewhere(_request: web.Request) -> web.StreamResponse:
    return json_answer({"message": "Not found"}, 404)
