"""What a Kubernetes request is about: its path and query taken apart."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from cockpit.sandbox.served.kube_failure import KubeFailure
from cockpit.sandbox.served.kube_kinds import BY_PLURAL, Kind

VERBS = {"PATCH": "patch", "PUT": "update", "DELETE": "delete", "POST": "create"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a kind, perhaps in a namespace, perhaps one object, perhaps something below it."""

    kind: Kind
    namespace: str | None
    name: str
    below: str

    @property
    def resource(self) -> str:
        """Return the resource as access rules name it."""
        return f"{self.kind.plural}/{self.below}" if self.below else self.kind.plural


def target(path: str) -> Target:
    """Read a path without its leading slash; a KubeFailure 404 when it names nothing that is served.

    >>> target("apis/apps/v1/namespaces/trading/deployments/api/scale").resource
    'deployments/scale'
    """
    parts = path.split("/")
    root, rest = (parts[:2], parts[2:]) if parts[0] == "api" else (parts[:3], parts[3:])
    namespace = None
    # /namespaces/NAME is the namespace itself; with more behind it, it is where something is.
    if len(rest) >= 3 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    kind = BY_PLURAL.get(rest[0]) if 1 <= len(rest) <= 3 and all(rest) else None
    if kind is None or kind.api_version != "/".join(root[1:]) or (namespace is not None and not kind.is_namespaced):
        raise KubeFailure(404, "the server could not find the requested resource")
    if len(rest) > 1 and kind.is_namespaced and namespace is None:
        raise KubeFailure(404, "the server could not find the requested resource")
    return Target(kind, namespace, rest[1] if len(rest) > 1 else "", rest[2] if len(rest) > 2 else "")


def verb(request: web.Request, name: str) -> str:
    """Return the verb that access rules know this request by."""
    if request.method == "GET":
        if is_watch(request):
            return "watch"
        return "get" if name else "list"
    return VERBS.get(request.method, request.method.lower())


def is_watch(request: web.Request) -> bool:
    """Say whether the request asks for a stream of changes."""
    return request.query.get("watch") in ("true", "1")


def is_table(request: web.Request) -> bool:
    """Say whether the caller wants rows rather than objects."""
    return "as=Table" in request.headers.get("Accept", "")


def is_dry(request: web.Request) -> bool:
    """Say whether nothing may really change."""
    return bool(request.query.get("dryRun"))
