"""Kubernetes through the official client's login and connections, without its models: raw JSON on an own thread."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cockpit.clients.bounded import SoloThread
from cockpit.clients.kubernetes_history import before, revision
from cockpit.clients.kubernetes_line import Line, as_bytes
from cockpit.clients.kubernetes_login import login, runs_a_program
from cockpit.clients.kubernetes_words import in_words, of_status
from cockpit.clients.names import unresolved
from cockpit.clients.parts import Json, part
from cockpit.clock import Clock
from cockpit.config import KubernetesPart
from cockpit.errors import BackendError, Refused, TimedOut
from cockpit.text import clean

NAME = "Kubernetes"
MAX_BYTES = 32 << 20
"""All pods of a namespace, 6 kB each."""
PAGE = 500
MAX_PAGES = 20
LOGIN_PAUSE_S = 15.0
"""From one run of a login program that was no use to the next: it may count failures, or ask somebody's phone."""
KEPT_BYTES = 1 << 20
"""An answer up to this size is kept, so that one that comes again is the same objects to whoever reads it."""
RENEWED_EVERY_S = 15.0
"""Tokens that expire are renewed a minute or more before."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster's answers."""

    version: str
    namespace: str
    deployments: tuple[Json, ...]
    """Those that were asked for and exist."""
    pods: tuple[Json, ...]
    """At least those of the deployments."""
    server: str = ""
    """The address that was asked."""
    previous: Mapping[str, Json | None] = field(default_factory=dict)
    """Deployment -> the replica set that undoing its rollout goes back to, where it has revisions."""
    history_error: str | None = None
    """Why those are not known."""


