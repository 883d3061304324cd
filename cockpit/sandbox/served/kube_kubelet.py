"""Runs the pods: starts their processes, restarts what crashes, ends what is deleted, reports how they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cockpit.sandbox.served.kube_events import EventLog
from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_run import Run
from cockpit.sandbox.served.kube_seed import has_image
from cockpit.sandbox.served.kube_store import Store
from cockpit.sandbox.served.pods import PodProcess, PodRuntime

STOP_WITHIN_S = 1.0


class Kubelet:
    """Brings the processes in line with the pods in the store, one look at a time."""

    def __init__(self, store: Store, events: EventLog, runtime: PodRuntime, wake: Callable[[], None]) -> None:
        self._store = store
        self._events = events
        self._runtime = runtime
        self._wake = wake
        self._runs: dict[str, Run] = {}
        self._exits: dict[int, asyncio.Task[None]] = {}

    def look(self, now_s: float) -> float:
        """Do what is due for every pod; return in how many seconds something is due again."""
        due_s = 1.0
        for pod in self._store.items("pods"):
            uid = pod["metadata"]["uid"]
            run = self._runs.get(uid)
            if run is None:
                run = self._runs[uid] = Run(image=pod["spec"]["containers"][0]["image"], since_s=now_s)
            self._advance(pod, run, now_s)
            if "deletionTimestamp" in pod["metadata"] and run.phase == "ended":
                self._forget(pod)
                continue
            run.judge(now_s)
            self._report(pod, run, now_s)
            due_s = min(due_s, run.due_s(now_s))
        return max(0.0, due_s)

    def log_lines(self, pod: Json, count: int, *, is_previous: bool) -> list[str] | None:
        """Return a pod's last lines of output, or of its process before; None when there is no such process."""
        run = self._runs.get(pod["metadata"]["uid"])
        if run is None:
            return None
        if is_previous or run.process is None:
            return run.previous_lines[-count:] if run.last is not None else None
        return run.process.log_lines(count)

    def forgive(self) -> None:
        """Hold no container back for its crashes any longer: what made them crash is gone."""
        for run in self._runs.values():
            run.crashes = 0
        self._wake()

    async def stop(self) -> None:
        """End every process: politely first, then by force."""
        processes = [run.process for run in self._runs.values() if run.process is not None]
        for process in processes:
            process.terminate()
        waits = list(self._exits.values())
        if waits:
            await asyncio.wait(waits, timeout=STOP_WITHIN_S)
        for process in processes:
            if process.is_alive:
                process.kill()
        if waits:
            await asyncio.wait(waits, timeout=STOP_WITHIN_S)
        for task in waits:
            task.cancel()

    def _advance(self, pod: Json, run: Run, now_s: float) -> None:
        if "deletionTimestamp" in pod["metadata"]:
            self._end(pod, run, now_s)
        elif run.phase == "pulling":
            self._pull(pod, run, now_s)
        elif run.phase == "running" and run.process is not None and not run.process.is_alive:
            run.exited(run.process.exit_code or 0, now_s)
            if run.back_off_s > 0:
                name = pod["spec"]["containers"][0]["name"]
                self._events.note(pod, "BackOff", f"Back-off restarting failed container {name}", is_warning=True)
        if run.phase == "waiting" and now_s >= run.since_s + run.back_off_s:
            run.restarts += 1
            self._begin(pod, run, now_s)

    def _pull(self, pod: Json, run: Run, now_s: float) -> None:
        if has_image(run.image):
            self._begin(pod, run, now_s)
        else:
            run.phase, run.since_s = "bad-image", now_s
            self._events.note(pod, "Failed", f'Failed to pull image "{run.image}": not found', is_warning=True)

    def _begin(self, pod: Json, run: Run, now_s: float) -> None:
        container = pod["spec"]["containers"][0]
        env = {str(entry["name"]): str(entry.get("value", "")) for entry in container.get("env") or []}
        try:
            process = self._runtime.start(pod["metadata"]["name"], pod["metadata"]["labels"]["app"], env)
        except OSError as problem:
            run.failed_to_begin(str(problem), now_s)
            return
        run.began(process, now_s)
        self._watch(process)
        self._events.note(pod, "Started", f"Started container {container['name']}")

    def _watch(self, process: PodProcess) -> None:
        async def wait() -> None:
            await process.wait()
            self._wake()

        task = asyncio.create_task(wait(), name=f"exit of {process.pid}")
        self._exits[id(task)] = task
        task.add_done_callback(lambda done: self._exits.pop(id(done), None))

    def _end(self, pod: Json, run: Run, now_s: float) -> None:
        process = run.process
        if process is None or not process.is_alive:
            if process is not None:
                run.exited(process.exit_code or 0, now_s)
            run.ended()
        elif run.kill_at_s is None:
            run.kill_at_s = now_s + float(pod["metadata"].get("deletionGracePeriodSeconds", 0))
            process.terminate()
            self._events.note(pod, "Killing", f"Stopping container {pod['spec']['containers'][0]['name']}")
        elif now_s >= run.kill_at_s:
            process.kill()
            run.kill_at_s = now_s + 1.0

    def _forget(self, pod: Json) -> None:
        metadata = pod["metadata"]
        self._store.remove("pods", metadata["namespace"], metadata["name"])
        self._runs.pop(metadata["uid"], None)

    def _report(self, pod: Json, run: Run, now_s: float) -> None:
        status = run.status(pod, now_s)
        metadata = pod["metadata"]
        self._store.edit("pods", metadata["namespace"], metadata["name"], lambda edited: edited.update(status=status))
