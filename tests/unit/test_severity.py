"""The judgement as a whole: silence, standing, order, panels, keys, trading state, the halt light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import structs

from actions.catalogue import ACTIONS
from cockpit.app import readiness
from cockpit.config import Settings
from cockpit.errors import NO_ANSWER
from cockpit.headless.status_text import as_text
from cockpit.model.backends import AlertRule
from cockpit.model.finding import Assessment
from cockpit.model.sample import Sample
from cockpit.model.severity import Severity
from cockpit.model.snapshot import PROBES, Snapshot
from cockpit.model.states import KillSwitch, Risk
from cockpit.model.world import World
from cockpit.parts import parsed
from cockpit.severity import judge
from cockpit.severity.judge import assess
from cockpit.severity.reset import is_within
from cockpit.severity.rule import Hit, View, rule
from cockpit.severity.sections import Section
from cockpit.severity.silence import REDIS_FIELDS
from cockpit.severity.standing import NOTHING, Memory, next_clear_at
from cockpit.severity.trading import TradingWord, halt_readiness, trading
from cockpit.text import clean
from tests.unit.healthy import (
    NOW,
    SETTINGS,
    alerts,
    dead,
    feed,
    feeds,
    kubernetes,
    reach,
    redis,
    risk,
    snapshot,
    values,
    venue,
    venues,
)
from widgets.line import plain
from widgets.view import View as Shown


def all_redis_dead(age_s: float | None = 6.0) -> dict[str, Sample[Any]]:
    return {field: dead(age_s=age_s, value=values()[field]) for field in REDIS_FIELDS}


def run(*moments: tuple[float, dict[str, Any]]) -> list[Assessment]:
    memory: Memory = NOTHING
    seen = []
    for at, changed in moments:
        assessment, memory = assess(snapshot(NOW + at, **changed), SETTINGS, memory)
        seen.append(assessment)
    return seen


def test_nothing_tried_yet_is_unknown_not_down() -> None:
    assessment, _ = assess(Snapshot(0, NOW, World.SANDBOX, "test"), SETTINGS)
    assert assessment.findings == ()
    assert assessment.severity is Severity.UNKNOWN
    assert {severity for _, severity in assessment.panels} == {Severity.UNKNOWN}


def test_silent_redis_is_one_p1_and_what_hangs_on_it_is_unknown() -> None:
    assessment, _ = assess(snapshot(**all_redis_dead()), SETTINGS)
    assert [one.summary for one in assessment.findings] == ["Redis does not answer: connection refused"]
    finding = assessment.findings[0]
    assert (finding.severity, finding.section, finding.panel) == (Severity.P1, "3.3", "redis")
    assert finding.observed == "no answer for 6.0 s"
    for panel in ("brokers", "flow", "feeds", "risk"):
        assert assessment.panel(panel) is Severity.UNKNOWN
    assert assessment.panel("postgres") is Severity.OK


@pytest.mark.parametrize("severities", [("critical", "info"), ("info", "critical")])
def test_of_two_alerts_of_one_name_the_worse_counts(severities: tuple[str, str]) -> None:
    both = [AlertRule("RedisDown", "firing", severity, 1.0, None) for severity in severities]
    assessment, _ = assess(snapshot(alerts=alerts(*both)), SETTINGS)
    assert [(one.subject, one.severity) for one in assessment.findings] == [("RedisDown", Severity.P2)]


def test_never_answered_says_so() -> None:
    assessment, _ = assess(snapshot(**all_redis_dead(age_s=None)), SETTINGS)
    assert assessment.findings[0].observed == "never answered"


@pytest.mark.parametrize(
    ("field", "severity", "panel", "words"),
    [
        ("postgres", Severity.P1, "postgres", "Postgres does not answer"),
        ("kubernetes", Severity.P3, "kubernetes", "Kubernetes API does not answer"),
        ("docker", Severity.P3, "redis", "Docker does not answer"),
        ("alerts", Severity.P3, "alerts", "Grafana does not answer"),
        ("reach", Severity.P2, "brokers", "broker probe does not answer"),
        ("registry", Severity.P3, "feeds", "registry.yaml cannot be read"),
        ("dump", Severity.P3, "postgres", "dump cannot be read"),
        ("kill_switch", Severity.P2, "risk", "kill switch unreadable"),
        ("heartbeats", Severity.P3, "flow", "heartbeats unreadable"),
    ],
)
def test_silent_backend(field: str, severity: Severity, panel: str, words: str) -> None:
    assessment, _ = assess(snapshot(**{field: dead(value=values()[field])}), SETTINGS)
    finding = assessment.findings[0]
    assert (finding.severity, finding.panel) == (severity, panel)
    assert finding.summary.startswith(words)
    assert assessment.panel(panel) is severity


def test_the_first_dump_is_awaited_on_a_young_platform() -> None:
    never = dead(age_s=None, error="there is no dump at /backups/pg/latest.dump")
    for young in ({"redis": redis(uptime_s=4.0)}, {"redis": Sample()}):
        assessment, _ = assess(snapshot(dump=never, **young), SETTINGS)
        assert (assessment.findings, assessment.panel("postgres")) == ((), Severity.UNKNOWN)
    for old in (redis(uptime_s=15.0), redis(uptime_s=None), dead()):
        assessment, _ = assess(snapshot(dump=never, redis=old), SETTINGS)
        assert any(one.subject == "dump" and one.severity is Severity.P3 for one in assessment.findings)
    assessment, _ = assess(snapshot(dump=dead(value=values()["dump"]), redis=redis(uptime_s=4.0)), SETTINGS)
    assert [one.subject for one in assessment.findings] == ["dump"], "one that was there is gone"


REDIS_CRASH = {"3.3": Section("Redis crash", "Space r", frozenset({"backend_silent/Redis"}))}


def test_what_is_not_asked_has_not_crashed() -> None:
    error = "the secret's command pass failed: not found"
    unasked: dict[str, Sample[Any]] = {
        field: Sample().failed(error, NOW, 0.1, is_asked=False) for field in REDIS_FIELDS
    }
    assessment, _ = assess(snapshot(**unasked), SETTINGS, sections=REDIS_CRASH)
    finding = next(one for one in assessment.findings if one.subject == "Redis")
    assert finding.summary == clean(f"Redis is not asked: {error}", 160)
    assert (finding.severity, finding.section, finding.keys, finding.observed) == (Severity.P1, None, None, error)
    assert halt_readiness(snapshot(**unasked)).reason == "Redis is not asked"
    top = as_text(snapshot(**unasked, kubernetes=Sample()), SETTINGS)
    assert "\nHalt        not ready, call the brokers (no number is configured): Redis is not asked\n" in top


def test_who_refuses_us_has_not_crashed() -> None:
    denied: dict[str, Sample[Any]] = {
        field: dead(value=values()[field]).failed("wrong password", NOW, 0.1, is_denied=True) for field in REDIS_FIELDS
    }
    assessment, _ = assess(snapshot(**denied), SETTINGS, sections=REDIS_CRASH)
    finding = next(one for one in assessment.findings if one.subject == "Redis")
    assert finding.summary == "Redis refuses us: wrong password: mend redis.password, or its rights"
    assert (finding.severity, finding.section, finding.keys) == (Severity.P1, None, None)
    assert halt_readiness(snapshot(**denied)).reason == "Redis refuses us"
    assessment, _ = assess(snapshot(redis=denied["redis"]), SETTINGS, sections=REDIS_CRASH)
    assert [(one.rule, one.section) for one in assessment.findings] == [("payload_unreadable", None)]


def test_no_backend_is_named_twice() -> None:
    hung = dead(error="Kubernetes hangs in an earlier call")
    assessment, _ = assess(snapshot(kubernetes=hung), SETTINGS)
    assert assessment.findings[0].summary == "Kubernetes API does not answer: hangs in an earlier call"
    assessment, _ = assess(snapshot(kubernetes=dead(error=NO_ANSWER)), SETTINGS)
    assert assessment.findings[0].summary == "Kubernetes API does not answer in time"


@pytest.mark.parametrize("field", PROBES)
def test_stale_is_never_ok(field: str) -> None:
    """Old values without any error: the poller itself may have stood still."""
    stale = Sample.good(values()[field], NOW - 60, 0.01)
    assessment, _ = assess(snapshot(**{field: stale}), SETTINGS)
    assert assessment.severity < Severity.UNKNOWN
    assert assessment.findings


def test_what_was_known_stands_while_its_source_is_silent() -> None:
    var = {"risk": risk(var_99=3e6)}
    silence = all_redis_dead() | {"risk": dead(NOW + 60, 30.0, value=risk(var_99=3e6))}
    before, during, after = run((0, var), (60, silence), (70, {}))
    assert before.findings[0].summary == "VaR 99 3.00 M > limit 2.00 M"
    held = next(one for one in during.findings if one.rule == "var_over")
    assert held.summary == "last known: VaR 99 3.00 M > limit 2.00 M"
    assert held.since == before.findings[0].since
    assert after.findings == ()


def test_cleared_after_a_quiet_moment_only() -> None:
    ill = {"risk": risk(var_99=3e6)}
    raised, flicker, again, quiet, cleared = run((0, ill), (0.5, {}), (0.9, ill), (1.8, {}), (1.95, {}))
    assert [bool(one.findings) for one in (raised, flicker, again, quiet, cleared)] == [True, True, True, True, False]
    assert again.findings[0].since == NOW


def test_next_clear_is_announced() -> None:
    _, memory = assess(snapshot(risk=risk(var_99=3e6)), SETTINGS)
    assert next_clear_at(memory, 1.0, NOW) is None
    _, memory = assess(snapshot(NOW + 0.5), SETTINGS, memory)
    assert next_clear_at(memory, 1.0, NOW + 0.5) == NOW + 1.0


def test_noisy_number_needs_two_readings_and_the_same_reading_counts_once() -> None:
    sample = Sample.good(feeds(feed("yahoo", lag_p95_ms=300.0)), NOW, 0.01)
    again = replace(sample, value_at=NOW + 1)
    once, same, twice = run((0, {"feeds": sample}), (0.1, {"feeds": sample}), (1.0, {"feeds": again}))
    assert (once.findings, same.findings) == ((), ())
    assert twice.findings[0].summary == "yahoo p95 300 ms > 100 ms"


def test_worst_first_then_oldest() -> None:
    first = {"redis": redis(used_bytes=220 * 2**20)}
    second = first | {"venues": venues(venue("ZERODHA", "degraded")), "risk": risk(var_99=3e6)}
    _, later = run((0, first), (5, second))
    assert [one.rule for one in later.findings] == ["var_over", "redis_memory", "venue_degraded"]
    assert later.severity is Severity.P1


def test_keys_only_where_a_step_exists() -> None:
    sections = {"3.1": Section("Broker outage", "Space b")}
    changed = {"venues": venues(venue("IBKR", "down")), "redis": redis(is_loading=True)}
    assessment, _ = assess(snapshot(**changed), SETTINGS, NOTHING, sections)
    keys = {one.section: (one.section_title, one.keys) for one in assessment.findings}
    assert keys == {"3.1": ("Broker outage", "Space b"), "3.3": ("Redis crash", None)}


def test_broken_rule_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    @rule("redis", panel="redis")
    def clumsy(view: object, value: object) -> Any:
        raise ZeroDivisionError("1/0")

    monkeypatch.setattr(judge, "RULES", (clumsy,))
    assessment, _ = assess(snapshot(), SETTINGS)
    assert assessment.findings[0].summary == "cannot judge clumsy: ZeroDivisionError: 1/0"


def test_a_rule_that_breaks_keeps_what_it_found_and_what_it_had_found(monkeypatch: pytest.MonkeyPatch) -> None:
    @rule("risk", panel="risk", readings=2)
    def clumsy(view: View, value: Risk) -> Iterator[Hit]:
        yield Hit("VaR", Severity.P1, "VaR over")
        if value.es_975 is None:
            raise ZeroDivisionError("1/0")
        yield Hit("ES", Severity.P1, "ES over")

    monkeypatch.setattr(judge, "RULES", (clumsy,))
    _, whole, broken, later = run((0, {}), (1, {}), (2, {"risk": risk(es_975=None)}), (60, {"risk": risk(es_975=None)}))
    assert [one.summary for one in whole.findings] == ["ES over", "VaR over"]
    for seen in (broken, later):
        words = ["VaR over", "last known: ES over", "cannot judge clumsy: ZeroDivisionError: 1/0"]
        assert sorted(one.summary for one in seen.findings) == sorted(words)
    first = run((0, {"risk": risk(es_975=None)}))[0]
    assert (first.panel("risk"), [one.severity for one in first.findings]) == (Severity.P3, [Severity.P3])


def test_unconfigured_backend_is_no_reason_to_worry() -> None:
    bare = parsed(Settings, {"site": "bare", "root": "/nowhere", "world": "SANDBOX"})
    assessment, _ = assess(snapshot(venues=(), postgres=Sample(), kubernetes=Sample()), bare)
    assert assessment.severity is Severity.OK
    assert assessment.panel("postgres") is Severity.UNKNOWN


@pytest.mark.parametrize(("world", "severity"), [("LIVE", Severity.P1), ("PAPER", Severity.P2), ("SANDBOX", None)])
def test_without_a_redis_nobody_can_halt(world: str, severity: Severity | None) -> None:
    bare = parsed(Settings, {"site": "bare", "root": "/nowhere", "world": world})
    never = snapshot(redis=Sample(), kill_switch=Sample(), kubernetes=Sample())
    found = [one for one in assess(never, bare)[0].findings if "no Redis is configured" in one.summary]
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert "\nHalt        not ready, call the brokers (no number is configured): no Redis is configured\n" in as_text(
        never, bare
    )
    with_redis = parsed(Settings, {"site": "bare", "root": "/nowhere", "world": world, "redis": {}})
    assert not [one for one in assess(never, with_redis)[0].findings if "configured" in one.summary]


LATE_FEED = {"feeds": feeds(feed("yahoo", lag_p95_ms=616.0))}
SLOW_REDIS = {"redis": redis(round_trip_ms=120.0)}


@pytest.mark.parametrize(
    ("changed", "rule_name", "section", "is_noted"),
    [
        (LATE_FEED, "feed_late", "3.2", False),
        (LATE_FEED | SLOW_REDIS, "feed_late", "3.3", True),
        ({"feeds": feeds(feed("yahoo", lag_p95_ms=30_000.0))} | SLOW_REDIS, "feed_late", "3.2", False),
        ({"venues": venues(venue("IBKR", "up", latency_ms=400.0))}, "venue_slow", "3.1", False),
        ({"venues": venues(venue("IBKR", "up", latency_ms=400.0))} | SLOW_REDIS, "venue_slow", "3.3", True),
        ({"venues": venues(venue("IBKR", "degraded", message="answers slowly"))}, "venue_degraded", "3.1", False),
        ({"venues": venues(venue("IBKR", "degraded", message="answers slowly"))} | SLOW_REDIS, "venue_degraded",
         "3.3", True),
        ({"venues": venues(venue("IBKR", "degraded", code="2103"))} | SLOW_REDIS, "venue_degraded", "3.1", False),
    ],
)  # fmt: skip
def test_a_slow_redis_comes_first_and_answers_what_is_late_through_it(
    changed: dict[str, Any], rule_name: str, section: str, is_noted: bool
) -> None:
    late = {name: value for name, value in changed.items() if name != "redis"}
    *_, last = run((0, late), (5, late), (6, changed), (7, changed), (8, changed))
    found = next(one for one in last.findings if one.rule == rule_name)
    assert (found.section, found.summary.endswith("through a slow Redis")) == (section, is_noted)
    assert found.severity is Severity.P2
    assert last.findings[0].rule == ("redis_slow" if "redis" in changed else rule_name)


def test_what_is_first_shown_together_with_a_slow_redis_leads_to_its_section_from_the_start() -> None:
    changed = LATE_FEED | SLOW_REDIS
    *_, before, last = run((0, {}), (5, {}), (6, changed), (7, changed))
    assert before.findings == ()
    assert [(one.rule, one.section) for one in last.findings] == [("redis_slow", "3.3"), ("feed_late", "3.3")]
    *_, last = run((0, {}), (5, LATE_FEED), (6, changed))
    assert [(one.rule, one.section) for one in last.findings] == [("feed_late", "3.2")], "one slow answer"


def test_text_from_outside_is_short() -> None:
    long = venues(venue("IBKR", "down", message="x" * 500))
    assessment, _ = assess(snapshot(venues=long), SETTINGS)
    assert len(assessment.findings[0].summary) == 160


def test_reset_window_makes_an_outage_expected() -> None:
    part = structs.replace(SETTINGS.venues[0], reset_utc="00:00-23:59")
    settings = structs.replace(SETTINGS, venues=(part, *SETTINGS.venues[1:]))
    changed = {"venues": venues(venue("IBKR", "down")), "reach": reach(IBKR=False)}
    assessment, _ = assess(snapshot(**changed), settings)
    assert {one.severity for one in assessment.findings} == {Severity.P4}
    assert all(
        one.is_expected and one.summary.startswith("IBKR nightly reset (expected)") for one in assessment.findings
    )


@pytest.mark.parametrize("said", ["Connection reset by peer", "nightly reset"])
def test_a_connection_that_was_reset_is_an_outage(said: str) -> None:
    changed = {"venues": venues(venue("IBKR", "down", code=said, message=said))}
    assessment, _ = assess(snapshot(**changed), SETTINGS)
    assert [(one.rule, one.severity) for one in assessment.findings] == [("venue_down", Severity.P1)]


def test_a_reset_outside_its_window_excuses_nothing() -> None:
    part = structs.replace(SETTINGS.venues[0], reset_utc="07:00-08:00")
    settings = structs.replace(SETTINGS, venues=(part, *SETTINGS.venues[1:]))
    told = venues(venue("IBKR", "down", code="1100", message="nightly reset"))
    assessment, _ = assess(snapshot(venues=told, reach=reach(IBKR=False)), settings)
    found = {(one.rule, one.severity) for one in assessment.findings}
    assert found == {("venue_down", Severity.P1), ("venue_unreachable", Severity.P1)}


@given(some.integers(0, 1439), some.integers(0, 1439), some.integers(0, 86399))
def test_window_holds_its_begin_not_its_end(begin: int, end: int, second: int) -> None:
    window = "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (begin, end))
    length = (end - begin) % 1440 if begin != end else 0
    assert is_within(window, second) is ((second / 60 - begin) % 1440 < length)


def test_trading_state() -> None:
    assert trading(snapshot()).word is TradingWord.ACTIVE
    switch = KillSwitch(True, True, "drawdown", "risk-manager", NOW - 60)
    halted = trading(snapshot(kill_switch=switch))
    assert (halted.word, halted.by, halted.reason, halted.since) == ("HALTED", "risk-manager", "drawdown", NOW - 60)
    unknown = trading(snapshot(kill_switch=dead(value=switch)))
    assert (unknown.word, unknown.last_known, unknown.age_s) == ("UNKNOWN", "HALTED", 6.0)
    assert trading(Snapshot(0, NOW, World.LIVE, "x")).word is TradingWord.UNKNOWN


@pytest.mark.parametrize(
    ("changed", "word", "rung", "reason"),
    [
        ({}, "ready", "Redis", "durable (AOF everysec)"),
        ({"is_aof_on": False, "is_save_on": False}, "ready", "Redis", "NOT durable"),
        ({"is_aof_on": False}, "ready", "Redis", "only save points"),
        ({"is_aof_on": False, "is_save_on": False, "replicas": 1}, "ready", "Redis", "durable (1 replica)"),
        ({"role": "replica"}, "degraded", "scale router to 0", "read-only"),
        ({"refuses_writes": True}, "degraded", "scale router to 0", "MISCONF"),
        ({"used_bytes": 256 * 2**20}, "degraded", "scale router to 0", "memory is full"),
        ({"policy": "allkeys-lru"}, "degraded", "scale router to 0", "may evict"),
        ({"limit_bytes": None}, "ready", "Redis", "durable (AOF everysec)"),
        ({"appendfsync": "no"}, "ready", "Redis", "appendfsync no"),
        ({"appendfsync": None}, "ready", "Redis", "not known to be durable"),
        ({"refuses_writes": None, "is_save_ok": False}, "degraded", "scale router to 0", "may be refused"),
    ],
)
def test_halt_light(changed: dict[str, Any], word: str, rung: str, reason: str) -> None:
    light = halt_readiness(snapshot(redis=redis(**changed)), SETTINGS)
    assert (light.word, light.rung) == (word, rung)
    assert reason in light.reason


def test_halt_light_names_the_keys_of_its_rung() -> None:
    view = Shown(snapshot(redis=dead()), NOW, SETTINGS)
    assert plain(readiness(view, lambda: ACTIONS)) == (
        "DEGRADED › Space b h: scale router to 0 (Redis does not answer)"
    )
    assert plain(readiness(view, tuple)) == "DEGRADED: scale router to 0 (Redis does not answer)"
    phones = structs.replace(
        SETTINGS, venues=tuple(structs.replace(one, phone="+1 877 442 2757") for one in SETTINGS.venues[:1])
    )
    mute = Shown(snapshot(redis=dead(), kubernetes=dead()), NOW, phones)
    assert plain(readiness(mute, lambda: ACTIONS)).startswith("NOT READY: call the brokers (IBKR +1 877 442 2757) (")


def test_halt_light_falls_to_the_telephone() -> None:
    light = halt_readiness(snapshot(redis=dead(), kubernetes=dead()), SETTINGS)
    assert (light.word, light.rung, light.reason) == (
        "not ready",
        "call the brokers (no number is configured)",
        "Redis does not answer",
    )
    assert halt_readiness(snapshot(redis=dead()), SETTINGS).rung == "scale router to 0"
    gone = snapshot(redis=dead(), kubernetes=kubernetes(absent=("router",)))
    assert halt_readiness(gone, SETTINGS).rung == "call the brokers (no number is configured)"


def test_a_dead_backend_stands_before_older_trouble_with_data() -> None:
    _, memory = assess(snapshot(feeds=feeds(candles_missing=12)), SETTINGS)
    later = replace(snapshot(docker=dead(), feeds=feeds(candles_missing=12)), taken_at=NOW + 1)
    assessment, _ = assess(later, SETTINGS, memory)
    found = [one.rule for one in assessment.findings if one.severity is Severity.P3]
    assert found == ["backend_silent", "candles_missing"]