class KubernetesApi:
    """One cluster and namespace; logs in lazily, and anew after a failure: tokens and kubeconfigs change."""

    def __init__(self, settings: KubernetesPart, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._thread = SoloThread(NAME)
        self._api: Any = None
        self._namespace = ""
        self._server = ""
        self._version = ""
        self._revisions: dict[str, tuple[object, int]] = {}
        self._previous: dict[str, Json | None] = {}
        self._history_error: str | None = None
        self._refusal: BackendError | None = None
        self._refused_until = 0.0
        self._is_login_awaited = False
        self._line: Line | None = None
        self._requests: dict[str, tuple[Any, bytes | None]] = {}
        self._known: dict[str, tuple[bytes, Json]] = {}
        self._renewed_at = 0.0

    async def read(self, names: tuple[str, ...]) -> Cluster:
        """The named deployments and their pods: two requests on one connection.

        Raises:
            BackendError: in an operator's words.
        """
        try:
            return await self._thread.call(self._settings.timeout_s, self._read, names)
        except TimedOut as error:
            raise TimedOut(self.late() or str(error)) from None

    def late(self) -> str:
        """Why what is on its way is late, where that is its name; empty where nothing is known."""
        return unresolved(urlsplit(self._server).hostname or "")

    def awaits(self) -> str:
        """What it cannot be asked without and is not there yet; empty where nothing is missing."""
        where = clean(self._settings.kubeconfig or "the kubeconfig", 120)
        return f"no login by {where}" if self._is_login_awaited else ""

    async def close(self) -> None:
        """Close the connections."""
        self._hang_up()

    def _read(self, names: tuple[str, ...]) -> Cluster:
        # A login that took too long is not lost: the next tick finds it done.
        if self._api is None:
            self._log_in()
        give_up_at = self._clock.monotonic() + self._settings.timeout_s
        try:
            if not self._version:
                self._version = str(self._get("/version", give_up_at).get("gitVersion", ""))
            space = quote(self._namespace, safe="")
            found = self._list(f"/apis/apps/v1/namespaces/{space}/deployments", {}, give_up_at)
            wanted = tuple(item for item in found if _name(item) in names)
            narrowed = common_selector(wanted)
            pods = self._list(f"/api/v1/namespaces/{space}/pods", narrowed, give_up_at) if wanted else ()
            self._read_history(space, wanted, narrowed, give_up_at)
        except BackendError as error:
            self._forget(error)
            raise
        server = str(self._api.configuration.host)
        return Cluster(
            self._version, self._namespace, wanted, tuple(pods), server, dict(self._previous), self._history_error
        )

    def _read_history(
        self, space: str, wanted: tuple[Json, ...], narrowed: Mapping[str, str], give_up_at: float
    ) -> None:
        """The replica sets, only where somebody has rolled out since: they change with nothing else."""
        now = {_name(item): (_uid(item), revision(item)) for item in wanted if revision(item)}
        if now == self._revisions:
            return
        try:
            sets = self._list(f"/apis/apps/v1/namespaces/{space}/replicasets", narrowed, give_up_at)
        except Refused as error:
            # Without the right to look at them only undoing a rollout is impossible.
            self._previous, self._history_error = {}, f"the replica sets cannot be read: {error}"
        else:
            self._previous = {_name(item): before(item, sets) for item in wanted if _name(item) in now}
            self._history_error = None
        self._revisions = now

    def _log_in(self) -> None:
        if self._refusal is not None and self._clock.monotonic() < self._refused_until:
            raise type(self._refusal)(str(self._refusal))
        self._is_login_awaited = True
        try:
            self._api, self._namespace = login(self._settings)
            self._server = str(self._api.configuration.host)
            self._requests = {}
            self._line = Line(self._api, self._clock, self._settings.timeout_s, MAX_BYTES)
        except TimedOut as error:
            self._pause(error)
            raise
        except BaseException as error:
            self._is_login_awaited = False
            if isinstance(error, Refused):
                self._pause(error)
            raise
        self._is_login_awaited = False

    def _forget(self, error: BackendError) -> None:
        """Log in anew next time, and not at once where that means to run a program that was no use just now."""
        self._version = ""
        if self._api is not None and isinstance(error, Refused) and runs_a_program(self._api):
            self._pause(error)
        self._hang_up()

    def _hang_up(self) -> None:
        api, self._api = self._api, None
        line, self._line = self._line, None
        if line is not None:
            line.close()
        if api is not None:
            api.close()

    def _pause(self, error: BackendError) -> None:
        self._refusal = error
        self._refused_until = self._clock.monotonic() + LOGIN_PAUSE_S

    def _list(self, path: str, query: Mapping[str, str], give_up_at: float) -> list[Json]:
        """All pages of a list.

        Raises:
            BackendError: in an operator's words.
        """
        items: list[Json] = []
        token = ""
        for _ in range(MAX_PAGES):
            asked = {**query, "limit": str(PAGE)} | ({"continue": token} if token else {})
            answer = self._get(f"{path}?{urlencode(asked, errors='replace')}", give_up_at)
            found = answer.get("items")
            if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
                raise BackendError(f"{NAME} answered something else than a list")
            items += found
            token = str(part(answer, "metadata").get("continue") or "")
            if not token:
                return items
        raise BackendError(f"more than {PAGE * MAX_PAGES} objects in namespace {clean(self._namespace, 60)}")

    def _get(self, path: str, give_up_at: float) -> Json:
        """A JSON object.

        Raises:
            BackendError: in an operator's words.
        """
        server = str(self._api.configuration.host)
        try:
            status, body = self._fetch(path, give_up_at)
        except BackendError:
            raise
        except Exception as error:  # urllib3, ssl, the client's own, and whatever a login renewed by it raises
            raise in_words(error, server, self._settings.timeout_s) from None
        if status != 200:
            raise of_status(status, body)
        known = self._known.get(path)
        if known is not None and known[0] == body:
            return known[1]
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise BackendError(f"{clean(server)} answered, but not JSON: it may not be a Kubernetes API") from None
        if not isinstance(answer, dict):
            raise BackendError(f"{clean(server)} answered something else than a Kubernetes API does")
        if len(body) <= KEPT_BYTES and "continue=" not in path:
            self._known[path] = body, answer
        return answer

    def _fetch(self, path: str, give_up_at: float) -> tuple[int, bytes]:
        """Status and body, read within the limits."""
        limit_s = self._settings.timeout_s
        # Their time-outs bound the connect and each single read; the loop below bounds the whole.
        limits = (min(2.0, limit_s), min(3.0, limit_s))
        request, raw = self._request(path)
        if raw is not None and self._line is not None:
            found = self._line.get(request[1], raw, limits[1], give_up_at)
            if found is not None:
                return found
        response = self._api.call_api(*request, _request_timeout=limits).response
        body = bytearray()
        try:
            while chunk := response.read1(65536):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise BackendError(f"{NAME} answered more than {MAX_BYTES >> 20} MB")
                if self._clock.monotonic() > give_up_at:
                    raise TimedOut(f"{NAME} did not answer within {limit_s:g} s")
        except BaseException:
            response.close()  # with half an answer on it the connection must not be used again
            raise
        response.release_conn()
        return response.status, bytes(body)

    def _request(self, path: str) -> tuple[Any, bytes | None]:
        """What their client makes of it, with a login that it renews where that is due: it takes as long as asking."""
        now = self._clock.monotonic()
        if now - self._renewed_at >= RENEWED_EVERY_S:
            self._requests, self._renewed_at = {}, now
        known = self._requests.get(path)
        if known is None:
            request = self._api.param_serialize(
                "GET", path, header_params={"Accept": "application/json"}, auth_settings=["BearerToken"]
            )
            known = self._requests[path] = (request, as_bytes(request[1], request[2]))
        return known


def common_selector(deployments: Iterable[Json]) -> dict[str, str]:
    """A label selector that finds the pods of all of them, where they differ in one label's value; else none.

    >>> one = {"spec": {"selector": {"matchLabels": {"app": "router"}}}}
    >>> two = {"spec": {"selector": {"matchLabels": {"app": "api"}}}}
    >>> common_selector([one, two])
    {'labelSelector': 'app in (api,router)'}
    >>> common_selector([one, {"spec": {"selector": {"matchLabels": {"run": "x"}}}}])
    {}
    """
    labels = [part(part(part(item, "spec"), "selector"), "matchLabels") for item in deployments]
    shared = set(labels[0]).intersection(*labels[1:]) if labels else set()
    if not shared:
        return {}
    key = min(shared)
    return {"labelSelector": f"{key} in ({','.join(sorted({str(label[key]) for label in labels}))})"}


def _uid(item: Json) -> object:
    return part(item, "metadata").get("uid")


def _name(item: Json) -> str:
    return str(part(item, "metadata").get("name", ""))
