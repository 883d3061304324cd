"""Silences at Grafana or Alertmanager: made and ended, once each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from cockpit.clients.bounded import SoloThread
from cockpit.clients.grafana import ALERTMANAGER
from cockpit.clients.web import Answer, Trust, Web
from cockpit.config import GrafanaPart
from cockpit.errors import BackendError, Refused
from cockpit.text import clean

GRAFANA_V2 = "/api/alertmanager/grafana/api/v2"
ALERTMANAGER_V2 = "/api/v2"
TAKEN = (200, 202)
"""Alertmanager says 200, Grafana 202."""


async def put_silence(part: GrafanaPart, alert: str, span: tuple[float, float], by: str, comment: str) -> str:
    """Keep back every alert of that name, from and until these Unix seconds; the silence's id.

    Raises:
        Refused, Unreachable: there is none.
        BackendError: it may have been made: nobody said.
    """
    body = {
        "matchers": [{"name": "alertname", "value": alert, "isRegex": False, "isEqual": True}],
        "startsAt": _moment(span[0]),
        "endsAt": _moment(span[1]),
        "createdBy": by,
        "comment": comment,
    }
    answer = await _send(part, "POST", "/silences", body)
    said = answer.json()
    made = said.get("silenceID") if isinstance(said, dict) else None
    if not isinstance(made, str) or not made:
        raise BackendError("it was taken, but no silence was named")
    return clean(made, 60)


async def end_silence(part: GrafanaPart, silence_id: str) -> None:
    """End it now.

    Raises:
        Refused, Unreachable: it was not ended.
        BackendError: it may have been ended: nobody said.
    """
    await _send(part, "DELETE", f"/silence/{quote(silence_id, safe='')}", None)


async def _send(part: GrafanaPart, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
    name = ALERTMANAGER if part.is_alertmanager else "Grafana"
    web = Web(part.url, name=name, timeout_s=part.timeout_s, trust=Trust(ca=part.ca))
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if part.token is not None:
        token = await SoloThread(f"the token's place for {name}").call(part.timeout_s + 10.0, part.token.reveal)
        headers["Authorization"] = f"Bearer {token.strip()}"
    place = (ALERTMANAGER_V2 if part.is_alertmanager else GRAFANA_V2) + path
    try:
        answer = await web.send(method, place, headers, None if body is None else json.dumps(body).encode())
        if answer.status not in TAKEN:
            _reject(web, answer)
    finally:
        await web.close()
    return answer


def _reject(web: Web, answer: Answer) -> None:
    """What was refused was not done; what failed on their side may have been."""
    try:
        web.reject(answer)
    except BackendError as error:
        if 400 <= answer.status < 500:
            raise Refused(str(error)) from None
        raise


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.{int(at * 1000) % 1000:03d}Z"
