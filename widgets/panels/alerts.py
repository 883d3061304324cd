"""Alerts: what Grafana says, worst first; NoData is not OK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from themes.glyphs import Mark
from widgets.figures import plural, short_age
from widgets.line import Line, both, fitted, joined, line
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.backends import AlertRule, Alerts

_MARKS = {
    "firing": Mark("▲", "FIRING", "warn"),
    "error": Mark("▲", "error", "warn"),
    "nodata": Mark("?", "no data", "unknown"),
    "unknown": Mark("?", "unknown", "unknown"),
    "pending": Mark("◆", "pending", "notice"),
    "recovering": Mark("◆", "recovering", "notice"),
    "silenced": Mark("◇", "silenced", "label"),
    "normal": Mark("●", "normal", "ok"),
}
_ORDER = tuple(_MARKS)


def mark(rule: AlertRule) -> Mark:
    """How a rule's state looks; how bad it is for the platform is the panel's own word."""
    return _MARKS.get(rule.state, Mark("?", rule.state, "unknown"))


def ordered(rules: tuple[AlertRule, ...]) -> list[AlertRule]:
    """The rules, those that matter first."""
    return sorted(
        rules,
        key=lambda rule: (
            _ORDER.index(rule.state) if rule.state in _ORDER else 2,
            rule.severity != "critical",
            rule.name,
        ),
    )


def lines(view: View, width: int, height: int) -> list[Line]:
    """A rule a line, and the counts."""
    alerts = view.snapshot.alerts.value
    if alerts is None:
        return []
    rows: list[Line] = []
    if not alerts.is_database_ok:
        rows.append(line((f"{alerts.source}'s database does not answer", "warn")))
    listed = ordered(alerts.rules)
    room = height - len(rows) - 2
    shown = listed if len(listed) <= room else listed[: max(1, room - 1)]
    for rule in shown:
        rows.extend(_rule(rule, width, is_wordy=len(listed) * 2 <= room))
    if len(shown) < len(listed):
        rows.append(line((f"and {len(listed) - len(shown)} more rules", "dim")))
    if not listed:
        rows.append(line((f"{alerts.source} has no alert rules", "unknown")))
    rows.append(_counts(alerts))
    return rows[:height]


def _rule(rule: AlertRule, width: int, is_wordy: bool) -> list[Line]:
    glyph, word, ink = mark(rule)
    since = f" {short_age(rule.since_s)}" if rule.since_s is not None and rule.state != "normal" else ""
    name = line((f"{glyph} ", ink), (rule.name, "value" if ink != "ok" else "text"))
    row = both(name, line((word, ink), (since, "value")), width)
    if is_wordy and rule.summary and rule.state != "normal":
        return [row, line((f"  {rule.summary}", "label"))]
    return [row]


def _counts(alerts: Alerts) -> Line:
    counted = ((state, alerts.count(state)) for state in ("firing", "pending", "nodata", "unknown", "silenced"))
    parts = [line((f"{count} {_MARKS[state].word.lower()}", _MARKS[state].ink)) for state, count in counted if count]
    return joined([line((plural(len(alerts.rules), "rule"), "label")), *(parts or [line(("none fires", "label"))])])


def summary(view: View, width: int) -> Line:
    """What fires, by name, else the counts."""
    alerts = view.snapshot.alerts.value
    if alerts is None:
        return ()
    firing = [rule for rule in ordered(alerts.rules) if rule.state in ("firing", "error", "nodata", "unknown")]
    if not firing:
        return line((f"{len(alerts.rules)} rules, none fires", "text"))
    return fitted(
        [
            line((f"{mark(r).word} ", mark(r).ink), (r.name, "value"), (f" {short_age(r.since_s)}", "label"))
            for r in firing
        ],
        width,
    )
