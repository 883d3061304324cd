"""The sandbox's Kubernetes: its API, its controller and its pods, started and stopped as one."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from random import Random

import yaml
from aiohttp import web

from cockpit.sandbox.knobs import Gate
from cockpit.sandbox.served.certificate import self_signed
from cockpit.sandbox.served.kube_api import KubeApi, failing
from cockpit.sandbox.served.kube_controller import Controller
from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_replicas import owned_sets, revision
from cockpit.sandbox.served.kube_rollout import counts, newest
from cockpit.sandbox.served.kube_seed import DEPLOYMENTS, NAMESPACE, deployment, namespace
from cockpit.sandbox.served.kube_store import Store
from cockpit.sandbox.served.pods import PodRuntime
from cockpit.sandbox.served.web import HttpEndpoint

CONTEXT = "sandbox"


class KubernetesServer:
    """Serves deployments ws-gateway, router and api in namespace trading, over real processes."""

    def __init__(self, port: int, token: str, runtime: PodRuntime, gate: Callable[[], Gate], seed: int = 7) -> None:
        self._port = port
        self._token = token
        self._certificate = self_signed()
        # Names only: nothing secret comes of it, and a seeded sandbox names its pods the same each time.
        self._store = Store(Random(seed))  # noqa: S311
        self._controller = Controller(self._store, runtime)
        routes: list[web.AbstractRouteDef] = [web.route("*", "/{path:.*}", self._answer)]
        self._endpoint = HttpEndpoint(port, gate, routes, failing, self._certificate.context())
        self._api = KubeApi(self._store, self._controller.kubelet, token, self._endpoint.door.passage)

    async def start(self) -> None:
        """Start the pods and listen."""
        self._store.add("namespaces", namespace())
        for name, replicas, strategy in DEPLOYMENTS:
            self._store.add("deployments", deployment(name, replicas, strategy))
        self._controller.start()
        await self._endpoint.start()

    async def stop(self) -> None:
        """Listen no more and end every pod's process."""
        await self._endpoint.stop()
        await self._controller.stop()

    def write_kubeconfig(self, path: Path) -> None:
        """Write a kubeconfig (mode 0600) with one context, in the platform's namespace."""
        authority = base64.b64encode(self._certificate.certificate.encode()).decode()
        server = {"server": f"https://127.0.0.1:{self._port}", "certificate-authority-data": authority}
        context = {"cluster": CONTEXT, "user": "cockpit", "namespace": NAMESPACE}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": server}],
            "users": [{"name": "cockpit", "user": {"token": self._token}}],
            "contexts": [{"name": CONTEXT, "context": context}],
            "current-context": CONTEXT,
        }
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")

    def set_image(self, name: str, image: str) -> None:
        """Do what `kubectl set image` does: a new template, and with it a rollout."""

        def change(edited: Json) -> None:
            edited["spec"]["template"]["spec"]["containers"][0]["image"] = image

        self._edit(name, change)

    def image(self, name: str) -> str:
        """Return the image that a deployment asks for."""
        return str(self._known(name)["spec"]["template"]["spec"]["containers"][0]["image"])

    def undo(self, name: str) -> bool:
        """Do what `kubectl rollout undo` does: back to the revision before; False when there is none."""
        known = self._known(name)
        sets = owned_sets(self._store, known)
        new = newest(known, sets)
        before = [rs for rs in sets if new is None or revision(rs) < revision(new)]
        if not before:
            return False
        template = {**before[-1]["spec"]["template"]}
        labels = {k: v for k, v in template["metadata"]["labels"].items() if k != "pod-template-hash"}
        template["metadata"] = {**template["metadata"], "labels": labels}
        self._edit(name, lambda edited: edited["spec"].update(template=template))
        return True

    def forgive(self) -> None:
        """Start crashed containers again now, without waiting for their back-off."""
        self._controller.kubelet.forgive()

    def is_available(self) -> bool:
        """Say whether every deployment has all its pods ready."""
        known = self._store.items("deployments")
        return bool(known) and all(counts(self._store, item)[2] >= item["spec"]["replicas"] for item in known)

    def pods(self, name: str) -> list[str]:
        """Return the names of a deployment's pods that are not on their way out."""
        pods = self._store.items("pods", NAMESPACE)
        mine = [pod for pod in pods if pod["metadata"]["labels"].get("app") == name]
        return [pod["metadata"]["name"] for pod in mine if "deletionTimestamp" not in pod["metadata"]]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        return await self._api.answer(request)

    def _known(self, name: str) -> Json:
        known = self._store.get("deployments", NAMESPACE, name)
        if known is None:
            raise KeyError(f"no deployment {name}")
        return known

    def _edit(self, name: str, change: Callable[[Json], None]) -> None:
        self._known(name)
        self._store.edit("deployments", NAMESPACE, name, change)
