"""The guard dialog: shows a plan, takes a deliberate yes, and then shows what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual.timer import Timer

from cockpit.model.action import ActionSpec
from cockpit.model.danger import Danger
from cockpit.model.job import Job
from cockpit.model.plan import Confirmation, Plan
from cockpit.screens.desk import Desk
from cockpit.screens.hands import CALM_S, Hands
from cockpit.screens.second import BREAKS, SecondPerson
from cockpit.screens.sheet import Sheet
from widgets.field import Field
from widgets.guard_rows import WIDEST, Answer, dialog, forbidding, guard_rows, may_override, wants_reason
from widgets.job_rows import job_rows
from widgets.line import Line, line, wrapped

REFRESH_S = 1.0
POLL_S = 0.1
_SCROLLS = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}
MOST_SCROLLED = 60
OVERRIDES = "ctrl+o"
"""No letter: a check may fail while somebody types, and must not be overridden by the next key."""
NOTES = {
    "early": "That key came too early and does not count: read first.",
    "held": "A held key does not count: let it go, then press it again.",
    "fast": "That came too fast to be typed: nothing was taken. Wait a moment, then type it.",
    "pasted": "Pasted text does not count: type it.",
}
"""Why a key, or what was pasted, did not count."""


class GuardScreen(Sheet[Job | None]):
    """One plan from preview to proof; answers its job, or nothing where none was begun."""

    def __init__(self, desk: Desk, step: ActionSpec, chosen: Mapping[str, str] | None = None) -> None:
        super().__init__(desk)
        self.step = step
        self.chosen = dict(chosen or {})
        """What was chosen for what the row leaves open."""
        self.plan: Plan | None = None
        self.job: Job | None = None
        self.error = ""
        self.answer = Answer()
        self.scroll = 0
        self.hands = Hands(desk.clock.monotonic())
        self._phrase, self._reason = Field(), Field()
        self._lost_until = float("-inf")
        self._unburst = ("", "", self.answer)
        """Phrase, reason and answer before the keys that came last, at once."""
        self.other = SecondPerson(self.when_done, self._go_on, self._note)
        self._timer: Timer | None = None
        self._is_preparing = False

    def on_mount(self) -> None:
        """Ask for the plan, and go on asking: evidence ages while somebody reads."""
        super().on_mount()
        self._prepare()
        self._timer = self.set_interval(REFRESH_S, self._prepare)

    # what is shown

    def rows(self) -> list[Line]:
        """Plan, job, or what is wrong."""
        now = self.desk.clock.now()
        if self.job is not None:
            return job_rows(self.job, now, self.room, self.scroll)
        if self.plan is None:
            width = min(WIDEST, self.room[0])
            words = wrapped(self.error, width - 4) if self.error else ("looking at the platform …",)
            body = [line((each, "crit" if self.error else "label")) for each in words]
            return dialog(line((self.step.title, "title")), line(("Esc closes", "dim")), body, "border", width)
        answer = replace(
            self.answer,
            phrase=self._phrase.text,
            reason=self._reason.text,
            second=self.other.second,
            glass=None if self.other.glass is None else self.other.glass.text,
        )
        return guard_rows(self.plan, answer, now, self.room, self.scroll)

    # the plan

    def _prepare(self) -> None:
        if self.job is not None or self.answer.is_sending or self._is_preparing or self.desk.session is None:
            return
        self.other.look()
        self._is_preparing = True
        # What was written for this dialog, the text of a notice, is not written anew while somebody reads it.
        settled = dict(self.plan.parameters) if self.plan is not None and self.plan.is_settled else self.chosen
        self.when_done(self.desk.session.prepare(self.step.step, dict(settled)), self._prepared)

    def _prepared(self, plan: Plan | None, error: str) -> None:
        self._is_preparing = False
        if self.answer.is_sending or self.job is not None:
            return
        if plan is None:
            # No stale plan stays on the screen: what cannot be judged now cannot be confirmed now.
            self.plan, self.error = None, error
        else:
            if self.plan is None or self.plan.digest != plan.digest:
                is_other = self.plan is not None
                self.other.withdraw()
                self.hands.startle(self.desk.clock.monotonic())
                self._phrase = Field()
                note = "What would be done has changed: read it again." if is_other else ""
                self.answer = Answer(note=note)
                self._unburst = ("", self._reason.text, self.answer)
            self.plan, self.error = plan, ""
            if plan.danger is Danger.OBSERVE and not self.answer.note:
                # It changes nothing: there is nothing to confirm.
                self._confirm(plan, None, None)
        self.draw()

    # the answer

    def press(self, key: str, character: str | None) -> None:
        """A key means what it means only if a person meant it."""
        now = self.desk.clock.monotonic()
        is_confirming = key == "y" and self.plan is not None and self.plan.phrase is None
        why = self.hands.why_not(key, now, is_confirming)
        if self.hands.is_first:
            self._unburst = (self._phrase.text, self._reason.text, self.answer)
        if key == "escape" and self.other.is_busy and self.job is None:
            self.other.back()
            self._note("")
        elif key == "escape":
            self.dismiss(self.job)
        elif key in _SCROLLS:
            self.scroll = max(0, min(self.scroll + _SCROLLS[key], MOST_SCROLLED))
            self.draw()
        elif self.job is not None:
            if key == "enter" and why is None:
                self.dismiss(self.job)
        elif why is not None or self._is_rest(character, now):
            if why != "held" and character is not None:
                self._lost()
            if why == "fast" and not self.answer.is_sending:
                phrase, reason, self.answer = self._unburst
                self._phrase, self._reason = Field(phrase), Field(reason)
            self._note(NOTES[why or "early"])
        elif self.other.is_busy and not self.answer.is_sending and key != BREAKS:
            self.other.press(key, character)
            self.draw()
        elif not self.answer.is_sending:
            self._take(key, character)

    def pasted(self, text: str) -> None:
        """Refused, and said so."""
        self._note(NOTES["pasted"])

    def _lost(self) -> None:
        """A key was not taken: what follows it before the fingers rest would be a part of what was meant."""
        self._lost_until = self.desk.clock.monotonic() + CALM_S

    def _is_rest(self, character: str | None, now: float) -> bool:
        is_text, plan = character is not None and character.isprintable(), self.plan
        is_typed = plan is not None and plan.phrase is not None and not forbidding(plan, self.answer)
        return is_text and is_typed and now < self._lost_until

    def _note(self, text: str) -> None:
        self.answer = replace(self.answer, note=text)
        self.draw()

    def _take(self, key: str, character: str | None) -> None:
        plan = self.plan
        if plan is None or forbidding(plan, self.answer):
            if key == "enter":
                self.dismiss(self.job)
            elif plan is not None and key == OVERRIDES and may_override(plan):
                self.answer = replace(self.answer, overrides=tuple(check.name for check in plan.blocking), note="")
                self.draw()
            elif plan is not None and key == "y":
                self._note("It is refused as long as a check fails; the checks go on being made.")
            elif character is not None and character.isprintable():
                self._lost()
                self._note("Nothing is taken as long as a check fails: wait, then type it.")
            return
        if plan.phrase is None:
            if key == "y":
                self._confirm(plan, None, None)
            elif key == "enter":
                self.dismiss(self.job)
            return
        self._type(plan, key, character)

    def _type(self, plan: Plan, key: str, character: str | None) -> None:
        focus = self.answer.focus
        if key == BREAKS:
            self._enter(plan, "glass")
            return
        if key in ("tab", "shift+tab"):
            stops = ["cancel", "phrase", *(["reason"] if wants_reason(plan, self.answer) else [])]
            step = 1 if key == "tab" else -1
            self.answer = replace(self.answer, focus=stops[(stops.index(focus) + step) % len(stops)], note="")
        elif key == "enter":
            self._enter(plan, focus)
            return
        else:
            # Typing begins the phrase: Cancel itself takes no letters.
            focus = "phrase" if focus == "cancel" else focus
            field = self._phrase if focus == "phrase" else self._reason
            if field.take(key, character):
                self.answer = replace(self.answer, focus=focus, note="")
        self.draw()

    def _enter(self, plan: Plan, focus: str) -> None:
        if focus == "cancel":
            self.dismiss(self.job)
        elif self._phrase.text != plan.phrase:
            self._note(f"Type exactly: {plan.phrase}")
        elif wants_reason(plan, self.answer) and not self._reason.text.strip():
            self.answer = replace(self.answer, focus="reason", note="Give a reason: it goes into the audit.")
            self.draw()
        elif focus == "glass":
            if plan.needs_second:
                self.other.reach_for_glass()
                self._note("")
        elif plan.why_nobody:
            self._note("There is nobody to ask: Ctrl-G acts alone, Esc closes.")
        elif plan.needs_second and self.other.approval is None:
            assert self.desk.session is not None
            self.other.ask(self.desk.session.seconds, plan, self._reason.text.strip(), self.answer.overrides)
            self.draw()
        else:
            self._go_on()

    def _go_on(self) -> None:
        """With what was typed: at once, or as soon as a second person said yes."""
        if self.plan is not None and not self.answer.is_sending and self.job is None:
            self._confirm(self.plan, self._phrase.text, self._reason.text.strip() or None)

    def _confirm(self, plan: Plan, typed: str | None, reason: str | None) -> None:
        assert self.desk.session is not None
        self.answer = replace(self.answer, is_sending=True, note="")
        other = self.other
        confirmation = Confirmation(
            plan.digest, typed, reason, self.answer.overrides, other.approval, other.is_glass_broken
        )
        self.when_done(self.desk.session.submit(plan, confirmation), self._submitted)
        self.draw()

    # the job

    def _submitted(self, job: Job | None, error: str) -> None:
        self.answer = replace(self.answer, is_sending=False)
        if job is None:
            self.answer = replace(self.answer, note=error, focus="cancel")
            self.other.glass = None
            self.hands.startle(self.desk.clock.monotonic())
        else:
            self.job, self.scroll = job, 0
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_interval(POLL_S, self._poll)
        self.draw()

    def _poll(self) -> None:
        assert self.desk.session is not None and self.job is not None
        self.job = self.desk.session.job(self.job.id) or self.job
        if self.job.phase.is_over and self._timer is not None:
            self._timer.stop()
        self.draw()
