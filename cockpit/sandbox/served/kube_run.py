"""One pod's container over its restarts: what has happened to it, and what its status says of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from cockpit.sandbox.served.kube_kinds import Json
from cockpit.sandbox.served.kube_store import stamp
from cockpit.sandbox.served.pods import PodProcess

READY_AFTER_S = 0.5
"""A pod is never ready sooner than this after its process has started."""
STABLE_AFTER_S = 30.0
"""A process that lived this long is forgiven its earlier crashes."""
BACK_OFF_S = (0.0, 1.0, 2.0, 4.0, 5.0)
"""Kubernetes takes 10 s to 5 min; a drill has no such time."""
PULL_ERROR_S = 1.0
"""How long a bad image reads ErrImagePull before it reads ImagePullBackOff."""

Phase = Literal["pulling", "bad-image", "running", "waiting", "ended"]


@dataclass(slots=True)
class Run:
    """The container of one pod; times ending in _s are of the monotonic clock."""

    image: str
    since_s: float
    phase: Phase = "pulling"
    process: PodProcess | None = None
    started_at: datetime | None = None
    crashes: int = 0
    restarts: int = 0
    last: Json | None = None
    previous_lines: list[str] = field(default_factory=list)
    kill_at_s: float | None = None
    is_ready: bool = False
    ready_since: str = field(default_factory=stamp)

    def began(self, process: PodProcess, now_s: float) -> None:
        """Take note of a process that has just been started."""
        self.process, self.phase, self.since_s = process, "running", now_s
        self.started_at = datetime.now(UTC)

    def failed_to_begin(self, problem: str, now_s: float) -> None:
        """Take note of a process that could not be started."""
        self.last = _terminated(128, "StartError", None, problem)
        self._back_off(now_s)

    def exited(self, code: int, now_s: float) -> None:
        """Take note of the process' end."""
        if self.process is not None:
            self.previous_lines = self.process.log_lines(200)
        if now_s - self.since_s >= STABLE_AFTER_S:
            self.crashes = 0
        code = 128 - code if code < 0 else code
        self.last = _terminated(code, "Completed" if code == 0 else "Error", self.started_at)
        self._back_off(now_s)

    def ended(self) -> None:
        """Take note that the pod's process has ended for good."""
        self.phase, self.process, self.is_ready = "ended", None, False

    @property
    def back_off_s(self) -> float:
        """How long the container is held back after its latest crash."""
        return BACK_OFF_S[min(self.crashes, len(BACK_OFF_S)) - 1] if self.crashes else 0.0

    def judge(self, now_s: float) -> None:
        """Look whether the container is ready."""
        process = self.process
        lived = self.phase == "running" and now_s - self.since_s >= READY_AFTER_S
        is_ready = lived and process is not None and process.is_alive and process.is_ready
        if is_ready != self.is_ready:
            self.is_ready, self.ready_since = is_ready, stamp()

    def due_s(self, now_s: float) -> float:
        """Return in how many seconds this pod must be looked at again without being asked."""
        due = 1.0
        if self.phase == "running" and not self.is_ready:
            due = max(0.05, min(0.25, self.since_s + READY_AFTER_S - now_s))
        elif self.phase == "waiting":
            due = self.since_s + self.back_off_s - now_s
        elif self.phase == "bad-image":
            due = 0.5
        if self.kill_at_s is not None:
            due = min(due, self.kill_at_s - now_s)
        return due

    def status(self, pod: Json, now_s: float) -> Json:
        """Return the pod's status as the API shows it."""
        name = pod["spec"]["containers"][0]["name"]
        is_running = self.phase == "running"
        container: Json = {
            "name": name,
            "image": self.image,
            "imageID": f"sandbox://{self.image}" if self.started_at is not None else "",
            "ready": self.is_ready,
            "started": is_running,
            "restartCount": self.restarts,
            "state": self._state(pod, name, now_s),
            "lastState": {"terminated": self.last} if self.last is not None and self.phase != "ended" else {},
        }
        if is_running and self.process is not None:
            container["containerID"] = f"process://{self.process.pid}"
        return {
            "phase": "Running" if self.started_at is not None else "Pending",
            "conditions": self._conditions(pod, name),
            "hostIP": "127.0.0.1",
            "podIP": "127.0.0.1",
            "podIPs": [{"ip": "127.0.0.1"}],
            "startTime": pod["metadata"]["creationTimestamp"],
            "containerStatuses": [container],
            "qosClass": "BestEffort",
        }

    def _back_off(self, now_s: float) -> None:
        self.crashes += 1
        self.process, self.phase, self.since_s, self.is_ready = None, "waiting", now_s, False
        self.ready_since = stamp()

    def _state(self, pod: Json, name: str, now_s: float) -> Json:
        if self.phase == "running":
            return {"running": {"startedAt": stamp(self.started_at)}}
        if self.phase == "ended":
            return {"terminated": self.last or _terminated(0, "Completed", self.started_at)}
        if self.phase == "waiting":
            about = f"container={name} pod={pod['metadata']['name']}_{pod['metadata']['namespace']}"
            message = f"back-off {self.back_off_s:g}s restarting failed {about}"
            return {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        if self.phase == "bad-image":
            if now_s - self.since_s < PULL_ERROR_S:
                message = f'failed to pull and unpack image "{self.image}": not found'
                return {"waiting": {"reason": "ErrImagePull", "message": message}}
            message = f'Back-off pulling image "{self.image}"'
            return {"waiting": {"reason": "ImagePullBackOff", "message": message}}
        return {"waiting": {"reason": "ContainerCreating"}}

    def _conditions(self, pod: Json, name: str) -> list[Json]:
        created = pod["metadata"]["creationTimestamp"]
        ready: Json = {"status": "True" if self.is_ready else "False", "lastTransitionTime": self.ready_since}
        if not self.is_ready:
            ready |= {"reason": "ContainersNotReady", "message": f"containers with unready status: [{name}]"}
        done = {"status": "True", "lastTransitionTime": created}
        return [
            {"type": "Initialized", "lastProbeTime": None, **done},
            {"type": "Ready", "lastProbeTime": None, **ready},
            {"type": "ContainersReady", "lastProbeTime": None, **ready},
            {"type": "PodScheduled", "lastProbeTime": None, **done},
        ]


def _terminated(code: int, reason: str, started_at: datetime | None, message: str = "") -> Json:
    state: Json = {
        "exitCode": code,
        "reason": reason,
        "startedAt": stamp(started_at) if started_at is not None else None,
        "finishedAt": stamp(),
    }
    if message:
        state["message"] = message
    return state
