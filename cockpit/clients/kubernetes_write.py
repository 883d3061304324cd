"""The changes that are made to a cluster: those of `kubectl rollout restart`, `rollout undo` and `scale`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from cockpit.clients.bounded import SoloThread
from cockpit.clients.kubernetes_history import KEPT, REVISION, before, notes_of, revision, template_id, template_of
from cockpit.clients.kubernetes_login import login
from cockpit.clients.kubernetes_words import in_words, of_status
from cockpit.config import KubernetesPart
from cockpit.errors import BackendError, Refused
from cockpit.text import clean

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
MAX_BYTES = 8 << 20
LOGIN_S = 12.0
"""A login program may take this long on top."""
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
ROLLOUT = "kubectl-rollout"

Json = dict[str, Any]


def restart_patch(at: str) -> Json:
    """A new annotation on the pods' template makes new pods of the same kind."""
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}}


def scale_patch(now: int, to: int) -> list[Json]:
    """The server itself refuses it where the number is another one by then."""
    path = "/spec/replicas"
    return [{"op": "test", "path": path, "value": now}, {"op": "replace", "path": path, "value": to}]


def undo_patch(deployment: Mapping[str, Any], then: Mapping[str, Any]) -> list[Json]:
    """kubectl's patch, after a test that nobody has rolled out anything since."""
    kept = {name: value for name, value in notes_of(deployment).items() if name in KEPT}
    own = {name: value for name, value in notes_of(then).items() if name not in KEPT}
    place = "/metadata/annotations"
    return [
        {"op": "test", "path": f"{place}/{REVISION.replace('/', '~1')}", "value": str(revision(deployment))},
        {"op": "replace", "path": "/spec/template", "value": template_of(then)},
        {"op": "replace", "path": place, "value": {**kept, **own}},
    ]


async def restart_deployment(part: KubernetesPart, name: str, at: str, server: str) -> None:
    """Patch it, once, on this server and no other: the kubeconfig may name another one by now.

    Raises:
        Refused, Unreachable: it was not done.
        BackendError: it may have been done: nobody said.
    """

    def patch(line: _Line) -> None:
        line.patch(line.deployment(name), restart_patch(at), STRATEGIC, ROLLOUT)

    await _on_a_thread(part, server, patch)


async def scale_deployment(part: KubernetesPart, name: str, now: int, to: int, server: str) -> None:
    """Have it run `to` pods, if it is to run `now` of them.

    Raises:
        Refused, Unreachable: it was not done.
        BackendError: it may have been done: nobody said.
    """

    def patch(line: _Line) -> None:
        # Not its /scale: there the server leaves a 0 out, and a test of what is left out fails.
        line.patch(line.deployment(name), scale_patch(now, to), JSON_PATCH, "kubectl-scale")

    await _on_a_thread(part, server, patch)


async def undo_rollout(part: KubernetesPart, name: str, at: int, to: int, template: str, server: str) -> None:
    """Put the template of revision `to`, which is named by its id, in the place of revision `at`.

    Raises:
        Refused, Unreachable: it was not done.
        BackendError: it may have been done: nobody said.
    """

    def patch(line: _Line) -> None:
        deployment = line.get(line.deployment(name))
        sets = line.get(f"{line.space}/replicasets").get("items")
        then = before(deployment, [one for one in sets if isinstance(one, dict)] if isinstance(sets, list) else [])
        if then is None or (revision(deployment), revision(then), template_id(then)) != (at, to, template):
            raise Refused(f"the rollouts of {clean(name, 60)} are no longer those that were confirmed")
        line.patch(line.deployment(name), undo_patch(deployment, then), JSON_PATCH, ROLLOUT)

    await _on_a_thread(part, server, patch)


async def _on_a_thread(part: KubernetesPart, server: str, work: Any) -> None:
    def run() -> None:
        line = _Line(part, server)
        try:
            work(line)
        finally:
            line.close()

    await SoloThread("Kubernetes").call(part.timeout_s + LOGIN_S, run)


class _Line:
    """A connection to the server that was confirmed."""

    def __init__(self, part: KubernetesPart, meant: str) -> None:
        self._api, namespace = login(part)
        self._server = str(self._api.configuration.host)
        self._limits = (min(2.0, part.timeout_s), part.timeout_s)
        self._timeout_s = part.timeout_s
        self.space = f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}"
        if clean(self._server, 120) != meant:
            self.close()
            raise Refused(f"the kubeconfig names {clean(self._server, 120)} by now, {meant} was confirmed")

    def deployment(self, name: str) -> str:
        """Its path."""
        return f"{self.space}/deployments/{quote(name, safe='')}"

    def get(self, path: str) -> Json:
        """Ask; nothing is changed by it."""
        try:
            return self._send("GET", path, {}, None)
        except BackendError as error:
            raise Refused(f"nothing was changed: {error}") from None

    def patch(self, path: str, body: object, kind: str, manager: str) -> None:
        """Change it, once."""
        self._send("PATCH", f"{path}?{urlencode({'fieldManager': manager})}", {"Content-Type": kind}, body)

    def close(self) -> None:
        """Close the connection."""
        self._api.close()

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: object) -> Json:
        wanted = {"Accept": "application/json", **headers}
        request = self._api.param_serialize(
            method, path, header_params=wanted, body=body, auth_settings=["BearerToken"]
        )
        try:
            response = self._api.call_api(*request, _request_timeout=self._limits).response
            status, said = int(response.status), response.read(MAX_BYTES)
            response.close()
        except Exception as error:  # urllib3, ssl, and whatever a login renewed by it raises
            raise in_words(error, self._server, self._timeout_s) from None
        if 400 <= status < 500:
            raise Refused(str(of_status(status, said)))
        if status != 200:
            raise of_status(status, said)
        try:
            answer = json.loads(said)
        except ValueError:
            raise BackendError(
                f"{clean(self._server)} answered, but not JSON: it may not be a Kubernetes API"
            ) from None
        if not isinstance(answer, dict):
            raise BackendError(f"{clean(self._server)} answered something else than a Kubernetes API does")
        return answer
