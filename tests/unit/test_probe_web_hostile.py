"""Whatever the web's backends answer, it is facts or a refusal in words, and the wall can judge and show it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from healthy import NOW, SETTINGS, snapshot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.clients.brokers import judge_kite
from cockpit.clients.brokers_held import kite_held
from cockpit.clients.docker import DockerEngine
from cockpit.clients.grafana import AlertServer
from cockpit.clients.kubernetes import KubernetesApi
from cockpit.clients.web import Answer
from cockpit.clock import SystemClock
from cockpit.config import DockerPart, GrafanaPart, KubernetesPart
from cockpit.errors import BackendError
from cockpit.headless.status_json import as_json
from cockpit.headless.status_text import as_text
from cockpit.model.backends import Docker
from cockpit.model.sample import Sample
from cockpit.model.states import Reach
from cockpit.observe.trends import points
from cockpit.probes.alerts import alerts
from cockpit.probes.docker import container
from cockpit.probes.kubernetes import kubernetes
from cockpit.severity.judge import assess
from cockpit.text import clean
from tests.ui.fake_session import StillClock
from widgets.line import width_of
from widgets.scene import Scene
from widgets.topline import top_lines
from widgets.view import View
from widgets.wall_rows import wall_rows

SINCE = "2026-01-01T12:00:00Z"
NAMES = ("ws-gateway",)
REVISION = {"deployment.kubernetes.io/revision": "2"}
LABELS = {"app": "ws-gateway"}
TEMPLATE = {
    "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": SINCE}, "labels": LABELS},
    "spec": {"containers": [{"name": "api", "image": "api:2", "env": [{"name": "A", "value": "b"}]}]},
}
CONDITION = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}
TOLD: dict[str, Any] = {
    "/version": {"gitVersion": "v1.31.0"},
    "/deployments": {
        "metadata": {"continue": ""},
        "items": [
            {
                "metadata": {"name": "ws-gateway", "uid": "u", "generation": 3, "annotations": REVISION},
                "spec": {"replicas": 2, "paused": False, "selector": {"matchLabels": LABELS}, "template": TEMPLATE},
                "status": {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1,
                           "observedGeneration": 3, "conditions": [CONDITION]},
            }
        ],
    },
    "/pods": {
        "metadata": {},
        "items": [
            {
                "metadata": {"name": "ws-gateway-1", "labels": LABELS, "creationTimestamp": SINCE},
                "status": {
                    "phase": "Running", "startTime": SINCE, "reason": "",
                    "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": SINCE}],
                    "containerStatuses": [
                        {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                         "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "signal": 9}}}
                    ],
                },
            }
        ],
    },
    "/replicasets": {
        "metadata": {},
        "items": [
            {
                "metadata": {"name": f"r{at}", "ownerReferences": [{"uid": "u", "controller": True}],
                             "annotations": {"deployment.kubernetes.io/revision": str(at)}},
                "spec": {"template": {**TEMPLATE, "spec": {"containers": [{"name": "api", "image": f"api:{at}"}]}}},
            }
            for at in (1, 2)
        ],
    },
    "/containers/json": [{"Names": ["/redis"], "State": "running", "Status": "Up 2 minutes"}],
    "/containers/redis/json": {
        "State": {"Status": "exited", "Pid": 4711, "ExitCode": 137, "StartedAt": SINCE, "FinishedAt": SINCE},
        "HostConfig": {"PortBindings": {"6379/tcp": [{"HostIp": "", "HostPort": "6380"}]}},
        "NetworkSettings": {"Ports": {"6379/tcp": [{"HostPort": "6380"}]}},
    },
    "/health": {"database": "ok"},
    "/rules": {
        "data": {
            "groups": [
                {"rules": [{"name": "latency", "uid": "u1", "state": "firing", "health": "ok", "type": "alerting",
                            "labels": {"severity": "critical"}, "annotations": {"summary": "late"},
                            "alerts": [{"state": "Alerting", "activeAt": SINCE, "labels": {"severity": "critical"},
                                        "annotations": {"summary": "late"}, "value": "1e+00"}]}]}
            ]
        }
    },
    "/alerts": [{"labels": {"alertname": "latency", "__alert_rule_uid__": "u1"}, "startsAt": SINCE,
                 "status": {"state": "suppressed", "silencedBy": ["a1"]}}],
    "/silences": [{"id": "a1", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "asha", "comment": "known",
                   "matchers": [{"name": "alertname", "value": "latency", "isRegex": False, "isEqual": True}]}],
    "/user/profile": {"status": "success", "error_type": "", "message": "", "data": {}},
    "/positions": {"status": "success", "data": {"net": [{"tradingsymbol": "INFY", "quantity": -4}], "day": []}},
    "/holdings": {"status": "success", "data": [{"tradingsymbol": "INFY", "opening_quantity": 10}]},
}  # fmt: skip
"""One answer of each kind, by the end of its path."""
ODD: list[Any] = [
    None, True, False, 0, -1, 7, 10**400, 1e999, float("nan"), 1.5, "", "x", "9" * 5000, "\ud800\x1b[2J\u202e中", "²",
    [], [7], [[]], {}, {"x": None}, {"name": [1]}, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
]  # fmt: skip
BODIES = ["", "null", "7", '"x"', "[]", "{}", "[" * 100_000, '{"items":', '{"items": 1, "items": []}', "9" * 5000,
          '{"data": 1e999}', "\x00\xff", "<html>", "[null]", '[{"Names": 7}]']  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a document."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, list):
        for at in range(len(value)):
            yield from places(value[at], (*path, at))


def put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The document with something else in that place."""
    if not path:
        return odd
    if isinstance(value, dict):
        return {name: put(one, path[1:], odd) if name == path[0] else one for name, one in value.items()}
    return [put(one, path[1:], odd) if at == path[0] else one for at, one in enumerate(value)]


