"""Requests for a second person and the answers to them: who gave one is the kernel's word, by the owner of its file.

In the folder `approvals`: `<id>.request` by who asks, `<id>.<uid>.approved` or `.refused` by who answers, and
`<id>.used` by who acts on it. The id is the hash of the request: nobody can change what was approved, or use it for
anything else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit import accounts
from cockpit.errors import NOT_OURS, JournalError, Rejected
from cockpit.model.approval import Request, Second, Standing
from cockpit.model.audit import Operator
from cockpit.model.plan import Confirmation, Plan
from cockpit.storage.attested import Attested, TeamFolder, attested
from cockpit.storage.plans import plan_from_json, plan_to_json
from cockpit.text import clean

AHEAD_S = 2.0
"""Clocks of file systems are this coarse; what comes from further in the future is refused."""
KEPT_S = 86_400.0
MOST = 50
_TEXTS = ("action", "title", "sentence", "site", "target", "undo")


class Approvals:
    """All requests of one site; any number of users may ask and answer."""

    def __init__(self, folder: Path, lapse_s: float) -> None:
        self._team = TeamFolder(folder)
        self._lapse_s = lapse_s

    def why_not_shared(self) -> str | None:
        """What must be configured before somebody else can answer; None where they can."""
        return self._team.why_not_shared()

    def ask(self, plan: Plan, who: Operator, reason: str, now: float, overrides: Sequence[str] = ()) -> Request:
        """Ask for a second person.

        Raises:
            JournalError: the request cannot be written.
        """
        self._sweep(now)
        fields = {
            "plan": plan_to_json(plan),
            "host": who.host,
            "login_uid": accounts.login_uid(),
            "reason": _said(reason),
            "overrides": list(overrides),
            "asked_at": round(now, 6),
        }
        content = json.dumps(fields).encode("ascii")
        self._team.put(f"{_id(content)}.request", content)
        request = self._request(_id(content))
        if request is None:
            raise JournalError("the request for a second person does not read back as it was written")
        return request

    def withdraw(self, request_id: str) -> None:
        """Ask no more; what others wrote stays."""
        with suppress(OSError):
            self._file(f"{request_id}.request").unlink()

    def waiting(self, now: float) -> tuple[Request, ...]:
        """The requests that wait for an answer, newest first; one's own among them."""
        found = [self._request(name.partition(".")[0]) for name in self._team.names(".request", MOST)]
        return tuple(
            request
            for request in found
            if request is not None and self.standing(request.id, now).standing is Standing.WAITING
        )

    def find(self, prefix: str, now: float) -> Request:
        """The request that waits and whose id begins so.

        Raises:
            Rejected: there is none, or more than one.
        """
        found = [request for request in self.waiting(now) if request.id.startswith(prefix.lower())]
        if len(found) != 1:
            raise Rejected(f"{'no request' if not found else 'more than one request'} waits with {clean(prefix, 40)}")
        return found[0]

    def approve(self, request: Request, now: float, overrides: Sequence[str] = (), reason: str = "") -> None:
        """Say yes, as the user that this process runs as; over what checks of theirs, and why.

        Raises:
            Rejected: one's own approval does not count.
            JournalError: it cannot be written.
        """
        mine = accounts.login_uid()
        why = _why_not_second(request, os.geteuid(), mine)
        if why is not None:
            raise Rejected(f"this approval would not count: {why}")
        over = {"overrides": list(overrides), "reason": _said(reason)} if overrides else {}
        self._answer(request, "approved", {"login_uid": mine, **over})

    def refuse(self, request: Request, reason: str) -> None:
        """Say no; anybody may, also who asked.

        Raises:
            JournalError: it cannot be written.
        """
        self._answer(request, "refused", {"reason": clean(reason, 200)})

    def standing(self, request_id: str, now: float) -> Second:
        """What became of the request, by the files that are there now."""
        request = self._request(request_id)
        if request is None:
            return Second(request_id, Standing.GONE, "the request is no longer there")
        if self._file(f"{request_id}.used").exists():
            return Second(request_id, Standing.USED, "the approval was used: it counts once")
        refusal = next(self._answers(request, "refused", now), None)
        if refusal is not None:
            by, said = accounts.user_name(refusal[0].uid), clean(refusal[1].get("reason", ""), 200)
            return Second(request_id, Standing.REFUSED, f"refused by {by}: {said or 'no reason given'}", by)
        given = self._approved(request, now) if now >= request.asked_at - AHEAD_S else None
        if given is not None and given.standing is Standing.APPROVED:
            return given
        if not -AHEAD_S <= now - request.asked_at <= self._lapse_s:
            words = given.words if given else f"nobody approved it within {self._lapse_s / 60:.0f} min"
            return Second(request_id, Standing.LAPSED, words)
        return given or Second(request_id, Standing.WAITING, "waiting for a second person", None, request.lapses_at)

    def use(self, plan: Plan, confirmation: Confirmation, job_id: str, now: float) -> Second:
        """Take the approval for this job, and for no other ever after.

        Raises:
            Rejected: there is none that counts.
            JournalError: it cannot be marked as used.
        """
        why = self.why_not(plan, confirmation, now)
        if why is not None:
            raise Rejected(why)
        request_id = confirmation.approval or ""
        second = self.standing(request_id, now)
        try:
            self._team.put(f"{request_id}.used", json.dumps({"job": job_id}).encode("ascii"))
        except JournalError as error:
            if self._file(f"{request_id}.used").exists():
                raise Rejected("the approval was used by another job: it counts once") from None
            raise JournalError(f"the approval cannot be marked as used: {error}") from error
        return second

    def why_not(self, plan: Plan, confirmation: Confirmation, now: float) -> str | None:
        """Why its request lets the plan not go ahead; None where a second person approved exactly this."""
        request_id = confirmation.approval or ""
        if not request_id.isalnum():
            return "there is no such request"
        request = self._request(request_id)
        if request is None:
            return "the request for a second person is no longer there"
        if request.plan.digest != plan.digest:
            return "what was approved is not this plan"
        if request.uid != os.geteuid():
            return f"it was approved for {request.by}, not for you"
        unasked = [name for name in confirmation.overrides if name not in request.overrides]
        if unasked:
            return f"overriding {clean(unasked[0], 80)} was not approved: ask again"
        if _said(confirmation.reason or "") != request.reason:
            return "it was approved for another reason: ask again"
        second = self.standing(request_id, now)
        return None if second.standing is Standing.APPROVED else f"no second person: {second.words}"

    def _approved(self, request: Request, now: float) -> Second | None:
        """The first approval that counts, else what is wrong with one."""
        doubt = ""
        for found, said in self._answers(request, "approved", now):
            login = said.get("login_uid")
            why = _why_not_second(request, found.uid, login if isinstance(login, int) else None)
            if why is None and found.at > request.lapses_at:
                why = "it came after the request had lapsed"
            if why is None and now - found.at <= self._lapse_s:
                by = accounts.user_name(found.uid)
                lapses_at = found.at + self._lapse_s
                return Second(request.id, Standing.APPROVED, f"approved by {by}{_over(said)}", by, lapses_at)
            doubt = f"an approval that does not count: {why or 'it has lapsed'}"
        return Second(request.id, Standing.WAITING, doubt, None, request.lapses_at) if doubt else None

    def _answers(self, request: Request, kind: str, now: float) -> Iterator[tuple[Attested, Mapping[str, Any]]]:
        """Those that stand under their owner's number, name this request in full, and are not from the future."""
        # All of them: whoever floods the folder hides nobody's answer.
        for name in self._team.names(f".{kind}", None, f"{request.id}."):
            found = attested(self._file(name))
            said = {} if found is None else _fields(found.content)
            if (
                found is not None
                and name == f"{request.id}.{found.uid}.{kind}"
                and (said.get("request"), said.get("digest")) == (request.id, request.plan.digest)
                and request.asked_at - AHEAD_S <= found.at <= now + AHEAD_S
            ):
                yield found, said

    def _answer(self, request: Request, kind: str, said: Mapping[str, Any]) -> None:
        content = json.dumps({"request": request.id, "digest": request.plan.digest, **said})
        self._team.put(f"{request.id}.{os.geteuid()}.{kind}", content.encode("ascii"))

    def _request(self, request_id: str) -> Request | None:
        """None where there is none, or where it is not what its name says."""
        found = attested(self._file(f"{request_id}.request"))
        if found is None or _id(found.content) != request_id:
            return None
        fields = _fields(found.content)
        try:
            plan = plan_from_json(fields["plan"])
            if not all(isinstance(getattr(plan, name), str) for name in _TEXTS):
                return None
            asked_at, login = float(fields["asked_at"]), fields["login_uid"]
            overrides = fields["overrides"]
            if not isinstance(overrides, list):
                return None
        except (JournalError, *NOT_OURS):
            return None
        return Request(
            id=request_id,
            plan=plan,
            by=accounts.user_name(found.uid),
            uid=found.uid,
            login_uid=login if isinstance(login, int) else None,
            host=clean(fields.get("host", ""), 64),
            reason=clean(fields.get("reason", ""), 300),
            overrides=tuple(clean(name, 80) for name in overrides),
            asked_at=asked_at,
            lapses_at=asked_at + self._lapse_s,
        )

    def _file(self, name: str) -> Path:
        return self._team.folder / name

    def _sweep(self, now: float) -> None:
        """One's own old files; everybody sweeps before their own door."""
        for name in self._team.names("", 1000):
            with suppress(OSError):
                entry = self._file(name).lstat()
                if entry.st_uid == os.geteuid() and now - entry.st_mtime > KEPT_S:
                    self._file(name).unlink()


def _said(reason: str) -> str:
    return clean(reason.strip(), 300)


def _over(said: Mapping[str, Any]) -> str:
    """Which checks of their own whoever approved overrode, and why; empty where none failed."""
    names = said.get("overrides")
    if not isinstance(names, list) or not names:
        return ""
    return f", overriding {clean(', '.join(map(str, names)), 200)}: {clean(said.get('reason', ''), 200)}"


def _why_not_second(request: Request, uid: int, login: int | None) -> str | None:
    """Why this user is no second person for the request."""
    if uid == request.uid or (login is not None and login == request.login_uid):
        return f"it is by {accounts.user_name(uid)}, who asks for it"
    if uid == 0:
        # Whoever may use sudo is root, also who asks.
        return "root is nobody in particular"
    return None


def _id(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fields(content: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(content)
    except NOT_OURS:
        return {}
    return fields if isinstance(fields, dict) else {}
