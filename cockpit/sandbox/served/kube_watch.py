"""Watches: the stream of changes, bookmarks included, as kubectl from 1.20 to 1.37 wants it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from aiohttp import web

from cockpit.sandbox.served.kube_failure import KubeFailure, status
from cockpit.sandbox.served.kube_kinds import Json, Kind
from cockpit.sandbox.served.kube_select import Test
from cockpit.sandbox.served.kube_store import Change, Store
from cockpit.sandbox.served.kube_table import table

BOOKMARK_EVERY_S = 30.0
LONGEST_S = 1800.0
FIRST_LOOK = "k8s.io/initial-events-end"


@dataclass(slots=True)
class Watch:
    """One caller's watch of one kind."""

    store: Store
    kind: Kind
    test: Test
    is_table: bool
    is_whole: bool
    passage: Callable[[], Awaitable[None]]
    """Awaited before each write: holds the stream while the server is a black hole."""
    has_columns: bool = True

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Write events until the caller leaves or its time is up."""
        query = request.query
        asked = query.get("resourceVersion", "")
        is_listing = query.get("sendInitialEvents") == "true" or asked in ("", "0")
        if not is_listing and not asked.isdigit():
            raise KubeFailure(400, f"invalid resource version: {asked!r}")
        limit_s = _seconds(query.get("timeoutSeconds", ""))
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        waker = asyncio.Event()
        self.store.listen(waker)
        try:
            seen = self.store.revision if is_listing else int(asked)
            if is_listing:
                await self._list(answer, is_marked=query.get("sendInitialEvents") == "true")
            wants_marks = query.get("allowWatchBookmarks") == "true"
            await self._follow(answer, seen, waker, monotonic() + limit_s, wants_marks=wants_marks)
        finally:
            self.store.leave(waker)
        await answer.write_eof()
        return answer

    async def _list(self, answer: web.StreamResponse, *, is_marked: bool) -> None:
        revision = self.store.revision
        for item in self.store.items(self.kind.plural):
            if self.test(item):
                await self._write(answer, "ADDED", item)
        if is_marked:
            # kubectl 1.37 waits for this mark for ever.
            await self._write(answer, "BOOKMARK", self._mark(revision, {FIRST_LOOK: "true"}))

    async def _follow(
        self, answer: web.StreamResponse, seen: int, waker: asyncio.Event, end_s: float, *, wants_marks: bool
    ) -> None:
        while (left_s := end_s - monotonic()) > 0:
            waker.clear()
            changes = self.store.since(seen)
            if changes is None:
                await self._write(answer, "ERROR", status(410, f"too old resource version: {seen}"))
                return
            for change in changes:
                seen = change.revision
                if change.plural == self.kind.plural and (event := self._event(change)):
                    await self._write(answer, *event)
            try:
                async with asyncio.timeout(min(left_s, BOOKMARK_EVERY_S)):
                    await waker.wait()
            except TimeoutError:
                if wants_marks:
                    await self._write(answer, "BOOKMARK", self._mark(seen, {}))

    def _event(self, change: Change) -> tuple[str, Json] | None:
        """Return what the caller sees of a change: an object may enter or leave its selection."""
        had = change.before is not None and self.test(change.before)
        has = change.now is not None and self.test(change.now)
        if has and change.now is not None:
            return ("MODIFIED" if had else "ADDED"), change.now
        if had and change.before is not None:
            gone = change.now or change.before
            return "DELETED", {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(change.revision)}}
        return None

    def _mark(self, revision: int, annotations: dict[str, str]) -> Json:
        metadata: Json = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        return {"kind": self.kind.name, "apiVersion": self.kind.api_version, "metadata": metadata}

    async def _write(self, answer: web.StreamResponse, event: str, item: Json) -> None:
        await self.passage()
        if self.is_table and event not in ("ERROR", "BOOKMARK"):
            rows = [item]
            revision = int(item["metadata"]["resourceVersion"])
            item = table(self.kind, rows, revision, has_columns=self.has_columns, is_whole=self.is_whole)
            self.has_columns = False
        elif self.is_table and event == "BOOKMARK":
            carried = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
            revision = int(item["metadata"]["resourceVersion"])
            item = {**table(self.kind, [], revision, has_columns=False), "rows": [{"cells": [], "object": carried}]}
        await answer.write(json.dumps({"type": event, "object": item}, separators=(",", ":")).encode() + b"\n")


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        return min(float(int(text)), LONGEST_S) if text else LONGEST_S
    raise KubeFailure(400, f"invalid timeoutSeconds: {text!r}")
