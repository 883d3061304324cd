"""Kubernetes: deployments, rollouts and pods; beside them the containers and the components' heartbeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.chart import LABEL
from widgets.figures import plural, short_age
from widgets.line import Line, both, field, fitted, line, number, width_of, wrapped
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.backends import Container, Deployment, Pod


def lines(view: View, width: int, height: int) -> list[Line]:
    """Deployments with what is wrong with them, containers, heartbeats, and pods where there is room."""
    cluster = view.snapshot.kubernetes.value
    rows: list[Line] = []
    if cluster is not None:
        for deployment in cluster.deployments:
            rows.extend(_deployment(deployment, width))
        rows.extend(
            line(("■ ", "crit"), field(name, width - 12, "value"), number("absent", 10, "crit"))
            for name in cluster.absent
        )
    rows.extend(beside(view, width))
    if cluster is not None:
        rows.extend(_pods([pod for each in cluster.deployments for pod in each.pods], width, height - len(rows)))
    return rows[:height]


def beside(view: View, width: int) -> list[Line]:
    """What Docker and the components themselves say."""
    return [*_containers(view, width), *_heartbeats(view, width)]


def mark(deployment: Deployment) -> tuple[str, str]:
    """Glyph and ink of a deployment."""
    if deployment.desired and deployment.ready == 0:
        return "■", "crit"
    if deployment.ready < deployment.desired or deployment.rollout == "stalled":
        return "▲", "warn"
    return ("●", "ok") if deployment.rollout == "complete" else ("▲", "notice")


def _deployment(deployment: Deployment, width: int) -> list[Line]:
    glyph, ink = mark(deployment)
    restarts = sum(pod.restarts for pod in deployment.pods)
    if deployment.rollout != "complete":
        note, note_ink = f"rollout {deployment.rollout}", "warn"
    elif deployment.restarted_age_s is not None:
        note, note_ink = f"rolled out {short_age(deployment.restarted_age_s)} ago", "label"
    else:
        note, note_ink = plural(restarts, "restart"), "warn" if restarts else "label"
    name = min(14, width - 26)
    rows = [
        line(
            (f"{glyph} ", ink),
            field(deployment.name, name, "value"),
            number(f"{deployment.ready}/{deployment.desired}", 4, ink if ink != "ok" else "value"),
            ("  ", "text"),
            (note, note_ink),
        )
    ]
    reasons = sorted({pod.reason for pod in deployment.pods if pod.reason and not pod.is_ready})
    words = ", ".join(reasons) or (deployment.message if ink != "ok" else None)
    if words:
        rows.append(line((f"  {words}", "warn")))
    return rows


def _containers(view: View, width: int) -> list[Line]:
    sample = view.snapshot.docker
    is_live = view.is_live(sample)
    why = [] if is_live or not sample.error else wrapped(f"docker: {sample.error}", width)
    reason = [line((each, "warn")) for each in why]
    if sample.value is None:
        return reason
    late = "" if is_live else f" ({short_age(sample.age_s(view.now))} ago)"
    return [*(row for each in sample.value.containers for row in _container(each, width, is_live, late)), *reason]


def _container(container: Container, width: int, is_live: bool, late: str) -> list[Line]:
    is_running = container.state == "running"
    glyph, ink = ("●", "ok") if is_running else ("■", "crit")
    if not is_live:
        glyph, ink = "?", "unknown"
    words = (container.status or container.state) + late
    name = line((f"{glyph} ", ink), (container.name, "value"), (" docker", "label"))
    said = line((words, "label" if is_running and is_live else ink))
    if width_of(name) + 2 + width_of(said) > width:
        name = line((f"{glyph} ", ink), (container.name, "value"))
    if width_of(name) + 1 + width_of(said) > width:
        return [name, line("  ", *said)]
    return [both(name, said, width)]


def _heartbeats(view: View, width: int) -> list[Line]:
    sample = view.snapshot.heartbeats
    if not sample.value:
        return []
    limit = view.settings.thresholds.heartbeat_s if view.settings else 5.0
    extra = sample.age_s(view.now) or 0.0
    ages = {beat.component: beat.age_s for beat in sample.value}
    late = {name: age for name, age in ages.items() if age is None or age > limit}
    label = field("beats", LABEL, "label")
    if not view.is_live(sample):
        return [line(label, (f"not heard for {short_age(extra)}", "unknown"))]
    if late:
        words = ", ".join(
            f"{name} {'never heard' if age is None else f'silent {short_age(age)}'}" for name, age in late.items()
        )
        return [line(label, (words, "crit"))]
    oldest = max(ages, key=lambda name: ages[name] or 0.0)
    all_well = line(label, (f"{len(ages)} of {len(ages)}", "ok"), (f", oldest {short_age(ages[oldest])}", "label"))
    named = (*all_well, (f" {oldest}", "label"))
    return [named if width_of(named) <= width else all_well]


def _pods(pods: list[Pod], width: int, room: int) -> list[Line]:
    if room < 4 or width < 50 or not pods:
        return []
    ordered = sorted(pods, key=lambda pod: (pod.is_ready, -pod.restarts))
    shown = ordered if len(ordered) <= room - 2 else ordered[: room - 3]
    rows: list[Line] = [
        (),
        line(
            field("pod", width - 28, "label"),
            field("phase", 10, "label"),
            number("restarts", 9, "label"),
            number("age", 9, "label"),
        ),
    ]
    for pod in shown:
        ink = "ok" if pod.is_ready else "warn"
        rows.append(
            line(
                field(pod.name, width - 28, "text"),
                field(pod.reason if pod.reason and not pod.is_ready else pod.phase, 10, ink),
                number(str(pod.restarts), 9, "warn" if pod.restarts else "value"),
                number(short_age(pod.age_s), 9, "text"),
            )
        )
    if len(shown) < len(ordered):
        rows.append(line((f"and {len(ordered) - len(shown)} more", "dim")))
    return rows


def summary(view: View, width: int) -> Line:
    """Ready pods of each deployment."""
    cluster = view.snapshot.kubernetes.value
    parts: list[Line] = []
    if cluster is not None:
        parts.extend(line((f"{name} absent", "crit")) for name in cluster.absent)
        for deployment in cluster.deployments:
            _, ink = mark(deployment)
            ready = f"{deployment.ready}/{deployment.desired}"
            parts.append(line((f"{deployment.name} ", "text"), (ready, "value" if ink == "ok" else ink)))
    docker = view.snapshot.docker
    if docker.error and not view.is_live(docker):
        parts.append(line(("docker ", "text"), ("unknown", "unknown")))
    if docker.value and view.is_live(docker):
        parts.extend(line((f"{c.name} {c.state}", "crit")) for c in docker.value.containers if c.state != "running")
    return fitted(parts, width)
