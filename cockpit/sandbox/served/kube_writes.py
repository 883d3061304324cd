"""Changes that callers make to deployments: patches, replacements, scaling; checked before they are kept."""

from __future__ import annotations

from cockpit.sandbox.served.kube_failure import KubeFailure
from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_patch import patched
from cockpit.sandbox.served.kube_requests import Target
from cockpit.sandbox.served.kube_seed import MOST_REPLICAS
from cockpit.sandbox.served.kube_store import Store
from cockpit.sandbox.served.web import json_object

KEPT_METADATA = ("name", "namespace", "uid", "creationTimestamp", "generation")


class Writes:
    """Applies what callers ask for, whole or not at all."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def change(self, target: Target, content_type: str, raw: bytes, *, is_patch: bool, is_dry: bool) -> Json:
        """Patch or replace an object or its scale; return what the caller gets back."""
        before = found(self._store, target)
        shown = scale(before) if target.below == "scale" else before
        try:
            wanted = patched(shown, content_type, raw) if is_patch else json_object(raw)
        except ValueError as problem:
            raise KubeFailure(400, f"the body cannot be read: {problem}") from problem
        metadata = wanted.get("metadata")
        if not isinstance(metadata, dict) or not isinstance(wanted.get("spec"), dict):
            raise self._invalid(target, "metadata and spec must be objects")
        version = metadata.get("resourceVersion") or before["metadata"]["resourceVersion"]
        if version != before["metadata"]["resourceVersion"]:
            said = "the object has been modified; please apply your changes to the latest version and try again"
            kind = target.kind
            message = f'Operation cannot be fulfilled on {kind.plural}.{kind.group} "{target.name}": {said}'
            raise KubeFailure(409, message, kind.plural, target.name)
        if target.below == "scale":
            body = {**before, "spec": {**before["spec"], "replicas": wanted["spec"].get("replicas", 0)}}
        else:
            body = _kept(before, wanted)
        self._check(target, before, body)
        after = body if is_dry or body == before else self._store.replace(target.kind.plural, body)
        return scale(after) if target.below == "scale" else after

    def _check(self, target: Target, before: Json, body: Json) -> None:
        spec = body["spec"]
        replicas = spec.get("replicas")
        if not isinstance(replicas, int) or isinstance(replicas, bool) or not 0 <= replicas <= MOST_REPLICAS:
            raise self._invalid(target, f"spec.replicas: must be 0 to {MOST_REPLICAS} (each is a real process)")
        if spec.get("selector") != before["spec"]["selector"]:
            raise self._invalid(target, "spec.selector: field is immutable")
        try:
            template = spec["template"]
            containers = [(str(item["name"]), item["image"]) for item in template["spec"]["containers"]]
            labels = template["metadata"]["labels"]
            is_matched = all(labels.get(key) == value for key, value in spec["selector"]["matchLabels"].items())
            env_is_read = all("name" in entry for entry in template["spec"]["containers"][0].get("env") or [])
        except (KeyError, TypeError, AttributeError, IndexError) as problem:
            raise self._invalid(target, "spec.template: is not complete") from problem
        if len(containers) != 1 or not isinstance(containers[0][1], str) or not containers[0][1] or not env_is_read:
            raise self._invalid(target, "spec.template.spec.containers: exactly one, with name and image")
        if not (_is_text_map(labels) and _is_text_map(template["metadata"].get("annotations"))):
            raise self._invalid(target, "spec.template.metadata: labels and annotations must be texts")
        if not is_matched:
            raise self._invalid(target, "spec.template.metadata.labels: selector does not match")
        self._check_numbers(target, spec)

    def _check_numbers(self, target: Target, spec: Json) -> None:
        strategy = spec.get("strategy")
        if not isinstance(strategy, dict) or strategy.get("type") not in ("RollingUpdate", "Recreate"):
            raise self._invalid(target, "spec.strategy.type: must be RollingUpdate or Recreate")
        if not isinstance(strategy.get("rollingUpdate") or {}, dict):
            raise self._invalid(target, "spec.strategy.rollingUpdate: must be an object")
        grace = spec["template"]["spec"].get("terminationGracePeriodSeconds", 0)
        limits = [grace, spec.get("progressDeadlineSeconds", 0), spec.get("revisionHistoryLimit", 0)]
        bounds = (strategy.get("rollingUpdate") or {}).values()
        limits += [int(v[:-1]) if isinstance(v, str) and v[:-1].isdigit() else v for v in bounds]
        if not all(isinstance(value, int) and value >= 0 for value in limits):
            raise self._invalid(target, "spec: times, limits and bounds must be whole numbers, none negative")

    def _invalid(self, target: Target, problem: str) -> KubeFailure:
        kind = target.kind
        message = f'{kind.name}.{kind.group} "{target.name}" is invalid: {problem}'
        return KubeFailure(422, message, kind.plural, target.name)


def found(store: Store, target: Target) -> Json:
    """Return the object that a target names; a KubeFailure 404 when there is none."""
    item = store.get(target.kind.plural, target.namespace or "", target.name)
    if item is None:
        kind = target.kind
        full = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
        raise KubeFailure(404, f'{full} "{target.name}" not found', kind.plural, target.name)
    return item


def scale(deployment: Json) -> Json:
    """Return a deployment's Scale."""
    metadata, match = deployment["metadata"], deployment["spec"]["selector"]["matchLabels"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    replicas = deployment["spec"]["replicas"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept},
        # As a real server has it: a 0 is left out here, while the deployment itself shows it.
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": (deployment.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in match.items()),
        },
    }


def _kept(before: Json, wanted: Json) -> Json:
    """Return the wanted object with what callers cannot change as it was."""
    metadata = {**wanted["metadata"], **{key: before["metadata"][key] for key in KEPT_METADATA}}
    metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
    for field in ("labels", "annotations"):
        if not _is_text_map(metadata.get(field)):
            raise KubeFailure(400, f"metadata.{field} must be an object of texts")
    top = {"kind": before["kind"], "apiVersion": before["apiVersion"], "status": before["status"]}
    return {**wanted, **top, "metadata": metadata}


def _is_text_map(value: object) -> bool:
    return value is None or (isinstance(value, dict) and all(isinstance(item, str) for item in value.values()))
