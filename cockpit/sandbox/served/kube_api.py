"""The Kubernetes API: checks who asks and what for, and answers from the store."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from cockpit.sandbox.served.kube_access import review
from cockpit.sandbox.served.kube_failure import KubeFailure, status
from cockpit.sandbox.served.kube_kinds import VERSION, Json, discovery, is_allowed
from cockpit.sandbox.served.kube_kubelet import Kubelet
from cockpit.sandbox.served.kube_replicas import delete_pod
from cockpit.sandbox.served.kube_requests import Target, is_dry, is_table, is_watch, target, verb
from cockpit.sandbox.served.kube_seed import NAMESPACE
from cockpit.sandbox.served.kube_select import selector
from cockpit.sandbox.served.kube_store import Store
from cockpit.sandbox.served.kube_table import table
from cockpit.sandbox.served.kube_watch import Watch
from cockpit.sandbox.served.kube_writes import Writes, found, scale
from cockpit.sandbox.served.web import json_answer, json_object

USER = "cockpit"
REVIEWS = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OPEN_TO_ALL = ("version", "healthz", "livez", "readyz")
MOST_LOG_LINES = 5000
FOLLOW_EVERY_S = 0.5


class KubeApi:
    """Answers requests; it starts and ends nothing itself, the controller does."""

    def __init__(self, store: Store, kubelet: Kubelet, token: str, passage: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._kubelet = kubelet
        self._bearer = f"Bearer {token}".encode()
        self._passage = passage
        self._writes = Writes(store)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request at all."""
        try:
            return await self._answer(request)
        except KubeFailure as failure:
            return json_answer(failure.status, failure.code)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.strip("/")
        if path in OPEN_TO_ALL:
            return json_answer(VERSION) if path == "version" else web.Response(text="ok")
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self._bearer):
            raise KubeFailure(401, "Unauthorized")
        if request.method == "GET" and (document := discovery(path)) is not None:
            return json_answer(document)
        if path == REVIEWS and request.method == "POST":
            return json_answer(review(await request.read(), NAMESPACE), 201)
        asked = target(path)
        self._authorize(asked, verb(request, asked.name))
        if request.method == "GET":
            return await self._read(request, asked)
        raw = await request.read()
        if request.method == "DELETE":
            return json_answer(self._delete(request, asked, raw))
        is_patch = request.method == "PATCH"
        after = self._writes.change(asked, request.content_type, raw, is_patch=is_patch, is_dry=is_dry(request))
        return json_answer(after)

    def _authorize(self, asked: Target, verb: str) -> None:
        group = asked.kind.group
        if not is_allowed(verb, group, asked.resource, asked.namespace or "", NAMESPACE):
            full = f"{asked.resource}.{group}" if group else asked.resource
            where = f' in the namespace "{asked.namespace}"' if asked.namespace else ""
            who = f'User "{USER}" cannot {verb} resource "{asked.resource}" in API group "{group}"{where}'
            raise KubeFailure(403, f'{full} "{asked.name}" is forbidden: {who}', asked.kind.plural, asked.name)

    async def _read(self, request: web.Request, asked: Target) -> web.StreamResponse:
        if asked.below == "log":
            return await self._logs(request, asked)
        if asked.below:
            item = found(self._store, asked)
            return json_answer(scale(item) if asked.below == "scale" else item)
        fields = request.query.get("fieldSelector", "")
        if is_watch(request) and asked.name:
            fields = ",".join(filter(None, (fields, f"metadata.name={asked.name}")))
        wanted = selector(request.query.get("labelSelector", ""), fields)
        is_whole = request.query.get("includeObject") == "Object"
        if is_watch(request):

            def test(item: Json) -> bool:
                return asked.namespace in (None, item["metadata"].get("namespace")) and wanted(item)

            watch = Watch(self._store, asked.kind, test, is_table(request), is_whole, self._passage)
            return await watch.stream(request)
        if asked.name:
            item = found(self._store, asked)
            revision = int(item["metadata"]["resourceVersion"])
            return json_answer(table(asked.kind, [item], revision, is_whole=is_whole) if is_table(request) else item)
        items = [item for item in self._store.items(asked.kind.plural, asked.namespace) if wanted(item)]
        if is_table(request):
            return json_answer(table(asked.kind, items, self._store.revision, is_whole=is_whole))
        metadata = {"resourceVersion": str(self._store.revision)}
        kind = asked.kind
        body = {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}
        return json_answer(body)

    def _delete(self, request: web.Request, asked: Target, raw: bytes) -> Json:
        if not asked.name:
            raise KubeFailure(405, "deleting a whole collection is not served", asked.kind.plural)
        pod = found(self._store, asked)
        grace = request.query.get("gracePeriodSeconds", "")
        try:
            options = json_object(raw) if raw.startswith(b"{") else {}
            seconds = int(grace) if grace else options.get("gracePeriodSeconds")
            if seconds is not None and not 0 <= int(seconds) <= 60:
                raise ValueError("out of 0 to 60")
        except (TypeError, ValueError) as problem:
            raise KubeFailure(400, f"gracePeriodSeconds: {problem}") from problem
        if is_dry(request) or options.get("dryRun"):
            return pod
        return delete_pod(self._store, pod, seconds)

    async def _logs(self, request: web.Request, asked: Target) -> web.StreamResponse:
        pod = found(self._store, asked)
        query = request.query
        count = min(int(query["tailLines"]), MOST_LOG_LINES) if query.get("tailLines", "").isdigit() else MOST_LOG_LINES
        name = pod["spec"]["containers"][0]["name"]
        if query.get("container", name) != name:
            raise KubeFailure(400, f"container {query['container']} is not valid for pod {asked.name}")
        is_previous = query.get("previous") == "true"
        lines = self._kubelet.log_lines(pod, max(count, 1), is_previous=is_previous)
        if lines is None:
            what = "previous terminated container" if is_previous else "container"
            raise KubeFailure(400, f'{what} "{name}" in pod "{asked.name}" not found')
        text = "".join(line + "\n" for line in (lines if count else []))
        if query.get("follow") != "true":
            return web.Response(text=text)
        return await self._follow(request, pod, text, lines)

    async def _follow(self, request: web.Request, pod: Json, text: str, seen: list[str]) -> web.StreamResponse:
        """Go on writing a pod's lines as they come, until the pod or the caller is gone."""
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        await answer.write(text.encode())
        metadata = pod["metadata"]
        while self._store.get("pods", metadata["namespace"], metadata["name"]) is not None:
            await asyncio.sleep(FOLLOW_EVERY_S)
            await self._passage()
            lines = self._kubelet.log_lines(pod, MOST_LOG_LINES, is_previous=False) or []
            fresh = lines[overlap(seen, lines) :]
            if fresh:
                await answer.write("".join(line + "\n" for line in fresh).encode())
            seen = lines
        await answer.write_eof()
        return answer


def overlap(before: list[str], now: list[str]) -> int:
    """Return how many of the first lines now were the last lines before.

    >>> overlap(["a", "b", "c"], ["b", "c", "d"]), overlap(["a"], ["x"])
    (2, 0)
    """
    return next((n for n in range(min(len(before), len(now)), 0, -1) if before[-n:] == now[:n]), 0)


def failing() -> web.Response:
    """Return what an API server that has lost its storage answers."""
    return json_answer(status(503, "the server is currently unable to handle the request"), 503)
