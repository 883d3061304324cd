"""What is asked when an incident is opened, changed or closed, and what is then done with the answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from cockpit.alerting.names import UNKNOWN_HELD, names_held
from cockpit.incidents.closing import NO_CAUSE
from cockpit.incidents.loss import Loss, measured
from cockpit.incidents.opening import unknown_section
from cockpit.incidents.spans import clock
from cockpit.model.incident import ROLES, Incident
from cockpit.model.severity import Severity
from cockpit.screens.form import Answers, Ask, Form, FormScreen
from widgets.field import Field

if TYPE_CHECKING:
    from cockpit.incidents.closing import Lack
    from cockpit.screens.ports import IncidentsPort
    from cockpit.screens.wall import Wall

SEVERITIES = ("P1", "P2", "P3", "P4")
SEVERITY_HINT = "P1 critical, P2 high, P3 medium, P4 low"
SECTION_HINT = "3.1 broker, 3.2 feed, 3.3 Redis, 3.4 Postgres, 3.5 risk; empty for anything else"
MOST_MINUTES = 1e6
NONE_OPEN = "No incident is open: i opens one"

Done = Callable[[Any], None]


def open_or_go(screen: Wall) -> None:
    """To the open incident; where none is open, ask for one."""
    found = _open_ones(screen)
    if found:
        screen.action_go("incident")
    elif found is not None:
        new(screen)


def new(screen: Wall) -> None:
    """Open an incident, with what is wrong just now already filled in."""
    snapshot, log = screen.desk.snapshot, _log(screen)
    if snapshot is None or log is None:
        screen.hint("Not yet: the cockpit is still starting")
        return
    title, severity, section = log.proposal(snapshot)
    asks = [
        Ask("title", "What is wrong", Field(title, is_proposal=True)),
        Ask("severity", "Severity", Field(severity.label, is_proposal=True), SEVERITY_HINT),
        Ask("section", "Runbook section", Field(section, is_proposal=True), SECTION_HINT),
    ]
    told = [("Writes a file in the folder of incidents; its timeline then writes itself.", "label")]

    def taken(answers: Answers | None) -> None:
        if answers:
            made = log.open(answers["title"], Severity[answers["severity"].upper()], answers["section"], snapshot)
            _then(screen, made, lambda incident: _opened(screen, incident))

    session = screen.desk.session
    own = {spec.section for spec in session.actions()} if session else ()

    def why_not(answers: Answers) -> str:
        return _why_not_new(answers) or unknown_section(answers["section"], own)

    form = Form("Open an incident", "opens it", asks, told, why_not)
    sheet = FormScreen(screen.desk, form)
    sheet.at = 0
    screen.app.push_screen(sheet, taken)


def _opened(screen: Wall, incident: Incident) -> None:
    screen.hint(f"Open: {incident.id}")
    screen.action_go("incident")


def _why_not_new(answers: Answers) -> str:
    if not answers["title"]:
        return "It needs a title."
    return _why_no_severity(answers)


def _why_no_severity(answers: Answers) -> str:
    return "" if answers["severity"].upper() in SEVERITIES else f"The severity is one of {', '.join(SEVERITIES)}."


def note(screen: Wall) -> None:
    """One line into the timeline of the open incident."""
    found, log = _open_ones(screen), _log(screen)
    if not found or log is None:
        if found is not None:
            screen.hint(NONE_OPEN)
        return

    def taken(answers: Answers | None) -> None:
        if answers and answers["text"]:
            _then(screen, log.note(answers["text"]), lambda where: screen.hint(_noted(where)))

    title = f"Note: {found[0].title}"
    screen.app.push_screen(FormScreen(screen.desk, Form(title, "writes it", [Ask("text", "Note")])), taken)


def _noted(where: str) -> str:
    return f"NOT in the incident yet; kept in {where}" if "/" in where else "Noted"


def open_ones_severity(screen: Wall) -> None:
    """The same for the one that is open, from a screen that shows none."""
    found = _open_ones(screen)
    if found:
        change_severity(screen, found[0])
    elif found is not None:
        screen.hint(NONE_OPEN)


def export(screen: Wall, incident: Incident) -> None:
    """Into files, each for another reader."""
    log = _log(screen)
    if log is not None:
        held = names_held(screen.desk.snapshot)
        doubt = f"; {UNKNOWN_HELD}" if held is None else ""
        _then(
            screen,
            log.export(incident.id, held or ()),
            lambda folder: screen.hint(f"Three files, where 7 says too: {folder}{doubt}"),
        )


def change_severity(screen: Wall, incident: Incident) -> None:
    """Raise or lower it, with a reason."""
    log = _log(screen)
    asks = [
        Ask("severity", "Severity", Field(incident.severity.label, is_proposal=True), SEVERITY_HINT),
        Ask("why", "Reason"),
    ]

    def why_not(answers: Answers) -> str:
        return _why_no_severity(answers) or ("" if answers["why"] else "A change of severity needs a reason.")

    def taken(answers: Answers | None) -> None:
        if answers and log is not None:
            changed = log.set_severity(incident.id, Severity[answers["severity"].upper()], answers["why"])
            _then(screen, changed, lambda found: screen.hint(f"{found.severity.label} from now on"))

    sheet = FormScreen(screen.desk, Form(f"Severity of {incident.title}", "changes it", asks, (), why_not))
    sheet.at = 0
    screen.app.push_screen(sheet, taken)


def give_roles(screen: Wall, incident: Incident) -> None:
    """Who does what."""
    log = _log(screen)
    asks = [Ask(role, role.capitalize(), Field(incident.role(role))) for role in ROLES]

    def taken(answers: Answers | None) -> None:
        roles = {role: who for role, who in (answers or {}).items() if who and who != incident.role(role)}
        if roles and log is not None:
            _then(screen, log.set_roles(incident.id, roles), lambda _: screen.hint("Roles given"))

    screen.app.push_screen(FormScreen(screen.desk, Form("Roles", "gives them", asks)), taken)


def promise_update(screen: Wall, incident: Incident) -> None:
    """When the others will hear again."""
    log = _log(screen)

    def why_not(answers: Answers) -> str:
        known = minutes(answers["minutes"]) is not None
        return "" if known else "It is a number of minutes; 0 promises none any more."

    def taken(answers: Answers | None) -> None:
        if answers and log is not None:
            promised = log.promise(incident.id, minutes(answers["minutes"]) or 0.0)
            _then(screen, promised, lambda _: screen.hint("Promised; the top line says when it is due"))

    form = Form(
        "Next update", "promises it", [Ask("minutes", "In minutes", Field("30", is_proposal=True))], (), why_not
    )
    screen.app.push_screen(FormScreen(screen.desk, form), taken)


def close(screen: Wall, incident: Incident) -> None:
    """Close it; what is missing is said first."""
    log = _log(screen)
    if incident.closed_at is not None:
        by = f" by {incident.closed_by}" if incident.closed_by else ""
        screen.hint(f"It is closed already, since {clock(incident.closed_at)} UTC{by}")
    elif log is not None:
        _then(screen, log.lacks(incident.id), lambda lacks: _close(screen, log, incident, lacks))


def _close(screen: Wall, log: IncidentsPort, incident: Incident, lacks: tuple[Lack, ...]) -> None:
    loss = measured(incident, screen.desk.snapshot.jobs if screen.desk.snapshot else ())
    asks = [
        Ask("cause", "Cause", Field(incident.cause)),
        _lost(incident, loss),
        Ask("although", "Reason to close all the same", Field(), "only where something is missing: it is written down"),
    ]
    others = [lack for lack in lacks if lack.what != NO_CAUSE]
    told = [(f"Still open: {lack.what} ({lack.how})", "warn" if lack.is_waivable else "crit") for lack in others]
    told = told or [("Nothing is missing.", "ok")]
    told += [(f"Minutes lost, as measured: {loss.minutes:g}. {loss.words}", "label")] if loss else []

    def why_not(answers: Answers) -> str:
        if minutes(answers["rpo_minutes"] or "0") is None:
            return "Lost minutes are a number."
        if any(not lack.is_waivable for lack in others):
            return "It cannot be closed before that is there."
        if (others or not answers["cause"]) and not answers["although"]:
            return "Something is missing: mend it, or say why it is closed although."
        return ""

    def taken(answers: Answers | None) -> None:
        if answers:
            values: dict[str, Any] = {"cause": answers["cause"]} if answers["cause"] else {}
            values |= {"rpo_minutes": minutes(answers["rpo_minutes"])} if answers["rpo_minutes"] else {}
            closed = log.close(incident.id, values, answers["although"])
            _then(screen, closed, lambda found: screen.hint(f"Closed: {found.id}"))

    form = Form(f"Close {incident.title}", "closes it", asks, told, why_not)
    screen.app.push_screen(FormScreen(screen.desk, form), taken)


def minutes(text: str) -> float | None:
    """A number of minutes that a calendar has room for; None where it is none.

    >>> minutes("30"), minutes("0.5"), minutes("²"), minutes("nan"), minutes("-1"), minutes("9" * 30)
    (30.0, 0.5, None, None, None, None)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < MOST_MINUTES else None


