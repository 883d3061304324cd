"""Which venue is rerouted, to whom, and which cluster is meant: what a plan says before anybody confirms it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from actions.catalogue import ACTIONS
from actions.reroute import away, back
from actions.rollout import restart
from cockpit.clients.kubernetes_write import restart_deployment
from cockpit.config import KubernetesPart
from cockpit.errors import Refused
from cockpit.jobs.action import choices_for
from cockpit.model.plan import Check, Plan, Verdict
from cockpit.model.world import World
from tests.unit import healthy
from tests.unit.healthy import NOW, SETTINGS, snapshot, venue, venues
from tests.unit.test_journal import WHO
from widgets.standing import BLOCKED, READY, Standing, asking, standing

LIVE = structs.replace(SETTINGS, world=World.LIVE)


def reroute(settings: Any = SETTINGS, parameters: dict[str, str] | None = None, **samples: Any) -> Plan:
    return away.plan(settings, WHO, parameters or {}, snapshot(**samples), NOW)


def check(plan: Plan, name: str) -> Check:
    return next(one for one in plan.checks if one.name == name)


def test_with_every_broker_up_none_is_rerouted_by_itself() -> None:
    plan = reroute()
    (found,) = plan.blocking
    assert found.detail == "no broker with a backup is down: choose the one that is meant"
    assert (found.name, found.is_overridable) == ("venue", False), "it is chosen in its dialog"
    assert standing(plan, "", NOW).mark == BLOCKED
    said = standing(plan, "", NOW, ("venue",))
    assert said == Standing(asking("venue"), f"venue: {found.detail}", NOW), "the list comes next"
    assert said.mark.word == "asks which broker"
    chosen = reroute(parameters={"venue": "IBKR"})
    assert chosen.is_allowed and standing(chosen, "", NOW, ("venue",)).mark == READY


@pytest.mark.parametrize("action", [away, back])
def test_no_line_is_given_to_type_before_a_broker_is_named(action: Any) -> None:
    """Redis would take a stand-in for a name."""
    plan = action.plan(SETTINGS, WHO, {}, snapshot(), NOW)
    assert not plan.is_allowed and all(step.by_hand is None for step in plan.steps)
    assert [step.command for step in plan.steps if "(no " in step.command] == []
    named = action.plan(SETTINGS, WHO, {"venue": "IBKR"}, snapshot(), NOW)
    assert " IBKR" in (named.steps[0].by_hand or "")


def test_where_none_has_a_backup_there_is_nothing_to_choose() -> None:
    none = structs.replace(SETTINGS, venues=tuple(structs.replace(one, backup=None) for one in SETTINGS.venues))
    (found,) = reroute(none).blocking
    assert (found.name, found.detail) == ("route", "no broker has a backup")


def test_the_broker_that_is_down_is_the_one() -> None:
    plan = reroute(venues=venues(venue("IBKR", "down")))
    assert plan.is_allowed and dict(plan.parameters) == {"venue": "IBKR", "to": "zerodha"}
    named = reroute(parameters={"venue": "NASDAQ"})
    assert "not among the configured venues (IBKR, ZERODHA, PAPER)" in named.blocking[0].detail


DOWN = venue("ZERODHA", "down")


@pytest.mark.parametrize(
    ("samples", "first", "words"),
    [
        ({"venues": venues(venue("IBKR", age_s=60.0))}, "IBKR", "silent, said up, backup zerodha"),
        ({"venues": venues(venue("IBKR", "degraded"), DOWN)}, "ZERODHA", "down, backup paper"),
        ({"venues": venues(venue("IBKR", age_s=60.0), DOWN)}, "ZERODHA", "down, backup paper"),
        ({"venues": venues(venue("IBKR", "down", override="zerodha"), DOWN)}, "ZERODHA", "down, backup paper"),
        ({"reach": healthy.reach(ZERODHA=False)}, "ZERODHA", "up, not reached, backup paper"),
    ],
)
def test_the_broker_that_needs_it_most_is_offered_first(samples: Any, first: str, words: str) -> None:
    """One whose adapter died goes on saying up."""
    assert dict(reroute(**samples).parameters)["venue"] == first
    offered = choices_for("reroute.away", "venue", SETTINGS, snapshot(**samples), {})
    assert {one.value for one in offered} == {"IBKR", "ZERODHA"}
    assert (offered[0].value, offered[0].words) == (first, words)
    chosen = dict(reroute(parameters={"venue": offered[1].value}, **samples).parameters)
    assert chosen["venue"] == offered[1].value, "the other one can be meant"


def test_whose_orders_come_back_is_chosen_too() -> None:
    two = venues(venue("IBKR", override="zerodha"), venue("ZERODHA", override="paper"))
    offered = choices_for("reroute.back", "venue", SETTINGS, snapshot(venues=two), {})
    assert [(one.value, one.words) for one in offered] == [
        ("IBKR", "up, orders go to zerodha"), ("ZERODHA", "up, orders go to paper")
    ]  # fmt: skip
    rows = {row.id: row.selects for row in ACTIONS if row.id.startswith("reroute.")}
    assert rows == {"reroute.away": "venue", "reroute.back": "venue"}


def test_on_live_paper_takes_orders_only_with_a_reason() -> None:
    asked = {"venue": "ZERODHA"}
    (found,) = reroute(LIVE, asked).blocking
    assert (found.name, found.is_overridable) == ("paper is a market", True)
    assert reroute(SETTINGS, asked).is_allowed
    assert reroute(LIVE, {"venue": "IBKR"}).is_allowed


@pytest.mark.parametrize(
    ("backup", "verdict", "words"),
    [
        (venue("ZERODHA", token_left_s=7200.0), Verdict.PASS, "login valid for 2.0 h"),
        (venue("ZERODHA", token_left_s=-1.0), Verdict.FAIL, "its login has expired"),
        (venue("ZERODHA", latency_ms=900.0), Verdict.WARN, "latency 900 ms"),
        (venue("ZERODHA", "degraded"), Verdict.FAIL, "not fit to take orders"),
        (venue("ZERODHA", age_s=60.0), Verdict.FAIL, "not fit to take orders"),
    ],
)
def test_the_backup_is_looked_at_first(backup: Any, verdict: Verdict, words: str) -> None:
    found = check(reroute(venues=venues(venue("IBKR", "down"), backup)), "zerodha")
    assert found.verdict is verdict and words in found.detail


def test_a_backup_that_the_cockpit_does_not_reach_is_no_backup() -> None:
    plan = reroute(venues=venues(venue("IBKR", "down")), reach=healthy.reach(ZERODHA=False))
    assert [one.name for one in plan.blocking] == ["zerodha reached"]


def test_another_cluster_is_another_plan() -> None:
    def planned(server: str) -> Plan:
        return restart.plan(SETTINGS, WHO, {}, snapshot(kubernetes=replace(healthy.kubernetes(), server=server)), NOW)

    one, other = planned("https://one:6443"), planned("https://other:6443")
    assert one.digest != other.digest and "on https://one:6443" in one.sentence
    again = restart.plan(SETTINGS, WHO, dict(one.parameters), snapshot(kubernetes=healthy.kubernetes()), NOW)
    assert again.digest != one.digest, "the server is read, never taken over from what was confirmed"


async def test_a_kubeconfig_that_names_another_server_by_now_is_refused(tmp_path: Any) -> None:
    config = tmp_path / "config"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        "contexts: [{name: x, context: {cluster: x, user: x}}]\n"
        "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: x, user: {}}]\n"
    )
    with pytest.raises(Refused, match=r"127\.0\.0\.1:1 by now, .* was confirmed"):
        await restart_deployment(KubernetesPart(kubeconfig=config), "ws-gateway", "now", "https://other:6443")
