"""A fund's own runbook: added, put in the place of ours, or refused with the place of the mistake."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from actions.catalogue import ACTIONS
from actions.runbook import read_own, runbook_for
from cockpit.errors import ConfigError, Rejected
from cockpit.jobs.action import action_for
from cockpit.jobs.rows import row_for
from cockpit.model.danger import Danger
from cockpit.observe.lookout import make_judge
from tests.unit.healthy import NOW, SETTINGS, snapshot
from tests.unit.test_journal import WHO

PLACED = r"^/[^:]+:\d+:\d+: "
OWN = """\
sections:
  - section: "9"
    title: Our own
    key: o
    steps:
      - action: general.command
        name: flush-dns
        key: f
        title: Flush the name cache
        summary: Names are looked up anew.
        danger: disrupt
        suggests: [venue_unreachable/IBKR]
        guards: [halted]
        parameters:
          command: [resolvectl, flush-caches]
          on: ops@jump2
          timeout_s: 20
          env: [LANG]
          expect: [0, 3]
          probe: ["true"]
          target: dns
      - action: general.http
        name: page-desk
        key: p
        title: Page the desk
        summary: Calls whoever is on duty.
        danger: danger
        parameters:
          method: POST
          url: https://pager.example/v1/calls
          headers: {Authorization: {env: PAGER_TOKEN, prefix: Bearer}, Content-Type: application/json}
          body: '{"who": "desk"}'
          expect: [201, 202]
      - action: rollout.restart
        name: restart-api
        key: a
        title: Restart the API
        summary: New pods.
        danger: disrupt
        parameters: {deployment: api}
  - section: "3.2"
    title: Feeds
    key: f
    steps:
      - action: rollout.restart
        name: restart-ingestion
        key: w
        title: Restart the gateway
        summary: Ours.
        danger: disrupt