def _lost(incident: Incident, loss: Loss | None) -> Ask:
    """What somebody said, else what was measured, is proposed; whoever knows better types over it."""
    said = incident.rpo_minutes
    if said is not None:
        return Ask("rpo_minutes", "Minutes lost", Field(f"{said:g}", is_proposal=True), "RPO: as the incident says")
    if loss is None:
        return Ask("rpo_minutes", "Minutes lost", Field(), "RPO: how much of the past was lost; no step measured it")
    hint = "RPO: as measured, see above; type what is right where that is something else"
    return Ask("rpo_minutes", "Minutes lost", Field(f"{loss.minutes:g}", is_proposal=True), hint)


def _open_ones(screen: Wall) -> tuple[Incident, ...] | None:
    """Those that are open; None, and said, where that is not known: none open is something else."""
    sample = screen.desk.snapshot.incidents if screen.desk.snapshot else None
    if sample is None or sample.value is None:
        screen.hint(f"Not known yet which incident is open: {(sample.error if sample else '') or 'it is being read'}")
        return None
    return sample.value


def _log(screen: Wall) -> IncidentsPort | None:
    return screen.desk.session.incidents if screen.desk.session else None


def _then(screen: Wall, future: Future[Any], do: Done) -> None:
    """On the screen's thread; an error is said in the bottom line."""

    def came(done: Future[Any]) -> None:
        error = done.exception()
        if not screen.app.is_running:
            return
        if error is None:
            do(done.result())
        else:
            screen.hint(str(error) or type(error).__name__)

    future.add_done_callback(lambda done: screen.desk.soon(came, done))
