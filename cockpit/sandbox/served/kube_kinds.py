"""The kinds that the Kubernetes API serves, how discovery describes them, and what the user may do with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One served resource."""

    plural: str
    singular: str
    name: str
    group: str
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    is_namespaced: bool = True
    verbs: tuple[str, ...] = ("get", "list", "watch")
    subresources: tuple[tuple[str, str, str], ...] = ()
    """Name, kind and group/version of what lies below an object of this kind."""

    @property
    def api_version(self) -> str:
        """Return the apiVersion that objects of this kind carry."""
        return f"{self.group}/v1" if self.group else "v1"


KINDS = (
    Kind("namespaces", "namespace", "Namespace", "", ("ns",), (), is_namespaced=False),
    Kind(
        "pods",
        "pod",
        "Pod",
        "",
        ("po",),
        ("all",),
        verbs=("delete", "get", "list", "watch"),
        subresources=(("log", "Pod", ""),),
    ),
    Kind("events", "event", "Event", "", ("ev",)),
    Kind(
        "deployments",
        "deployment",
        "Deployment",
        "apps",
        ("deploy",),
        ("all",),
        verbs=("get", "list", "patch", "update", "watch"),
        subresources=(("scale", "Scale", "autoscaling/v1"), ("status", "Deployment", "")),
    ),
    Kind("replicasets", "replicaset", "ReplicaSet", "apps", ("rs",), ("all",)),
)
BY_PLURAL = {kind.plural: kind for kind in KINDS}

# What the sandbox's user is allowed, by group and resource: what an operator's role on a real cluster would be.
ALLOWED: dict[tuple[str, str], tuple[str, ...]] = {
    **{(kind.group, kind.plural): kind.verbs for kind in KINDS},
    ("", "pods/log"): ("get",),
    ("apps", "deployments/scale"): ("get", "patch", "update"),
    ("apps", "deployments/status"): ("get",),
    ("authorization.k8s.io", "selfsubjectaccessreviews"): ("create",),
}
READING = ("get", "list", "watch")

VERSION: Json = {
    "major": "1",
    "minor": "33",
    "gitVersion": "v1.33.0+sandbox",
    "gitCommit": "sandbox",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}


def is_allowed(verb: str, group: str, resource: str, namespace: str, home: str) -> bool:
    """Say whether the user may do this: read anywhere, change only in the home namespace."""
    if verb not in ALLOWED.get((group, resource), ()):
        return False
    return verb in READING or namespace == home or resource == "selfsubjectaccessreviews"


def discovery(path: str) -> Json | None:
    """Return the discovery document at a path, None where there is none."""
    if path == "api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "apis":
        groups = [_group("apps"), _group("authorization.k8s.io")]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    if path in ("apis/apps", "apis/authorization.k8s.io"):
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(path.removeprefix("apis/"))}
    if path == "apis/authorization.k8s.io/v1":
        return _resources("authorization.k8s.io/v1", [_entry("selfsubjectaccessreviews", "SelfSubjectAccessReview")])
    if path in ("api/v1", "apis/apps/v1"):
        group = "" if path == "api/v1" else "apps"
        entries = [entry for kind in KINDS if kind.group == group for entry in _entries(kind)]
        return _resources("v1" if not group else f"{group}/v1", entries)
    return None


def _group(name: str) -> Json:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resources(group_version: str, entries: list[Json]) -> Json:
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": entries}


def _entry(name: str, kind: str) -> Json:
    return {"name": name, "singularName": "", "namespaced": False, "kind": kind, "verbs": ["create"]}


def _entries(kind: Kind) -> list[Json]:
    main: Json = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.is_namespaced,
        "kind": kind.name,
        "verbs": list(kind.verbs),
    }
    # Only where there are any, and never on subresources: kubectl warns of ambiguous short names otherwise.
    if kind.short:
        main["shortNames"] = list(kind.short)
    if kind.categories:
        main["categories"] = list(kind.categories)
    below = []
    for name, below_kind, group_version in kind.subresources:
        path = f"{kind.plural}/{name}"
        verbs = list(ALLOWED.get((kind.group, path), ()))
        entry: Json = {"name": path, "singularName": "", "namespaced": True, "kind": below_kind, "verbs": verbs}
        if group_version:
            entry["group"], _, entry["version"] = group_version.partition("/")
        below.append(entry)
    return [main, *below]