"""


def written(folder: Path, text: str = OWN) -> Path:
    file = folder / "own.yaml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o640)
    return file


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError, match=PLACED) as caught:
        read_own(written(folder, text))
    return str(caught.value)


def test_own_steps_stand_beside_and_in_the_place_of_ours(tmp_path: Path) -> None:
    rows = read_own(written(tmp_path))
    assert len(rows) == len(ACTIONS) + 3
    at = [row.step for row in ACTIONS].index("restart-ingestion")
    assert (rows[at].step, rows[at].title, rows[at].section_title) == (
        "restart-ingestion",
        "Restart the gateway",
        "Feeds",
    )
    assert {row.section_title for row in rows if row.section == "3.2"} == {"Feeds"}
    assert [row.step for row in rows][-3:] == ["flush-dns", "page-desk", "restart-api"]
    assert row_for(rows, "rollout.restart").step == "restart-ingestion"
    with pytest.raises(Rejected):
        row_for(rows, "general.command")


def test_a_section_may_be_replaced_whole(tmp_path: Path) -> None:
    rows = read_own(written(tmp_path, OWN.replace("    title: Feeds\n", "    title: Feeds\n    replace: true\n")))
    assert [row.step for row in rows if row.section == "3.2"] == ["restart-ingestion"]


def test_the_class_of_the_row_is_the_class_of_the_plan(tmp_path: Path) -> None:
    rows = read_own(written(tmp_path))
    for name, danger, phrase in (
        ("flush-dns", Danger.DISRUPT, "dns"),
        ("page-desk", Danger.DANGER, "PAGE-DESK TEST"),
        ("restart-api", Danger.DISRUPT, "api"),
    ):
        row = row_for(rows, name)
        plan = action_for(row.id).plan(SETTINGS, WHO, dict(row.parameters), snapshot(), NOW)
        assert (plan.danger, plan.phrase) == (danger, phrase)
        again = action_for(row.id).plan(SETTINGS, WHO, dict(plan.parameters), snapshot(), NOW + 60)
        assert again.digest == plan.digest and len(action_for(row.id).steps(plan)) == len(plan.steps)  # type: ignore[attr-defined]


def test_exact_commands_are_what_is_confirmed(tmp_path: Path) -> None:
    rows = read_own(written(tmp_path))
    dns, page = row_for(rows, "flush-dns"), row_for(rows, "page-desk")
    plan = action_for(dns.id).plan(SETTINGS, WHO, dict(dns.parameters), snapshot(), NOW)
    assert plan.steps[0].command == (
        "ssh -T -o BatchMode=yes -o ConnectTimeout=10 -o SendEnv=LANG -- ops@jump2 'resolvectl flush-caches'"
    )
    other = dict(dns.parameters) | {"command": '["resolvectl", "reset-server-features"]'}
    assert action_for(dns.id).plan(SETTINGS, WHO, other, snapshot(), NOW).digest != plan.digest
    plan = action_for(page.id).plan(SETTINGS, WHO, dict(page.parameters), snapshot(), NOW)
    assert "Authorization: Bearer <secret in env PAGER_TOKEN>" in plan.steps[0].command
    assert "header Authorization" in {check.name for check in plan.blocking}, "PAGER_TOKEN is not set"


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("key: o", "key: b", 6, "section key b of flush-dns is taken by kill-switch, runbook.yaml:"),
        ("key: p\n", "key: f\n", 24, "step key o f is taken by own.yaml:8"),
        (
            "        key: w",
            "        key: s",
            45,
            "step key f s of restart-ingestion is taken by switch-feed, runbook.yaml:",
        ),
        ("action: general.http", "action: general.ftp", 22, "there is no action general.ftp"),
        (
            "danger: disrupt\n        parameters: {dep",
            "danger: observe\n        parameters: {dep",
            34,
            "is of class disrupt",
        ),
        ("danger: disrupt\n        suggests", "danger: observe\n        suggests", 6, "observe takes no guards"),
        ("danger: danger", "danger: observe", 22, "POST changes something"),
        ("command: [resolvectl, flush-caches]", "command: resolvectl flush-caches", 15, "here belongs a list"),
        ("on: ops@jump2", "on: -oProxyCommand=x", 16, "a host as ssh knows it"),
        ("timeout_s: 20", "timeout_s: 2e9", 17, "a number from 0.1 to 3600"),
        ("env: [LANG]", "env: [LANG=C]", 18, "the name of an environment variable"),
        ("expect: [0, 3]", "expect: [0, 300]", 19, "a number from 0 to 255"),
        ("target: dns", 'target: "a\\tb"', 21, "a target is a short name"),
        ("url: https://pager", "url: http://pager", 31, "a secret is sent over https only"),
        ("url: https://pager", "url: https://me:hush@pager", 30, "password in it"),
        ("url: https://pager", "url: ftp://pager", 30, "here belongs a URL"),
        ("env: PAGER_TOKEN, ", "", 31, "exactly one of env, file and command"),
        ("method: POST", "method: POKE", 29, "a method must be one of"),
        ("method: POST", "verb: POST", 29, "unknown key 'verb'"),
        ("{deployment: api}", "{deploymnet: api}", 40, "takes no parameter 'deploymnet'"),
        ("guards: [halted]", "guards: [sober]", 13, "a guard must be one of"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, before: str, after: str, line: int, words: str) -> None:
    assert before in OWN
    said = refused(tmp_path, OWN.replace(before, after, 1))
    assert said.startswith(f"{tmp_path / 'own.yaml'}:{line}:") and words in said, said


def test_the_kill_switch_cannot_be_taken_away(tmp_path: Path) -> None:
    text = OWN.replace("name: flush-dns", "name: kill-switch")
    assert "no step of kill_switch.engage would be left" in refused(tmp_path, text)


def test_nothing_may_stand_before_a_halt(tmp_path: Path) -> None:
    text = OWN[: OWN.index("      - action: general.http")]
    text = text.replace("action: general.command", "action: kill_switch.engage").replace(
        "danger: disrupt", "danger: protect"
    )
    text = text[: text.index("        parameters:")].replace("name: flush-dns", "name: kill-switch")
    said = refused(tmp_path, text)
    assert "own.yaml:6:" in said and "takes no guards" in said
    read_own(written(tmp_path, text.replace("        guards: [halted]\n", "")))


def test_a_file_that_everybody_may_write_is_not_believed(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.chmod(0o646)
    with pytest.raises(ConfigError, match="everybody may write it"):
        read_own(file)


def test_a_wrong_file_is_a_finding_and_the_built_in_runbook_stays(tmp_path: Path) -> None:
    ours = structs.replace(SETTINGS, runbook=written(tmp_path, OWN.replace("key: o", "key: b")))
    runbook = runbook_for(ours)
    assert runbook.actions == ACTIONS and "is taken by kill-switch" in runbook.problem
    assessment, _ = make_judge(ours, runbook)(snapshot())
    assert [one.rule for one in assessment.findings] == ["runbook_unusable"]
    missing = runbook_for(structs.replace(SETTINGS, runbook=tmp_path / "missing.yaml"))
    assert missing.actions == ACTIONS and "cannot read" in missing.problem


def test_an_own_step_answers_a_finding(tmp_path: Path) -> None:
    from tests.unit import healthy

    ours = structs.replace(SETTINGS, runbook=written(tmp_path))
    assessment, _ = make_judge(ours, runbook_for(ours))(snapshot(reach=healthy.reach(IBKR=False)))
    (found,) = [one for one in assessment.findings if one.rule == "venue_unreachable"]
    assert (found.section, found.section_title, found.keys) == ("9", "Our own", "Space o")


LINES = OWN.splitlines()
PIECES = st.sampled_from(
    ["", "  ", "- ", "key: k", "{", "]", "'", "*a", "<<: 1", "~", "\t", ": ", "é", "\x07", "[[", "-1"]
)


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 50), PIECES), min_size=1, max_size=3))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_right_or_says_where_it_is_wrong(tmp_path: Path, cuts: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for line, column, piece in cuts:
        lines[line] = lines[line][:column] + piece + lines[line][column + len(piece) :]
    file = written(tmp_path, "\n".join(lines))
    try:
        rows = read_own(file)
    except ConfigError as error:
        assert re.match(PLACED, str(error)), error
    else:
        for row in (row for row in rows if row.id.startswith("general.")):
            assert action_for(row.id).plan(SETTINGS, WHO, dict(row.parameters), snapshot(), NOW).steps


def test_replacing_keeps_places_apart() -> None:
    assert replace(ACTIONS[0], place="x") == ACTIONS[0], "where a row stands is not what it is"
