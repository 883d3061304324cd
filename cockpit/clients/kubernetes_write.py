"""The one change that is made to a cluster: the patch of `kubectl rollout restart`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from cockpit.clients.bounded import SoloThread
from cockpit.clients.kubernetes_login import login
from cockpit.clients.kubernetes_words import in_words, of_status
from cockpit.config import KubernetesPart
from cockpit.errors import BackendError, Refused
from cockpit.text import clean

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
MAX_BYTES = 1 << 20
LOGIN_S = 12.0
"""A login program may take this long on top."""


def restart_patch(at: str) -> dict[str, Any]:
    """A new annotation on the pods' template makes new pods of the same kind."""
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}}


async def restart_deployment(part: KubernetesPart, name: str, at: str, server: str) -> None:
    """Patch it, once, on this server and no other: the kubeconfig may name another one by now.

    Raises:
        Refused, Unreachable: it was not done.
        BackendError: it may have been done: nobody said.
    """
    thread = SoloThread("Kubernetes")
    await thread.call(part.timeout_s + LOGIN_S, _patch, part, name, restart_patch(at), server)


def _patch(part: KubernetesPart, name: str, body: dict[str, Any], meant: str) -> None:
    api, namespace = login(part)
    server = str(api.configuration.host)
    if clean(server, 120) != meant:
        api.close()
        raise Refused(f"the kubeconfig names {clean(server, 120)} by now, {meant} was confirmed")
    path = f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}/deployments/{quote(name, safe='')}"
    headers = {"Accept": "application/json", "Content-Type": "application/strategic-merge-patch+json"}
    request = api.param_serialize(
        "PATCH",
        path,
        query_params=[("fieldManager", "kubectl-rollout")],
        header_params=headers,
        body=body,
        auth_settings=["BearerToken"],
    )
    try:
        limits = (min(2.0, part.timeout_s), part.timeout_s)
        response = api.call_api(*request, _request_timeout=limits).response
        status, said = int(response.status), bytes(response.read1(MAX_BYTES))
        response.close()
    except Exception as error:  # urllib3, ssl, and whatever a login renewed by it raises
        raise in_words(error, server, part.timeout_s) from None
    finally:
        api.close()
    if 400 <= status < 500:
        raise Refused(str(of_status(status, said)))
    if status != 200:
        raise of_status(status, said)
    try:
        json.loads(said)
    except ValueError:
        raise BackendError(f"{clean(server)} answered, but not JSON: it may not be a Kubernetes API") from None
