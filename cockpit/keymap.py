"""Every key as a row of data; bindings, key bar, help and the README's table come from these rows."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cockpit.model.danger import Danger


class Key(NamedTuple):
    """One thing that a key does."""

    id: str
    scope: str
    """Where it works: one of SCOPES."""
    keys: tuple[str, ...]
    """Names as the toolkit calls them."""
    action: str
    label: str
    """One or two words for the key bar; empty = not shown there."""
    help: str
    danger: Danger = Danger.OBSERVE
    shown: str = ""
    """How the keys are written for people; made from the names where empty."""

    @property
    def written(self) -> str:
        """How the keys are written for people."""
        return self.shown or " ".join(_WRITTEN.get(key, key) for key in self.keys)


_WRITTEN = {
    "space": "Space",
    "colon": ":",
    "slash": "/",
    "question_mark": "?",
    "escape": "Esc",
    "enter": "Enter",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "shift+tab": "Shift-Tab",
    # In words: without Unicode the arrows would be v and ^, which are other keys.
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "ctrl+c": "Ctrl-C",
    "ctrl+g": "Ctrl-G",
    "ctrl+o": "Ctrl-O",
    "ctrl+t": "Ctrl-T",
    "ctrl+u": "Ctrl-U",
    "ctrl+w": "Ctrl-W",
    "backspace": "Backspace",
}

KEYS: tuple[Key, ...] = (
    Key("halt", "everywhere", ("K",), "open('step', 'kill_switch.engage')", "halt",
        "Engage the kill switch: opens the dialog, y confirms", Danger.PROTECT),
    Key("steps", "everywhere", ("space",), "open('steps')", "steps", "Choose a runbook step: section, then step"),
    Key("commands", "everywhere", ("colon",), "open('commands')", "commands", "Find a command by name"),
    Key("screens", "everywhere", (), "", "screens", "The screens by their numbers", shown="1-7"),
    Key("go_overview", "everywhere", ("1",), "go('overview')", "", "Overview: the wall"),
    Key("go_runbook", "everywhere", ("2",), "go('runbook')", "", "Runbook: every step, and whether it would work now"),
    Key("go_incident", "everywhere", ("3",), "go('incident')", "", "Incident: the log, its text and its timeline"),
    Key("go_drills", "everywhere", ("4",), "go('drills')", "",
        "Drills: what is due, the one that runs with its coach, what was played"),
    Key("go_readiness", "everywhere", ("5",), "go('readiness')", "",
        "Readiness: every step rehearsed without taking it, and what to do where it would not work"),
    Key("go_jobs", "everywhere", ("6",), "go('jobs')", "", "Jobs: what runs and what was done, with its output"),
    Key("go_audit", "everywhere", ("7",), "go('audit')", "", "Audit: who did what, and whether the journal is whole"),
    Key("incident", "everywhere", ("i",), "open('incident')", "incident", "To the open incident, or open one"),
    Key("note", "everywhere", ("n",), "open('note')", "note", "One line into the open incident's timeline"),
    Key("second", "everywhere", ("a",), "open('second')", "approve",
        "Approve or refuse what somebody else asks a second person for"),
    Key("theme", "everywhere", ("t",), "theme", "theme", "Next theme"),
    Key("help", "everywhere", ("question_mark",), "open('help')", "help", "Help: every key"),
    Key("quit", "everywhere", ("q",), "open('leave')", "quit", "Leave; jobs and a halt stay, and it says so"),
    Key("interrupt", "everywhere", ("ctrl+c",), "interrupt", "", "Says how to leave; it never ends the cockpit"),
    Key("filter", "overview", ("slash",), "stand('filter', True)", "filter",
        "Show only panel lines and findings with this text"),
    Key("zoom", "overview", ("z", "enter"), "stand('zoom')", "zoom",
        "Zoom the selected panel: its charts and all its rows"),
    Key("freeze", "overview", ("p",), "stand('freeze')", "freeze",
        "Freeze the wall to read it; the top lines stay live, and so do guards"),
    Key("next", "overview", ("tab",), "stand('select', 1)", "", "Select the next panel"),
    Key("previous", "overview", ("shift+tab",), "stand('select', -1)", "", "Select the panel before"),
    Key("left", "overview", ("left", "h"), "stand('move', -1, 0)", "", "Select the panel to the left"),
    Key("right", "overview", ("right", "l"), "stand('move', 1, 0)", "", "Select the panel to the right"),
    Key("down", "overview", ("down", "j"), "stand('move', 0, 1)", "", "Select the panel below"),
    Key("up", "overview", ("up", "k"), "stand('move', 0, -1)", "", "Select the panel above"),
    Key("overview", "overview", ("1",), "stand('reset')", "", "Overview: the wall as it was at the start"),
    Key("severity", "overview", ("s",), "open('severity')", "",
        "Raise or lower the open incident's severity, with a reason"),
    Key("back", "overview", ("escape",), "stand('back')", "", "Close, unselect, unfreeze or clear the filter"),
    Key("step_take", "runbook", ("enter",), "take", "open", "The dialog of the selected step"),
    Key("step_walk", "runbook", ("w",), "walk", "walk", "Walk the section step by step, or go on where it was left"),
    Key("step_skip", "runbook", ("s",), "skip", "", "In a walk: go on without the present step, Enter confirms"),
    Key("walk_end", "runbook", ("x",), "end_walk", "", "In a walk: end it"),
    Key("step_filter", "runbook", ("slash",), "stand('filter', True)", "filter", "Show only steps with this text"),
    Key("step_down", "runbook", ("down", "j"), "stand('move', 1)", "", "The next step"),
    Key("step_up", "runbook", ("up", "k"), "stand('move', -1)", "", "The step before"),
    Key("step_page", "runbook", ("pagedown",), "stand('move', 10)", "", "Ten steps down"),
    Key("step_page_up", "runbook", ("pageup",), "stand('move', -10)", "", "Ten steps up"),
    Key("step_leave", "runbook", ("escape",), "stand('back')", "wall", "Clear the filter, or back to the wall"),
    Key("incident_edit", "incident", ("enter",), "incident('edit')", "write", "Write in the report"),
    Key("incident_next", "incident", ("tab",), "incident('next')", "panes", "The next of list, report and timeline"),
    Key("incident_previous", "incident", ("shift+tab",), "incident('previous')", "", "The one before"),
    Key("incident_new", "incident", ("o",), "incident('new')", "open", "Open another incident"),
    Key("incident_severity", "incident", ("s",), "incident('severity')", "severity",
        "Raise or lower its severity, with a reason"),
    Key("incident_roles", "incident", ("r",), "incident('roles')", "roles",
        "Who commands, operates, writes, communicates"),
    Key("incident_update", "incident", ("u",), "incident('update')", "update", "Promise when the next update comes"),
    Key("incident_close", "incident", ("c",), "incident('close')", "close", "Close it; says what is missing"),
    Key("incident_export", "incident", ("e",), "incident('export')", "export",
        "Write the whole report, the stakeholders' summary and the timeline (JSON) into files"),
    Key("incident_search", "incident", ("slash",), "stand('filter', True)", "search",
        "Look for words in all incidents"),
    Key("incident_down", "incident", ("down", "j"), "stand('move', 1)", "", "The next incident, or down the timeline"),
    Key("incident_up", "incident", ("up", "k"), "stand('move', -1)", "", "The one before, or up the timeline"),
    Key("incident_page", "incident", ("pagedown",), "stand('move', 10)", "", "Ten down"),
    Key("incident_page_up", "incident", ("pageup",), "stand('move', -10)", "", "Ten up"),
    Key("incident_leave", "incident", ("escape",), "stand('back')", "wall", "Clear the search, or back to the wall"),
    Key("report_typing", "report", (), "", "", "Written into the report; it saves itself", shown="letters"),
    Key("report_leave", "report", ("escape",), "incident('list')", "leave the text",
        "Out of the text, back to the list: there K halts and every other key works"),
    Key("report_next", "report", ("tab",), "incident('next')", "timeline", "To the timeline"),
    Key("report_previous", "report", ("shift+tab",), "incident('previous')", "", "To the list"),
    Key("report_panels", "report", ("ctrl+t",), "incident('panels')", "insert panels",
        "Insert what the panels show now, as a table"),
    Key("report_undo", "report", (), "", "undo", "Undo; Ctrl-Y does it again", shown="Ctrl-_"),
    Key("report_words", "report", (), "", "", "Go to the beginning, the end, a word; a page",
        shown="Home End Ctrl-Left Ctrl-Right PgUp PgDn"),
    Key("report_interrupt", "report", ("ctrl+c",), "interrupt", "", "Says how to leave; it never ends the cockpit"),
    Key("job_open", "jobs", ("enter",), "show", "open", "The job in a dialog: its steps and proofs"),
    Key("job_cancel", "jobs", ("c",), "say('cancel')", "cancel", "Ask the job to stop where that does no harm",
        Danger.PROTECT),
    Key("job_resolve", "jobs", ("r",), "say('resolve')", "resolve", "Your word for a job in doubt, with a reason",
        Danger.DISRUPT),
    Key("job_undo", "jobs", ("u",), "say('undo')", "undo", "The step that undoes the job", Danger.DISRUPT),
    Key("job_large", "jobs", ("z",), "read('large')", "output", "The output over the whole screen, and back"),
    Key("job_search", "jobs", ("slash",), "search", "search", "Look for a text in the output"),
    Key("job_down", "jobs", ("down", "j"), "stand('move', 1)", "", "The next job"),
    Key("job_up", "jobs", ("up", "k"), "stand('move', -1)", "", "The job before"),
    Key("output_page", "jobs", ("pagedown",), "read('page', 1)", "", "The output, a page on"),
    Key("output_page_up", "jobs", ("pageup",), "read('page', -1)", "", "The output, a page back"),
    Key("output_begin", "jobs", ("home", "g"), "read('begin')", "", "The beginning of the output"),
    Key("output_end", "jobs", ("end", "G"), "read('end')", "", "The end of the output, and follow it"),
    Key("output_right", "jobs", ("right", "l"), "read('side', 1)", "", "Long lines of the output, further right"),
    Key("output_left", "jobs", ("left", "h"), "read('side', -1)", "", "Long lines of the output, back"),
    Key("job_leave", "jobs", ("escape",), "stand('back')", "wall", "Clear the search, or back to the wall"),
    Key("drill_begin", "drills", ("enter",), "begin", "begin", "Begin the selected drill on a sandbox; y confirms",
        Danger.DISRUPT),
    Key("drill_end", "drills", ("s",), "end", "stop", "Stop the running drill; y confirms", Danger.PROTECT),
    Key("drill_report", "drills", ("r",), "report", "report", "The report of the last drill of this kind"),
    Key("drill_filter", "drills", ("slash",), "stand('filter', True)", "filter", "Show only drills with this text"),
    Key("drill_down", "drills", ("down", "j"), "stand('move', 1)", "", "The next drill"),
    Key("drill_up", "drills", ("up", "k"), "stand('move', -1)", "", "The drill before"),
    Key("drill_page", "drills", ("pagedown",), "stand('move', 15)", "", "A page of the report on"),
    Key("drill_page_up", "drills", ("pageup",), "stand('move', -15)", "", "A page of the report back"),
    Key("drill_leave", "drills", ("escape",), "stand('back')", "wall",
        "Clear the filter, leave the report, or to the wall"),
    Key("ready_take", "readiness", ("enter",), "take", "open", "The dialog of the selected step"),
    Key("ready_run", "readiness", ("r",), "rehearse", "again", "Rehearse every step again; it changes nothing"),
    Key("ready_next", "readiness", ("tab",), "trouble", "trouble",
        "To the next line that is limited or would not work"),
    Key("ready_filter", "readiness", ("slash",), "stand('filter', True)", "filter", "Show only lines with this text"),
    Key("ready_down", "readiness", ("down", "j"), "stand('move', 1)", "", "The next line"),
    Key("ready_up", "readiness", ("up", "k"), "stand('move', -1)", "", "The line before"),
    Key("ready_page", "readiness", ("pagedown",), "stand('move', 10)", "", "Ten lines down"),
    Key("ready_page_up", "readiness", ("pageup",), "stand('move', -10)", "", "Ten lines up"),
    Key("ready_leave", "readiness", ("escape",), "stand('back')", "wall", "Clear the filter, or back to the wall"),
    Key("audit_verify", "audit", ("v",), "verify", "verify", "Walk the whole chain of the journal"),
    Key("audit_export", "audit", ("e",), "export", "export", "Write the records that are listed into a file"),
    Key("audit_filter", "audit", ("slash",), "stand('filter', True)", "filter", "Show only records with this text"),
    Key("audit_down", "audit", ("down", "j"), "stand('move', 1)", "", "The next record"),
    Key("audit_up", "audit", ("up", "k"), "stand('move', -1)", "", "The record before"),
    Key("audit_page", "audit", ("pagedown",), "stand('move', 15)", "", "A page down"),
    Key("audit_page_up", "audit", ("pageup",), "stand('move', -15)", "", "A page up"),
    Key("audit_leave", "audit", ("escape",), "stand('back')", "wall", "Clear the filter, or back to the wall"),
    Key("output_down", "output", ("down", "j"), "read('line', 1)", "", "A line on"),
    Key("output_up", "output", ("up", "k"), "read('line', -1)", "", "A line back"),
    Key("found_next", "found", ("n",), "read('find', 1)", "", "The next line with the text"),
    Key("found_before", "found", ("N",), "read('find', -1)", "", "The line with the text before"),
    Key("choose", "chooser", (), "", "", "Take the section, then the step", shown="b k …"),
    Key("chooser_back", "chooser", ("backspace",), "", "", "Back to the sections"),
    Key("chooser_close", "chooser", ("escape", "space"), "", "", "Close without doing anything"),
    Key("narrow", "choose", (), "", "", "Narrow the list", shown="letters"),
    Key("choose_move", "choose", ("up", "down"), "", "", "Go through the list"),
    Key("choose_take", "choose", ("enter",), "", "", "Take it; the step's dialog comes next"),
    Key("choose_close", "choose", ("escape",), "", "", "Close without doing anything"),
    Key("find", "palette", (), "", "", "Narrow the list", shown="letters"),
    Key("pick", "palette", ("up", "down"), "", "", "Go through the list"),
    Key("take", "palette", ("enter",), "", "", "Open it; nothing is executed without its dialog"),
    Key("palette_close", "palette", ("escape",), "", "", "Close"),
    Key("confirm", "guard", ("y",), "", "", "Confirm a step of class protect", Danger.PROTECT),
    Key("phrase", "guard", (), "", "", "Type the phrase that is shown, Tab, a reason, then Enter",
        Danger.DANGER, shown="letters"),
    Key("guard_next", "guard", ("tab", "shift+tab"), "", "", "Between phrase, reason and Cancel"),
    Key("override", "guard", ("ctrl+o",), "", "", "Override the failed checks that may be, with a reason",
        Danger.DANGER),
    Key("glass", "guard", ("ctrl+g",), "", "", "Act alone where a second person is needed: type BREAK GLASS, Enter",
        Danger.DANGER),
    Key("cancel", "guard", ("escape", "enter"), "", "", "Cancel: it has the focus when the dialog opens"),
    Key("job_close", "job", ("enter", "escape"), "", "", "Close; the job goes on in the background"),
    Key("series", "zoom", ("right", "tab", "l"), "stand('turn', 1)", "", "The next chart of this panel"),
    Key("series_back", "zoom", ("left", "shift+tab", "h"), "stand('turn', -1)", "", "The chart before"),
    Key("zoom_close", "zoom", ("z", "escape", "enter", "q"), "stand('back')", "", "Back to the wall"),
    Key("filter_keep", "filter", ("enter",), "stand('filter', False)", "", "Keep the filter and go on"),
    Key("filter_clear", "filter", ("escape",), "stand('back')", "", "Clear the filter"),
    Key("erase", "filter", ("ctrl+u", "ctrl+w"), "", "", "Erase the line, or the last word"),
)  # fmt: skip

SCOPES = {
    "everywhere": "On every screen",
    "overview": "On the wall",
    "runbook": "In the runbook",
    "incident": "On the incidents",
    "report": "In an incident's text",
    "jobs": "On the jobs",
    "drills": "On the drills",
    "readiness": "In the readiness",
    "audit": "In the audit",
    "output": "In a large output",
    "found": "While a text is looked for",
    "chooser": "In the step chooser",
    "choose": "Choosing what a step is for",
    "palette": "In the commands",
    "guard": "In a dialog",
    "job": "While a job runs",
    "zoom": "In a zoomed panel",
    "filter": "While filtering",
}
"""Scope -> its heading, in the order of the help."""


def of(scope: str) -> tuple[Key, ...]:
    """The rows of one scope.

    >>> [key.id for key in of("job")]
    ['job_close']
    """
    return tuple(key for key in KEYS if key.scope == scope)


@lru_cache(maxsize=32)
def bar(scope: str) -> tuple[Key, ...]:
    """What the key bar of a screen shows: what stops and steps first, then the screen's own keys, then the rest."""
    first = {"halt", "steps"}
    shared = of("everywhere")
    return (*(row for row in shared if row.id in first), *of(scope), *(row for row in shared if row.id not in first))


def find(key: str, *scopes: str) -> Key | None:
    """What the key does in the first of these scopes that knows it."""
    return next((row for scope in scopes for row in of(scope) if key in row.keys), None)
