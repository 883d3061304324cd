"""The cluster's control loop: wakes on changes, exits and what is due, and sets things right a step at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from cockpit.sandbox.ending import end
from cockpit.sandbox.served.kube_events import EventLog
from cockpit.sandbox.served.kube_kubelet import Kubelet
from cockpit.sandbox.served.kube_progress import Progress
from cockpit.sandbox.served.kube_replicas import owned_sets
from cockpit.sandbox.served.kube_rollout import Rollout
from cockpit.sandbox.served.kube_store import Store
from cockpit.sandbox.served.pods import PodRuntime

# Changes come in bursts (a patch, then each pod's status): gathering them costs no client any time it could notice.
GATHER_S = 0.02
AFTER_BUG_S = 1.0
MOST_STEPS = 40
log = logging.getLogger(__name__)


class Controller:
    """Keeps deployments, replica sets, pods and processes in line with one another."""

    def __init__(self, store: Store, runtime: PodRuntime) -> None:
        self._store = store
        self._waker = asyncio.Event()
        events = EventLog(store)
        self._rollout = Rollout(store, events)
        self._progress = Progress(store)
        self.kubelet = Kubelet(store, events, runtime, self._waker.set)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first pods start within this call."""
        self._store.listen(self._waker)
        self._pass()
        self._task = asyncio.create_task(self._run(), name="kubernetes controller")

    async def stop(self) -> None:
        """Stop deciding, then end every pod's process."""
        self._store.leave(self._waker)
        await end(self._task)
        await self.kubelet.stop()

    async def _run(self) -> None:
        due_s = 0.0
        while True:
            # Not wait_for(): before Python 3.12 it swallows a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due_s):
                    await self._waker.wait()
            await asyncio.sleep(GATHER_S)
            self._waker.clear()
            try:
                due_s = self._pass()
            except Exception:
                # A bug met in one odd state must not leave every pod without its keeper.
                log.exception("the controller's pass failed")
                due_s = AFTER_BUG_S

    def _pass(self) -> float:
        """Set right what can be set right now; return in how many seconds to look again unasked."""
        now_s = time.monotonic()
        for known in self._store.items("deployments"):
            self._settle(known["metadata"]["namespace"], known["metadata"]["name"])
        due_s = self.kubelet.look(now_s)
        for deployment in self._store.items("deployments"):
            for replica_set in owned_sets(self._store, deployment):
                self._rollout.sets.fill(replica_set)
            self._progress.report(deployment, now_s)
        return due_s

    def _settle(self, namespace: str, name: str) -> None:
        for _ in range(MOST_STEPS):
            deployment = self._store.get("deployments", namespace, name)
            if deployment is None:
                return
            has_acted = self._rollout.step(deployment)
            for replica_set in owned_sets(self._store, deployment):
                self._rollout.sets.fill(replica_set)
            if not has_acted:
                return
