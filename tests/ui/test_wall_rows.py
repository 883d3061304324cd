"""The wall, as text: every state at every size has its place and its words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from cockpit.config import KubernetesPart
from cockpit.model.sample import Sample
from cockpit.model.states import KillSwitch, Reach
from tests.ui import snapshots
from tests.ui.fake_session import SETTINGS, a_request
from widgets.chart import chart
from widgets.figures import milliseconds
from widgets.line import cut_text, plain, width_of
from widgets.panels.catalogue import PANELS
from widgets.panels.findings import headline
from widgets.printable import safe
from widgets.scene import Scene
from widgets.topline import top_lines
from widgets.trading import told, trading
from widgets.view import EVERY_LINE, View
from widgets.wall_rows import panel_body, wall_rows

SIZES = [(80, 21), (120, 37), (200, 57), (111, 30), (110, 37), (40, 8), (20, 3), (600, 200), (120, 20)]


def scene(name: str, passed: float = 0.0, **more: object) -> Scene:
    snapshot = snapshots.ALL[name]()
    view = View(snapshot, snapshots.NOW + passed, SETTINGS)
    values = {"readiness": (("ready", "ok"),), "live": view, "wall": view, **more}
    return Scene(snapshots.NOW + passed, world=snapshot.world, site=snapshot.site, operator="asha@jump1", **values)  # type: ignore[arg-type]


def text(name: str, width: int = 120, height: int = 37, **more: object) -> str:
    where = scene(name, **more)  # type: ignore[arg-type]
    return "\n".join(plain(row) for row in (*top_lines(where, width), *wall_rows(where, width, height)))


@pytest.mark.parametrize(("width", "said"), [(80, "ben-the… asks › a"), (120, "asks for a second person › a")])
def test_who_asks_for_a_second_person_is_seen_beside_the_longest_light(width: int, said: str) -> None:
    snapshot = replace(snapshots.healthy(), requests=(replace(a_request(), by="ben-the-second"),))
    light = (("ready via Redis, durable (AOF everysec)", "ok"),)
    found = scene("healthy", readiness=light, live=View(snapshot, snapshots.NOW, SETTINGS))
    second = plain(top_lines(found, width)[1])
    assert said in second and light[0][0] in second and "asha@jump1" in second


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", snapshots.ALL)
def test_rows_fill_the_wall_exactly(name: str, size: tuple[int, int]) -> None:
    width, height = size
    rows = wall_rows(scene(name), width, height)
    assert len(rows) == height
    if name != "hostile":
        assert max(map(width_of, rows)) <= width
        assert all(width_of(row) == width for row in top_lines(scene(name), width))


@pytest.mark.parametrize("size", [(80, 21), (120, 37), (200, 57)])
def test_borders_stand_in_columns(size: tuple[int, int]) -> None:
    rows = [plain(row) for row in wall_rows(scene("broker_down"), *size)]
    if size[0] > 80:
        inner = [row for row in rows if row.startswith("│")]
        third = size[0] // 3
        assert all(row[third - 1 : third + 1].strip("│╮╭╯╰─") == "" or size[0] % 3 for row in inner)


@pytest.mark.parametrize("size", [(80, 21), (120, 37), (200, 57)])
def test_every_panel_says_its_state_in_a_word(size: tuple[int, int]) -> None:
    shown = text("broker_down", *size)
    for name in ("Brokers", "Order flow", "Feeds", "Redis", "Postgres", "Kubernetes", "Alerts"):
        assert name in shown
    assert "P1" in shown and "OK" in shown


def test_trading_word_is_there_three_times_over() -> None:
    assert "● ACTIVE 42 m" in text("healthy")
    halted = text("broker_down")
    assert "■ HALTED 95 s" in halted
    assert "by asha@jump1" in halted and "IBKR is down" in halted
    assert "12 positions" in halted


@pytest.mark.parametrize(
    ("ibkr", "panel", "banner"),
    [
        ({"open_orders": 2}, ("2 open",), "not cancelled: 2 open orders ·"),
        ({"status": "down"}, ("? open", "open unknown, 0 last told"), "not cancelled: 2+ open orders, IBKR unknown"),
        ({"age_s": 42.0}, ("? open", "open unknown, 0 last told 42 s ago"), "2+ open orders, IBKR unknown"),
    ],
)
def test_what_a_broker_holds_that_is_not_heard_is_never_0(
    ibkr: dict[str, Any], panel: tuple[str, ...], banner: str
) -> None:
    base = snapshots.broker_down()
    first, *others = base.venues.value or ()
    lost = replace(first, **{"status": "up", **ibkr})
    left = [replace(one, open_orders=0) for one in others]
    if lost.open_orders is None:
        left[0] = replace(left[0], open_orders=2)
    live = View(replace(base, venues=replace(base.venues, value=(lost, *left))), snapshots.NOW, SETTINGS)
    said = text("broker_down", live=live, wall=live)
    assert all(words in said for words in (*panel, banner)), said
    assert "0 open orders" not in said


STILL = {"rate_per_s": 0.0, "newest_ms": snapshots.NOW_MS - 12_000}
FULL = 1_010_000_000


@pytest.mark.parametrize(
    ("streams", "redis", "words"),
    [
        ({}, {}, "trading is enabled"),
        ({"validated": STILL}, {}, "no halt, but no order passes: none validated for 12 s"),
        ({"fills": STILL}, {}, "no halt, but no order passes: none filled for 12 s"),
        ({"incoming": STILL, "validated": STILL, "fills": STILL}, {}, "trading is enabled"),
        ({"incoming": STILL, "validated": STILL}, {"refuses_writes": True}, "no order passes: Redis refuses writes"),
        ({"incoming": STILL, "validated": STILL}, {"used_bytes": FULL}, "no order passes: Redis' memory is full"),
        ({}, {"refuses_writes": True}, "trading is enabled"),
        ({"validated": {**STILL, "newest_ms": snapshots.NOW_MS - 2_000}}, {}, "trading is enabled"),
        ({"validated": {"rate_per_s": None}}, {}, "trading is enabled"),
    ],
)
def test_active_says_when_no_order_passes(streams: dict[str, Any], redis: dict[str, Any], words: str) -> None:
    calm = snapshots.healthy()
    assert calm.flow.value is not None and calm.redis.value is not None
    flow = replace(
        calm.flow.value,
        now_ms=snapshots.NOW_MS,
        in_flight=3,
        streams=tuple(replace(one, **streams.get(one.label, {})) for one in calm.flow.value.streams),
    )
    shown = replace(calm, flow=snapshots.good(flow), redis=snapshots.good(replace(calm.redis.value, **redis)))
    view = View(shown, snapshots.NOW, SETTINGS)
    assert trading(view).word == "ACTIVE"
    assert words in plain(told(view, (), 80)[0])
    stale = replace(shown, flow=snapshots.good(flow, age_s=100.0))
    assert "trading is enabled" in plain(told(View(stale, snapshots.NOW, SETTINGS), (), 80)[0])


def test_no_sum_without_the_one_broker_that_is_down_is_flat() -> None:
    base = snapshots.broker_down()
    first, *others = base.venues.value or ()
    assert base.risk.value is not None
    risk = replace(base.risk, value=replace(base.risk.value, positions=()))
    shown = replace(
        base,
        venues=replace(base.venues, value=(first, *(replace(one, open_orders=0) for one in others))),
        risk=risk,
    )
    live = View(shown, snapshots.NOW, SETTINGS)
    said = text("broker_down", live=live, wall=live)
    assert "open orders unknown at IBKR" in said and "no open orders" not in said


def test_a_position_that_cannot_be_read_is_not_flat() -> None:
    base = snapshots.broker_down()
    assert base.risk.value is not None
    unread = tuple(replace(one, qty=None) for one in base.risk.value.positions[:2])
    risk = replace(base.risk, value=replace(base.risk.value, positions=unread))
    venues = tuple(replace(one, status="up", open_orders=0) for one in base.venues.value or ())
    live = View(replace(base, venues=replace(base.venues, value=venues), risk=risk), snapshots.NOW, SETTINGS)
    said = text("broker_down", live=live, wall=live)
    assert "not flat: 2 positions, 2 unreadable" in said and "no open orders, flat" not in said


@pytest.mark.parametrize("width", [80, 60, 40, 30, 20])
@pytest.mark.parametrize(
    ("name", "state"), [("healthy", "ACTIVE"), ("broker_down", "HALTED"), ("redis_down", "UNKNOWN")]
)
def test_world_and_state_go_last_from_the_top_line(name: str, state: str, width: int) -> None:
    first = plain(top_lines(scene(name), width)[0])
    assert "SANDBOX" in first and state in first
    assert ("hf-1" in first) >= ("UTC" in first), "the clock goes before the site"


def test_a_site_that_is_called_as_its_world_is_said_once() -> None:
    where = scene("healthy")._replace(site="sandbox")
    assert "sandbox" not in plain(top_lines(where, 80)[0]) and "UTC" in plain(top_lines(where, 80)[0])


def test_what_to_press_is_never_cut_from_the_top_line() -> None:
    shown = plain(top_lines(scene("broker_down")._replace(site="sandbox"), 80)[0])
    assert "› Space b" in shown and "IBKR down" in shown and "UTC" in shown
    for width in (50, 60, 70):
        assert "› Space b" in plain(top_lines(scene("broker_down"), width)[0])


def test_stale_is_said_and_never_green() -> None:
    where = scene("redis_down")
    shown = "\n".join(plain(row) for row in wall_rows(where, 120, 37))
    assert "14 s OLD" in shown and "refused: 127.0.0.1:16379" in shown
    assert "? UNKNOWN" in text("redis_down") and "ACTIVE 42" not in text("redis_down")
    brokers = wall_rows(where, 120, 37)[3:14]
    first_third = [span for row in brokers for span in row[:4]]
    assert not [span for span in first_third if span[1] == "ok"]


def test_what_the_cockpit_sees_itself_does_not_grow_old_with_redis() -> None:
    snapshot = snapshots.redis_down()
    reach = (Reach("IBKR", False, 2000, "refused"), Reach("Zerodha", True, 8.4, "HTTP 200"))
    view = View(replace(snapshot, reach=snapshots.good(reach, 0.4)), snapshots.NOW, SETTINGS)
    rows = wall_rows(scene("redis_down", wall=view), 120, 37)
    spans = [span for row in rows for span in row]
    assert ("IBKR refused", "crit") in spans, "our own probe is live"
    assert any(text.startswith("IBKR ") and ink == "stale" for text, ink in spans), "what Redis said is not"
    assert any("Exited (137)" in text and ink == "crit" for text, ink in spans)


@pytest.mark.parametrize("size", [(80, 21), (120, 37)])
def test_a_dead_redis_does_not_read_as_a_dead_broker(size: tuple[int, int]) -> None:
    rows = [plain(row) for row in wall_rows(scene("redis_down"), *size)]
    shown = "\n".join(rows)
    assert shown.count("refused: 127.0.0.1:16379") == 2, "Redis' own panel, and the band"
    assert shown.count("Redis does not answer") == 5
    if size[0] < 100:
        row = next(row for row in rows if "Brokers" in row)
        assert "Redis does not answer  was IBKR up" in row


def test_a_number_is_whole_or_not_in_the_top_line() -> None:
    for width in range(40, 121):
        first = plain(top_lines(scene("feed_late"), width)[0])
        for number in re.findall(r"[<>] ?(\d+)", first):
            assert number in ("100", "0"), first


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [
        ("loss $1,234,567 today", 11, "loss $…"),
        ("ready 12/345", 11, "ready 12/…"),
        ("lag=1234567", 8, "lag=…"),
        ("p95 316 ms now", 8, "p95…"),
        ("p95 316 ms now", 9, "p95…"),
        ("used 12.5% of it", 10, "used…"),
        ("3 jobs", 3, "3…"),
        ("node-1234 is up", 8, "node-12…"),
    ],
)
def test_a_number_is_whole_with_its_unit_or_not_there(text: str, width: int, kept: str) -> None:
    assert cut_text(text, width) == kept


@pytest.mark.parametrize("size", [(80, 24), (120, 37), (200, 57)])
def test_a_chart_is_called_by_the_whole_name_and_what_it_measures(size: tuple[int, int]) -> None:
    shown = text("healthy", *size)
    assert re.search(r"IBKR latency +[█▇▆▅▄▃▂▁\d]", shown) and re.search(r"yahoo lag +[█▇▆▅▄▃▂▁\d]", shown)
    longest = [plain(row) for row in chart("moneycontrol lag", (3.0, 25.0), 36, 3, show=milliseconds)]
    assert [row[:17].rstrip() for row in longest] == ["moneycontrol lag", "max 25 ms", "min 3.0 ms"]
    narrow = [plain(row) for row in chart("moneycontrol lag", (3.0, 25.0), 20, 3)]
    assert list(map(len, narrow)) == [20] * 3 and narrow[0].startswith("moneycon… ")


@pytest.mark.parametrize("name", snapshots.ALL)
def test_no_limit_is_told_by_a_sign_that_ascii_has_not(name: str) -> None:
    """Its stand-in of one cell would tell another limit."""
    assert not set(text(name, 200, 57)) & set("≤≥±µ")


def test_nothing_ever_read_is_no_zero() -> None:
    shown = text("black_holed")
    assert "NO DATA" in shown and "no answer in time" in shown
    assert "UNKNOWN" in shown and "● OK" not in shown and "nothing is wrong" not in shown


@pytest.mark.parametrize("size", [(80, 21), (120, 37)])
@pytest.mark.parametrize("is_configured", [True, False])
def test_nobody_waits_for_what_is_not_configured(is_configured: bool, size: tuple[int, int]) -> None:
    given = structs.replace(SETTINGS, kubernetes=KubernetesPart() if is_configured else None)
    view = View(replace(snapshots.healthy(), kubernetes=Sample()), snapshots.NOW, given)
    shown = "\n".join(map(plain, wall_rows(scene("healthy", wall=view), *size)))
    words = ("waiting for the first answer", "no answer"), ("not configured",)
    assert all(each in shown for each in words[not is_configured])
    assert not any(each in shown for each in words[is_configured])


@pytest.mark.parametrize("is_known", [True, False])
def test_docker_that_does_not_answer_says_why_beside_what_it_said_last(is_known: bool) -> None:
    base = snapshots.healthy()
    before: Sample[Any] = replace(base.docker, value_at=snapshots.NOW - 14) if is_known else Sample()
    error = "cannot reach /run/docker.sock: there is no such socket"
    lost = replace(base, docker=before.failed(error, snapshots.NOW, 0.1))
    view = View(lost, snapshots.NOW, SETTINGS)
    wide, narrow = (
        "\n".join(map(plain, wall_rows(scene("healthy", wall=view), *size))) for size in ((120, 37), (80, 21))
    )
    assert "│ docker: cannot reach" in wide and "/run/docker.sock: there is no such" in wide
    assert ("Up 11 hours (14 s ago)" in wide) is is_known
    assert "docker unknown" in narrow and "docker unknown" not in text("healthy", 80, 21)


def test_data_goes_stale_on_the_screen_although_no_snapshot_comes() -> None:
    shown = text("healthy", passed=20.0)
    assert (
        "20 s OLD" in shown and "? UNKNOWN" in shown and "● OK" not in shown.split("Kubernetes")[0].split("Brokers")[1]
    )


def test_findings_worst_first_with_section_and_keys() -> None:
    shown = text("broker_down", 80, 21)
    assert shown.index("IBKR down: 1100") < shown.index("kill switch engaged: IBKR is down")
    assert "› Space b 3.1" in shown and "› Space b 3.1 Broker outage" in text("broker_down")
    row = next(each for each in shown.splitlines() if "IBKR down: 1100" in each and "3.1" in each)
    assert row.count("Space b") == 1, "the keys stand once in a line"
    assert "Engage the kill switch" in shown and "proven" in shown, "as on the jobs and in the runbook"


@pytest.mark.parametrize(("width", "is_shown"), [(60, True), (28, False)])
def test_findings_keep_their_keys_in_one_line_where_the_width_has_room(width: int, is_shown: bool) -> None:
    finding = next(one for one in snapshots.broker_down().assessment.findings if one.keys)
    row = plain(headline(replace(finding, summary="IBKR down: 1100"), finding.since + 5, width))
    assert row.startswith("■ P1 IBKR down") and ("› Space b" in row) is is_shown


def test_drawdown_stands_beside_its_limit_in_one_line_too() -> None:
    shown = text("healthy", 80, 21)
    assert "drawdown 0.8 of 5.0 %" in shown and "gross 69 %" in shown


def test_compact_lists_the_worst_panel_first() -> None:
    rows = [plain(row) for row in wall_rows(scene("feed_late"), 80, 21)]
    names = [row[3:14].strip() for row in rows[3:11]]
    assert names[:2] == ["Feeds", "Alerts"]
    assert "341 ms" in rows[3] and "P2" in rows[3]


@pytest.mark.parametrize("name", ["feed_late", "broker_down", "blocked"])
def test_a_row_says_first_what_is_wrong_with_it(name: str) -> None:
    where = scene(name)
    assert where.wall is not None
    rows = [plain(row) for row in wall_rows(where, 80, 21)][3:11]
    worst = {}
    for finding in reversed(where.wall.snapshot.assessment.findings):
        worst[finding.panel] = finding
    assert worst
    for finding in worst.values():
        assert any(row[14:].startswith(f"{finding.severity.label} {finding.summary}"[:50]) for row in rows), finding
    assert "3 rules" in text("healthy", 80, 21), "figures where nothing is wrong"


def test_no_row_that_matters_is_cut_at_the_usual_size() -> None:
    for name in ("healthy", "feed_late", "broker_down"):
        assert "…" not in text(name).replace("Engage the kil…", "")


def test_big_walls_show_groups_positions_and_pods() -> None:
    shown = text("healthy", 200, 57)
    for part in ("router of validated", "ICICIBANK", "ws-gateway-6c9f7d5b8-aaaaa"):
        assert part in shown


def test_filter_keeps_only_matching_lines() -> None:
    shown = text("healthy", needle="zerodha")
    assert "Zerodha" in shown and "moneycontrol" not in shown and "nothing here matches zerodha" in shown
    assert "RELIANCE" in text("healthy", needle="reliance")


def test_a_panel_whose_title_matches_shows_its_lines() -> None:
    view = scene("healthy").wall
    assert view is not None
    redis = next(panel for panel in PANELS if panel.title == "Redis")
    shown = [plain(row) for row in panel_body(view, redis, 36, 8, "edi")]
    assert shown == [plain(row) for row in redis.lines(view, 36, EVERY_LINE)] and len(shown) > 1


def test_frozen_is_said_in_large_letters() -> None:
    view = scene("healthy").live
    assert view is not None
    rows = wall_rows(scene("healthy", passed=12.0, wall=view, frozen_since=view.now), 120, 37)
    assert [span for row in rows[:3] for span in row if span[1] == "frozen_big"]
    assert "12 s OLD" not in "\n".join(plain(row) for row in rows)


def test_while_frozen_nothing_changes_that_says_nothing_new() -> None:
    def shown(passed: float, name: str = "healthy") -> list[str]:
        view = scene("healthy").live
        assert view is not None
        where = scene(name, passed=passed, wall=view, frozen_since=view.now)
        return [plain(row) for row in (*top_lines(where, 120), *wall_rows(where, 120, 37))]

    assert shown(0.4) == shown(2.9)
    assert shown(0.4)[:2] != shown(0.4, "broker_down")[:2], "the top lines stay live"


def test_while_frozen_no_clock_runs_ahead() -> None:
    view = scene("healthy").live
    assert view is not None
    assert view.snapshot.kill_switch.value is not None and view.snapshot.kill_switch.value_at is not None
    for passed, said in ((34.0, "HALTED <1 m"), (61.0, "HALTED 1 m")):
        halted = KillSwitch(True, True, "drill", "asha", view.now - passed)
        snapshot = replace(view.snapshot, kill_switch=replace(view.snapshot.kill_switch, value=halted))
        live = view._replace(snapshot=snapshot)
        first, _ = top_lines(scene("healthy")._replace(live=live, wall=live, frozen_since=view.now), 120)
        assert f"{said} " in plain(first)


def test_a_filter_that_fits_no_finding_says_so() -> None:
    rows = wall_rows(scene("broker_down", needle="nothing of the kind"), 80, 21)
    said = "\n".join(plain(row) for row in rows)
    assert "no finding matches nothing of the kind" in said and "IBKR down" not in said


def test_before_the_first_snapshot_the_wall_is_already_there() -> None:
    empty = Scene(snapshots.NOW, progress=("starting a sandbox",))
    for size in SIZES:
        assert len(wall_rows(empty, *size)) == size[1]
    shown = "\n".join(plain(row) for row in wall_rows(empty, 120, 37))
    assert "Brokers" in shown and "starting a sandbox" in shown


def test_hostile_text_is_shown_harmless() -> None:
    for width, height in SIZES:
        for row in (*wall_rows(scene("hostile"), width, height), *top_lines(scene("hostile"), width)):
            assert all(part.isprintable() for part, _ in safe(row))
