"""The two lines that are always on the screen: world, trading, the worst finding; readiness, jobs, ages, who."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.model.severity import Severity
from themes.glyphs import SEVERITY, WORLD
from widgets.figures import plural, short_age, whole_minutes
from widgets.incident_part import incident_part
from widgets.line import Line, both, cut, cut_text, fitted, joined, line, width_of
from widgets.panels.findings import clock
from widgets.scene import Scene
from widgets.trading import trading
from widgets.view import View

if TYPE_CHECKING:
    from cockpit.model.sample import Sample

BAR = (" │ ", "border")
ENOUGH = 26
"""So many cells for the worst finding are worth more than the clock or the site."""
LEAST = 4
WIDE = 110
"""From here on there is room to say what a second person is asked for."""
IN_DOUBT = "in doubt"
"""The phase by its word: the first frame, which has no jobs, does not wait for the class."""


def top_lines(scene: Scene, width: int) -> tuple[Line, Line]:
    """Both lines in exactly `width` cells; what matters less gives way first."""
    return _first(scene, width), _second(scene, width)


def _world(scene: Scene, has_site: bool = True) -> Line:
    if scene.world is None:
        return line(" ", ("starting", "label"))
    world = line((f" {scene.world.value} ", WORLD[scene.world]))
    # A sandbox is often called just that: said once is enough.
    is_other = scene.site.casefold() != scene.world.value.casefold()
    return line(*world, (f" {cut_site(scene.site)}", "strong")) if has_site and is_other else world


def cut_site(site: str) -> str:
    """A site's name, short enough for the top line."""
    return site if len(site) <= 16 else site[:15] + "…"


def _first(scene: Scene, width: int) -> Line:
    fixed, right = _kept(scene, width)
    room = width - width_of(fixed) - (width_of(right) + 6 if right else 3)
    times = _exchanges(scene) if right else ()
    worst = worst_finding(scene.live) if scene.live else ()
    if times and width_of(worst) + width_of(times) + 2 <= room:
        right = line(*times, ("  ", "text"), *right)
        room -= width_of(times) + 2
    worst = worst_finding(scene.live, room) if scene.live and room >= LEAST else ()
    return both(joined([fixed, worst], BAR), right, width)


def _kept(scene: Scene, width: int) -> tuple[Line, Line]:
    """World, site and state; and the clock. The clock gives way to the worst finding first, then the site does."""
    # While the wall is frozen nothing is sent that says nothing new: minutes will do, and no age that only grows.
    moment = clock(scene.now) if scene.frozen_since is None else clock(scene.now)[:5]
    utc = line((moment, "value"), (" UTC ", "label"))
    needed = min(ENOUGH, width_of(worst_finding(scene.live))) if scene.live else 0
    fixed: Line = ()
    for has_site, has_clock in ((True, True), (True, False), (False, False)):
        fixed = joined([_world(scene, has_site), _state(scene, True)], BAR)
        right = utc if has_clock else ()
        if width_of(fixed) + needed + (width_of(right) + 6 if right else 3) <= width:
            return fixed, right
    if width_of(fixed) <= width:
        return fixed, ()
    return joined([_world(scene, False), _state(scene, False)], ("", "border")), ()


def _state(scene: Scene, has_since: bool) -> Line:
    if not scene.live:
        return ()
    state = trading(scene.live)
    since = f" {_lasting(scene, state.since_s)}" if has_since and state.since_s is not None else ""
    return line((f" {state.glyph} {state.word}{since} ", state.block))


def _lasting(scene: Scene, seconds: float) -> str:
    return short_age(seconds) if scene.frozen_since is None else whole_minutes(seconds)


def _exchanges(scene: Scene) -> Line:
    if scene.live is None or scene.live.settings is None:
        return ()
    # Time zones are read from files: not before the first frame.
    from widgets.exchanges import exchange_times

    return exchange_times(scene.live.settings.exchanges, scene.now, scene.live.settings.holidays)


