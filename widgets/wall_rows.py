"""The wall as rows: a grid of panels where there is room, one line a panel where there is not."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from cockpit.model.severity import Severity
from themes.glyphs import SEVERITY
from widgets.band import band
from widgets.bars import columns
from widgets.box import age_words, border_ink, box
from widgets.figures import count, milliseconds, rate
from widgets.line import EMPTY, Line, both, cut, field, joined, line, number, pad, plain, tinted, width_of, wrapped
from widgets.panels.catalogue import PANELS, Panel
from widgets.panels.findings import advice, headline, job_line, short_advice
from widgets.scene import Scene
from widgets.view import EVERY_LINE, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from cockpit.model.finding import Finding

COLUMNS = 3
NARROWEST = 111
"""Below this width a third of it no longer holds a panel's table."""
LOWEST = 30
FROM_REDIS = ("brokers", "flow", "feeds", "risk")
"""Panels of other things whose data comes through Redis."""
NOT_CONFIGURED = "not configured"


class Shape(NamedTuple):
    """How a wall of some size is divided."""

    is_grid: bool
    band: int
    """Rows of the trading band."""
    heights: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()


def shape(width: int, height: int) -> Shape:
    """The division of `width` x `height` cells.

    >>> shape(120, 37)
    Shape(is_grid=True, band=3, heights=(12, 11, 11), widths=(40, 40, 40))
    >>> shape(80, 21)
    Shape(is_grid=False, band=3, heights=(), widths=())
    """
    if width < NARROWEST or height < LOWEST:
        return Shape(False, 3 if height >= 19 and width >= 60 else 0)
    rows = 6 if height >= 50 and width >= 150 else 3
    return Shape(True, rows, _shares(height - rows, len(PANELS) // COLUMNS), _shares(width, COLUMNS))


def _shares(total: int, parts: int) -> tuple[int, ...]:
    return tuple(total // parts + (1 if at < total % parts else 0) for at in range(parts))


def wall_rows(scene: Scene, width: int, height: int) -> list[Line]:
    """Exactly `height` rows."""
    division = shape(width, height)
    rows = band(scene, width, division.band) if division.band else []
    if division.is_grid:
        rows += _grid(scene, division)
    else:
        rows += _compact(scene, width, height - len(rows))
    return [*rows[:height], *([EMPTY] * (height - len(rows)))]


def _grid(scene: Scene, division: Shape) -> list[Line]:
    rows: list[Line] = []
    for at, height in enumerate(division.heights):
        boxes = [
            panel_box(scene, panel, width, height)
            for panel, width in zip(PANELS[at * COLUMNS : (at + 1) * COLUMNS], division.widths, strict=True)
        ]
        rows.extend([tuple(chain.from_iterable(parts)) for parts in zip(*boxes, strict=True)])
    return rows


def panel_box(scene: Scene, panel: Panel, width: int, height: int) -> list[Line]:
    """One panel with its border; stale data in stale ink, with the reason."""
    is_selected = scene.selected == panel.id
    view = scene.wall
    if view is None:
        return box(panel.title, None, ("starting", "dim"), [], width, height, is_selected)
    severity = severity_of(view, panel)
    right = panel_age(view, panel, width - len(panel.title) - 18)
    if panel.sample is None:
        right = (f"{len(view.snapshot.assessment.findings) or 'none'}", "label")
    body = panel_body(view, panel, width - 4, height - 2, scene.needle)
    return box(panel.title, severity, right, body, width, height, is_selected)


def severity_of(view: View, panel: Panel) -> Severity:
    """The panel's severity; findings have the worst of all. Never OK on evidence that is not live."""
    if panel.sample is None:
        return view.snapshot.assessment.severity
    severity = view.snapshot.assessment.panel(panel.id)
    is_live = view.is_live(getattr(view.snapshot, panel.sample))
    return Severity.UNKNOWN if severity is Severity.OK and not is_live else severity


def panel_body(view: View, panel: Panel, width: int, height: int, needle: str = "") -> list[Line]:
    """The panel's lines, filtered by `needle`, and honest about their age."""
    sample = getattr(view.snapshot, panel.sample) if panel.sample else None
    if needle:
        every = panel.lines(view, width, EVERY_LINE)
        found = [each for each in every if needle.casefold() in plain(each).casefold()]
        if not found and needle.casefold() in panel.title.casefold():
            found = every
        lines = found or [line((f"nothing here matches {needle}", "dim"))]
    else:
        lines = panel.lines(view, width, height)
    if sample is None or view.is_live(sample):
        return lines
    reason = [line((each, "warn")) for each in wrapped(why_silent(view, panel), width)] if sample.error else []
    if sample.value is None and not sample.error:
        reason = [line((unread(view, panel), "label"))]
    kept = panel.lines(view, width, height - len(reason)) if not needle else lines
    asides = panel.asides(view, width)
    return [*reason, *(each if each in asides else tinted(each, "stale") for each in kept)]


def panel_age(view: View, panel: Panel, room: int) -> tuple[str, str]:
    """What stands at the right of its title, and its ink; nothing where nobody is asked."""
    sample = getattr(view.snapshot, panel.sample) if panel.sample else None
    if sample is not None and sample.tried_at is None and unread(view, panel) == NOT_CONFIGURED:
        return "", "label"
    return age_words(sample, view.now, room)


def unread(view: View, panel: Panel) -> str:
    """Why there is nothing of a panel that nobody failed to read."""
    # Imported only here: the first frame, which has no data, does not wait for it.
    from cockpit.severity.silence import configured

    is_asked = view.settings is None or panel.sample in configured(view.settings)
    return "waiting for the first answer" if is_asked else NOT_CONFIGURED


def why_silent(view: View, panel: Panel) -> str:
    """Why the panel has no news; Redis' own address and error stand in Redis' panel alone.

    In any other they read as if the broker, or whatever the panel shows, had refused the cockpit.
    """
    sample = getattr(view.snapshot, panel.sample) if panel.sample else None
    if sample is None or not sample.error:
        return ""
    if panel.id in FROM_REDIS:
        for finding in view.snapshot.assessment.findings:
            if finding.rule in ("backend_silent", "backend_unusable") and finding.subject == "Redis":
                return finding.summary.partition(":")[0]
    return str(sample.error)


def _compact(scene: Scene, width: int, height: int) -> list[Line]:
    view = scene.wall
    panels = [panel for panel in PANELS if panel.sample is not None]
    if view is None:
        return [pad(line((f" {panel.short}", "title")), width) for panel in panels]
    panels.sort(key=lambda panel: severity_of(view, panel))
    rows = [_compact_row(scene, view, panel, width) for panel in panels]
    if scene.needle:
        rows = [row for row in rows if scene.needle.casefold() in plain(row).casefold()]
    rows.append(pad(line(("─" * width, border_ink(view.snapshot.assessment.severity, False))), width))
    return rows + _below(scene, view, width, height - len(rows))


def _compact_row(scene: Scene, view: View, panel: Panel, width: int) -> Line:
    assert panel.sample is not None
    glyph, word, ink = SEVERITY[severity_of(view, panel)]
    sample = getattr(view.snapshot, panel.sample)
    name = "title_selected" if scene.selected == panel.id else "title"
    words, age_ink = panel_age(view, panel, 14)
    room = width - 17 - width_of(line((words, age_ink))) - 2
    summary = _row_summary(view, panel, room)
    if not view.is_live(sample):
        error = line((why_silent(view, panel) or unread(view, panel), "warn" if sample.error else "label"))
        old = tinted(panel.summary(view, room), "stale")
        was = (("  was ", "label"), *old) if old else ()
        summary = (*error, *was) if sample.error else (error if sample.value is None else old)
    state = "?" if word == "unknown" else word
    pointer = "›" if scene.selected == panel.id else " "
    left = line((pointer, "accent"), (f"{glyph} ", ink), field(panel.short, 11, name), field(state, 3, ink), *summary)
    return both(left, line((words, age_ink), " "), width)


def _row_summary(view: View, panel: Panel, width: int) -> Line:
    """The panel's figures; behind what is wrong with it, where something is."""
    worst = next((each for each in view.snapshot.assessment.findings if each.panel == panel.id), None)
    if worst is None or worst.severity is not severity_of(view, panel):
        return panel.summary(view, width)
    head = line((worst.summary, SEVERITY[worst.severity][2]))
    room = width - width_of(head) - 3
    figures = panel.summary(view, room)
    return joined([head, figures]) if width_of(figures) <= room else cut(head, width)


def _below(scene: Scene, view: View, width: int, room: int) -> list[Line]:
    """Findings, then what happened last."""
    rows: list[Line] = []
    findings = view.snapshot.assessment.findings
    if scene.needle:
        findings = tuple(each for each in findings if scene.needle.casefold() in each.summary.casefold())
    jobs = view.snapshot.jobs
    kept = min(len(jobs), max(1, room // 3)) if jobs else 0
    if not findings and view.snapshot.assessment.findings:
        rows.append(line((f" no finding matches {scene.needle}", "dim")))
    elif not findings:
        panel = PANELS[-1]
        rows.append(line(" ", *panel.summary(view, width - 2)))
    for at, finding in enumerate(findings):
        if len(rows) >= room - kept:
            break
        if len(rows) == room - kept - 1 and at < len(findings) - 1:
            rows.append(line((f" and {len(findings) - at} more findings", "dim")))
            break
        rows.append(_finding(view, finding, width))
    rows.extend(line(" ", *job_line(job, view.now, width - 2)) for job in jobs[: room - len(rows)])
    left = room - len(rows)
    trends = _trends(view, width)[: max(0, left - 1)] if not scene.needle else []
    return [*rows, *([()] * (left - len(trends))), *trends]


def _trends(view: View, width: int) -> list[Line]:
    """A few series, one line each, for the room that is left."""
    limits = view.settings.thresholds.feed_lag_ms if view.settings else 100.0
    wanted: list[tuple[str, str, float | None, Callable[[float | None], str]]] = [
        ("fills/s", "fills_per_s", None, rate),
        ("in flight", "in_flight", None, count),
    ]
    for name in sorted(view.snapshot.trends):
        family, _, whose = name.partition(":")
        if family == "feed_lag_ms":
            wanted.append((f"{whose[:12]} lag", name, limits, milliseconds))
        elif family == "venue_latency_ms":
            wanted.append((f"{whose[:12]} latency", name, None, milliseconds))
    rows: list[Line] = []
    for label, name, hot, show in wanted:
        points = view.trend(name)
        if any(point is not None for point in points):
            rows.append(
                line(
                    "   ",
                    field(label, 20, "label"),
                    number(show(points[-1]), 9),
                    "  ",
                    *columns(points, width - 36, 1, hot, 0.0, steps=6)[0],
                )
            )
    return rows


def _finding(view: View, finding: Finding, width: int) -> Line:
    """One line; on a narrow wall the section's number stands for its name."""
    answer = advice(finding) if width >= 100 else short_advice(finding)
    room = width - 2 - (width_of(answer) + 2 if answer else 0)
    return line(" ", *pad(headline(finding, view.now, room, is_answered=bool(answer)), room), "  ", *answer)
