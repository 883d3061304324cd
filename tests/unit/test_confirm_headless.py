"""What counts as a confirmation on a command line, with and without a terminal."""

from __future__ import annotations

import argparse
import io
import json
import sys
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from actions.catalogue import ACTIONS
from cockpit.errors import Misused, Rejected
from cockpit.headless import notify, run
from cockpit.headless.audit import record_line
from cockpit.headless.plan_text import plan_lines
from cockpit.headless.run import _confirmation, _parameters, _print_json
from cockpit.jobs.rows import row_for
from cockpit.model.audit import AuditRecord, Operator
from cockpit.model.plan import Plan
from tests.unit.healthy import snapshot
from tests.unit.test_actions_away import reroute
from tests.unit.test_actions_kill_switch import engaging, releasing

PHRASE = "START TRADING test"


def typed(**changed: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"confirm": None, "reason": None, "override": [], "set": [], "json": True, **changed})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def refused(plan: Plan, words: str, **changed: Any) -> None:
    with pytest.raises(Rejected, match=words) as caught:
        _confirmation(plan, typed(**changed))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("step", "given", "words"),
    [
        ("reroute", "broker=ZERODHA", "reroute takes no 'broker'; it takes: venue, to"),
        ("restart-redis", "container=postgres", "restart-redis takes no 'container'; it takes: none"),
        ("restart-deployment", "deploy=api", "takes no 'deploy'; it takes: deployment"),
        ("reroute", "venue", "--set takes NAME=VALUE"),
    ],
)
def test_a_misspelt_parameter_is_refused(step: str, given: str, words: str) -> None:
    """Else the step would choose by itself what was meant to be chosen for it."""
    row = row_for(ACTIONS, step)
    with pytest.raises(Misused) as caught:
        _parameters(argparse.Namespace(set=[given], reason=None), row)
    assert words in str(caught.value)
    right = argparse.Namespace(set=["venue=ZERODHA", "to=paper"], reason="down")
    assert _parameters(right, row_for(ACTIONS, "reroute")) == {"venue": "ZERODHA", "to": "paper", "reason": "down"}


@pytest.mark.parametrize(("given", "is_told"), [({}, True), ({"venue": "IBKR"}, False)])
def test_a_dry_run_says_how_to_name_what_a_screen_would_let_one_choose(
    given: dict[str, str], is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    plan: Future[Plan] = Future()
    plan.set_result(reroute(parameters=given))
    session: Any = SimpleNamespace(prepare=lambda *_: plan)
    args = typed(dry_run=True, json=False, set=[f"{name}={value}" for name, value in given.items()])
    assert run._take(session, row_for(ACTIONS, "reroute"), given, args) == (4 if is_told else 0)
    assert ("(--set venue=NAME)" in capsys.readouterr().out) == is_told


def test_a_notice_is_told_all_that_a_step_may_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fund may want a second person for it: then whether the glass is broken is asked too."""
    parser = argparse.ArgumentParser()
    run.add_arguments(parser.add_subparsers())
    wanted = vars(parser.parse_args(["run", "notify-all"]))
    given: list[dict[str, object]] = []
    monkeypatch.setattr(run, "run", lambda step: given.append(vars(step)) or 0)
    notify.run(
        argparse.Namespace(
            **dict.fromkeys(("undelivered", "resend", "text", "config", "confirm")),
            audience="ops",
            dry_run=True,
            json=False,
        )
    )
    assert given[0].keys() - {"config"} == wanted.keys()


def test_a_halt_takes_y(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = engaging(snapshot())
    assert _confirmation(plan, typed(confirm="y")).digest == plan.digest
    refused(plan, "nothing was done", confirm="n")
    refused(plan, "nothing was done", confirm="")
    refused(plan, "no terminal to ask on: --confirm y")
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert _confirmation(plan, typed()).digest == plan.digest
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    refused(plan, "nothing was done")


def test_a_release_takes_reason_and_phrase(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = releasing()
    found = _confirmation(plan, typed(confirm=PHRASE, reason="brokers are back"))
    assert (found.typed, found.reason) == (PHRASE, "brokers are back")
    refused(plan, "--reason", confirm=PHRASE)
    refused(plan, "--confirm 'START TRADING test'", reason="back")
    monkeypatch.setattr(sys, "stdin", Terminal(f"back\n{PHRASE}\n"))
    found = _confirmation(plan, typed())
    assert (found.typed, found.reason) == (PHRASE, "back")


def test_a_failed_check_is_said_before_anything_is_asked() -> None:
    refused(engaging_nothing(), "nothing to release", confirm=PHRASE, reason="x")


def engaging_nothing() -> Plan:
    from cockpit.model.states import KillSwitch

    return releasing(kill_switch=KillSwitch(False, True))


def test_a_plan_as_text_says_what_the_dialog_says() -> None:
    text = "\n".join(plan_lines(engaging(snapshot())))
    for words in (
        "SANDBOX test",
        "will do   HSET policy:kill_switch",
        "by hand   redis-cli HSET",
        "(0.3 s old)",
        "undo",
    ):
        assert words in text


def test_a_plan_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    plan = engaging(snapshot())
    _print_json(typed(), plan, None)
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["plan"]["digest"], told["job"]) == (1, plan.digest, None)


def test_an_audit_line_cannot_move_the_cursor() -> None:
    who = Operator("asha", "root", "jump1", None, "10.0.0.7")
    line = record_line(AuditRecord(0.0, who, "note", "LIVE", "s", "", "a\x1b[2J\nb", "", ""))
    assert line == "1970-01-01 00:00:00Z LIVE asha@jump1 from 10.0.0.7 note: a␛[2J b"