def worst_finding(view: View, width: int = 200) -> Line:
    """The worst severity with what caused it and the keys that answer it; the cause is cut before the keys are."""
    assessment = view.snapshot.assessment
    glyph, word, ink = SEVERITY[assessment.severity]
    if not assessment.findings:
        text = {Severity.OK: "nothing wrong", Severity.UNKNOWN: "not everything answers"}.get(assessment.severity, "")
        return cut(line((f"{glyph} {word} ", ink), (text, "label")), width)
    finding = assessment.findings[0]
    answer = finding.pressed or finding.section or ("by hand" if finding.by_hand else "")
    more = f" +{assessment.troubles - 1}" if assessment.troubles > 1 else ""
    tail = line((more, "label"), (f" › {answer}" if answer else "", "key"))
    severity = f"{glyph} {word} "
    if width < len(severity) + width_of(tail):
        # No room for any cause: what to press says more than how much else there is, but not in half.
        brief = line((severity.rstrip(), ink), (f" › {answer}" if answer else "", "key"))
        return brief if width_of(brief) <= width else cut(brief[:1], width)
    head = line((severity, ink), (finding.summary, "value"))
    return (*cut(head, width - width_of(tail)), *tail)


def _second(scene: Scene, width: int) -> Line:
    who = line((scene.operator, "text"), " ")
    if scene.live is None:
        newest = scene.progress[-1] if scene.progress else ""
        return both(line((f" {newest}", "label")), who, width)
    is_frozen = scene.frozen_since is not None
    first = [
        line((" halt: ", "label"), *(scene.readiness or line(("not known yet", "unknown")))),
        # Before all that is not so urgent: who asks waits ten minutes at most.
        *_requests(scene.live, width),
    ]
    room, jobs = width - width_of(who) - 1, _jobs(scene.live)
    left = room - width_of(joined([*first, line(" ")], BAR)) + 1
    incident = incident_part(scene.live, is_frozen, left, left - width_of(joined([line(" "), jobs], BAR)) + 1)
    parts = [*first, *incident, jobs, _oldest(scene.live, is_frozen)]
    return both(fitted(parts, room, BAR), who, width)


def _requests(view: View, width: int) -> list[Line]:
    """Somebody waits for a second person: whoever sits here could be it."""
    requests = view.snapshot.requests
    if not requests:
        return []
    more = f" +{len(requests) - 1}" if len(requests) > 1 else ""
    by = requests[0].by
    said = f"{by} asks for a second person{more}" if width >= WIDE else f"{cut_text(by, 8)} asks"
    return [line((said, "accent"), (" › a", "key"))]


def _jobs(view: View) -> Line:
    """What runs, and what nobody knows the end of: both are looked at on the jobs' screen."""
    if not view.snapshot.are_jobs_read:
        return line(("jobs ", "label"), ("not read yet", "unknown"))
    running = [job for job in view.snapshot.jobs if not job.phase.is_over]
    doubtful = [job for job in view.snapshot.jobs if job.phase == IN_DOUBT]
    if running:
        said = line((f"{plural(len(running), 'job')} running: {running[0].title}", "accent"))
    elif doubtful:
        said = line((f"{plural(len(doubtful), 'job')} IN DOUBT: {doubtful[0].title}", "unknown"))
    else:
        return line(("jobs ", "label"), ("0", "value"))
    return (*said, (" › 6", "key"))


def _oldest(view: View, is_frozen: bool) -> Line:
    """The age of the oldest thing that is known, and what it is when it is too old."""
    # Imported only here: the first frame, which has no data, does not wait for the facts' classes.
    from cockpit.model.snapshot import PROBES

    ages: list[tuple[float, str, Sample[object]]] = []
    silent: list[str] = []
    for name in PROBES:
        sample: Sample[object] = getattr(view.snapshot, name)
        age = sample.age_s(view.now)
        if age is not None:
            ages.append((age - sample.stale_after_s, name, sample))
        elif sample.error:
            silent.append(name)
    if silent:
        return line((f"{plural(len(silent), 'source')} never answered", "unknown"))
    if not ages:
        return line(("no data yet", "unknown"))
    _, name, sample = max(ages, key=lambda entry: entry[0])
    words = short_age(sample.age_s(view.now))
    if sample.is_stale(view.now):
        return line(("oldest data ", "label"), (f"{words} ({name.replace('_', ' ')})", "warn"))
    if is_frozen:
        return line(("data ", "label"), ("goes on behind", "value"))
    oldest = max(ages, key=lambda entry: entry[2].age_s(view.now) or 0.0)[2]
    return line(("oldest data ", "label"), (short_age(oldest.age_s(view.now)), "value"))