WAYS = [(name, path) for name, told in TOLD.items() for path in places(told)]
answers = st.one_of(
    st.tuples(st.sampled_from(WAYS), st.sampled_from(ODD)).map(
        lambda found: {found[0][0]: json.dumps(put(TOLD[found[0][0]], found[0][1], found[1])).encode()}
    ),
    st.tuples(st.sampled_from(sorted(TOLD)), st.sampled_from(BODIES)).map(
        lambda found: {found[0]: found[1].encode("latin-1")}
    ),
)


class Said:
    """In the place of every client's connection."""

    def __init__(self, changed: dict[str, bytes]) -> None:
        self._changed = changed

    def body(self, path: str) -> bytes:
        name = next(name for name in TOLD if path.partition("?")[0].endswith(name))
        return self._changed.get(name) or json.dumps(TOLD[name]).encode()

    async def get(self, path: str, *_: object, **__: object) -> Answer:
        return Answer(200, "OK", self.body(path))

    async def get_json(self, path: str, *_: object, **__: object) -> Any:
        return self.parsed(path, await self.get(path))

    def parsed(self, path: str, answer: Answer) -> Any:
        return answer.json()


class Api(KubernetesApi):
    """A cluster that needs no login."""

    def __init__(self, said: Said) -> None:
        super().__init__(KubernetesPart(deployments=NAMES), StillClock())
        self._said = said

    def _log_in(self) -> None:
        self._api = SimpleNamespace(configuration=SimpleNamespace(host="https://k"), close=lambda: None)

    def _fetch(self, path: str, give_up_at: float) -> tuple[int, bytes]:
        return 200, self._said.body(path)


async def read(said: Said) -> dict[str, Any]:
    """The facts of every backend that answered, each as its probe has them."""
    found: dict[str, Any] = {}

    async def look(name: str, reading: Callable[[], Awaitable[Any]]) -> None:
        try:
            found[name] = Sample.good(await reading(), NOW - 0.3, 0.01)
        except BackendError as error:
            assert str(error).isprintable()
            found[name] = Sample().failed(str(error), NOW - 0.1, 0.01)

    async def kube() -> Any:
        return kubernetes(Api(said)._read(NAMES), NAMES, NAMES, NOW)

    async def engine() -> Any:
        client = DockerEngine(DockerPart(containers=("redis",)), SystemClock())
        client._web = said  # type: ignore[assignment]
        told = await client.read()
        containers = (container(name, each, NOW) for name, each in told.containers.items())
        return Docker(clean(told.version, 40), tuple(containers))

    async def rules() -> Any:
        server = AlertServer(GrafanaPart())
        server._web, server._headers = said, {}  # type: ignore[assignment]
        return alerts("Grafana", await server.read(), NOW)

    async def kite() -> Any:
        verdict = judge_kite(await said.get("/user/profile"), has_token=True)
        held = kite_held(await said.get("/positions"), await said.get("/holdings"))
        kept = Sample.good(held, NOW - 1, 0.01, 25.0)
        return (Reach("ZERODHA", verdict.is_up, 4.0, verdict.detail, verdict.is_degraded, kept),)

    for name, reading in (("kubernetes", kube), ("docker", engine), ("alerts", rules), ("reach", kite)):
        await look(name, reading)
    return found


def show(found: dict[str, Any], width: int, height: int) -> None:
    """Judge it, keep it, draw it, print it."""
    moment = snapshot(**found)
    assessment, _ = assess(moment, SETTINGS)
    moment = replace(moment, assessment=assessment)
    points(moment)
    view = View(moment, NOW, SETTINGS)
    scene = Scene(NOW, world=moment.world, site="x", operator="a", readiness=(("ready", "ok"),), live=view, wall=view)
    assert max(map(width_of, [*top_lines(scene, width), *wall_rows(scene, width, height)])) <= width
    as_json(moment, SETTINGS)
    as_text(moment, SETTINGS)


def test_all_is_well_where_nothing_is_odd() -> None:
    assert [sample.error for sample in asyncio.run(read(Said({}))).values()] == [None] * 4


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers, st.sampled_from([(80, 21), (120, 37), (200, 57)]))
def test_no_answer_blinds_the_wall(changed: dict[str, bytes], size: tuple[int, int]) -> None:
    show(asyncio.run(read(Said(changed))), *size)
