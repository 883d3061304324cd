"""What the login of the kubeconfig may do: SelfSubjectAccessReview, `kubectl auth can-i`; nothing is changed by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cockpit.clients.bounded import SoloThread
from cockpit.clients.kubernetes_login import login
from cockpit.clients.kubernetes_words import in_words, of_status
from cockpit.config import KubernetesPart
from cockpit.errors import BackendError

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
LOGIN_S = 12.0
MAX_BYTES = 1 << 20
Right = tuple[str, str, str]
"""Verb, resource (with its subresource, as deployments/status, where it is one), name (empty: any)."""


async def may(part: KubernetesPart, rights: Sequence[Right]) -> tuple[bool, ...]:
    """Whether each right in the group `apps` is given, in the namespace of the configuration.

    Raises:
        BackendError: the server does not say.
    """
    return await SoloThread("Kubernetes").call(part.timeout_s + LOGIN_S, _may, part, tuple(rights))


def _may(part: KubernetesPart, rights: tuple[Right, ...]) -> tuple[bool, ...]:
    api, namespace = login(part)
    try:
        return tuple(_ask(api, part, namespace, right) for right in rights)
    finally:
        api.close()


def _ask(api: Any, part: KubernetesPart, namespace: str, right: Right) -> bool:
    verb, resource, name = right
    kind, _, below = resource.partition("/")
    asked = {"namespace": namespace, "verb": verb, "group": "apps", "resource": kind, "subresource": below}
    asked |= {"name": name} if name else {}
    review = {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {"resourceAttributes": asked},
    }
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    request = api.param_serialize("POST", REVIEWS, header_params=headers, body=review, auth_settings=["BearerToken"])
    try:
        limits = (min(2.0, part.timeout_s), part.timeout_s)
        response = api.call_api(*request, _request_timeout=limits).response
        status, said = int(response.status), response.read(MAX_BYTES)
        response.close()
    except Exception as error:  # urllib3, ssl, and whatever a login renewed by it raises
        raise in_words(error, str(api.configuration.host), part.timeout_s) from None
    if status not in (200, 201):
        raise of_status(status, said)
    try:
        return json.loads(said)["status"]["allowed"] is True
    except (ValueError, KeyError, TypeError):
        raise BackendError("Kubernetes answered something else than a review of access") from None
