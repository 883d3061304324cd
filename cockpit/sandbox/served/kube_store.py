"""The cluster's memory: objects by kind and name, one rising resource version, and the recent changes."""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from cockpit.sandbox.served.kube_kinds import BY_PLURAL, Json

FIRST_REVISION = 1000
CHANGES_KEPT = 500
# Kubernetes leaves out vowels and look-alikes, so that no name is a word.
SAFE_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after; `now` is None when it was removed."""

    revision: int
    plural: str
    before: Json | None
    now: Json | None


class Store:
    """Holds objects that nobody edits in place: every change puts a new one."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._objects: dict[tuple[str, str, str], Json] = {}
        self._changes: deque[Change] = deque(maxlen=CHANGES_KEPT)
        self._wakers: set[asyncio.Event] = set()
        self.revision = FIRST_REVISION

    def get(self, plural: str, namespace: str, name: str) -> Json | None:
        """Return the object, None when there is none."""
        return self._objects.get((plural, namespace, name))

    def items(self, plural: str, namespace: str | None = None) -> list[Json]:
        """Return all objects of a kind by name, of one namespace or (None) of all."""
        return [
            item
            for (kind, space, _), item in sorted(self._objects.items())
            if kind == plural and namespace in (None, space)
        ]

    def add(self, plural: str, body: Json) -> Json:
        """Keep a new object, with the metadata that the server gives."""
        kind = BY_PLURAL[plural]
        metadata = {
            **body.get("metadata", {}),
            "uid": str(UUID(int=self._random.getrandbits(128), version=4)),
            "creationTimestamp": stamp(),
        }
        if "spec" in body and plural != "namespaces":
            metadata["generation"] = 1
        return self._put(plural, {"apiVersion": kind.api_version, "kind": kind.name, **body, "metadata": metadata})

    def edit(self, plural: str, namespace: str, name: str, change: Callable[[Json], None]) -> Json | None:
        """Apply the change to a copy and keep it, if it is any different; None when the object is gone."""
        before = self.get(plural, namespace, name)
        if before is None:
            return None
        edited = copy.deepcopy(before)
        change(edited)
        return before if edited == before else self.replace(plural, edited)

    def replace(self, plural: str, body: Json) -> Json:
        """Keep a new version of an object; a changed spec is a new generation."""
        metadata = body["metadata"]
        before = self.get(plural, metadata.get("namespace", ""), metadata["name"])
        if before is not None and "generation" in metadata:
            generation = before["metadata"]["generation"]
            is_new = before.get("spec") != body.get("spec")
            body = {**body, "metadata": {**metadata, "generation": generation + 1 if is_new else generation}}
        return self._put(plural, body)

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Forget an object."""
        before = self._objects.pop((plural, namespace, name), None)
        if before is not None:
            self.revision += 1
            self._note(Change(self.revision, plural, before, None))

    def since(self, revision: int) -> list[Change] | None:
        """Return the changes after a resource version, None when they are no longer known."""
        oldest = self._changes[0].revision if len(self._changes) == CHANGES_KEPT else FIRST_REVISION
        if revision < oldest - 1:
            return None
        fresh: list[Change] = []
        for change in reversed(self._changes):
            if change.revision <= revision:
                break
            fresh.append(change)
        return fresh[::-1]

    def listen(self, waker: asyncio.Event) -> None:
        """Set the event at every change from now on."""
        self._wakers.add(waker)

    def leave(self, waker: asyncio.Event) -> None:
        """Forget the event."""
        self._wakers.discard(waker)

    def suffix(self, length: int = 5) -> str:
        """Return random letters as generated names end in."""
        return "".join(self._random.choices(SAFE_LETTERS, k=length))

    def _put(self, plural: str, body: Json) -> Json:
        self.revision += 1
        kept = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.revision)}}
        key = (plural, kept["metadata"].get("namespace", ""), kept["metadata"]["name"])
        self._note(Change(self.revision, plural, self._objects.get(key), kept))
        self._objects[key] = kept
        return kept

    def _note(self, change: Change) -> None:
        self._changes.append(change)
        for waker in self._wakers:
            waker.set()


def stamp(moment: datetime | None = None) -> str:
    """Return a moment (now, if none is given) as the API writes it."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(text: str) -> datetime:
    """Read what `stamp` writes.

    >>> parse_stamp("2026-01-02T03:04:05Z").isoformat()
    '2026-01-02T03:04:05+00:00'
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def owner_uid(item: Json) -> str:
    """Return the uid of the controller that owns an object, "" when nobody does."""
    owners: list[dict[str, Any]] = item["metadata"].get("ownerReferences", [])
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")
