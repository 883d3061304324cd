"""The configuration says what is wrong with it, and repeats no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cockpit.config import Settings, load
from cockpit.errors import ConfigError
from cockpit.parts import parsed
from cockpit.secret import Secret

WRONG = {
    "redis://:hunter2@db:6379/0": "password",
    "redis://ops:hunter2@db:6379/0": "password",
    "redis://:hun/ter2@db/0": "password",
    "redis://db/0?password=hunter2": "password",
    "rediss://db/0?ssl_password=hunter2": "password",
    "redis+sentinel://db:26379/mymaster": "redis\\+sentinel:// is not supported",
    "redis-cluster://db:6379": "redis-cluster:// is not supported",
    "db:6379": "must begin with redis://",
    "http://db": "must begin with redis://",
    "redis://db:six/0": "no URL with a host and a port",
    "redis://db:70000/0": "no URL with a host and a port",
    "redis://db:0/0": "no URL with a host and a port",
    "redis://db/x": "its database is no number: it ends in /NUMBER",
    "redis://db/0/1": "its database is no number",
    "redis://db/٣": "its database is no number",
    "unix:///run/redis.sock?db=hunter": "its database is no number: it ends in .db=NUMBER",
    "redis://db/0?ssl_certfile=x": "ssl_certfile is for TLS, which begins with rediss://",
    "rediss://db?ssl_cacert=hunter": "ssl_cacert is not understood: take it out; known are db, ssl_ca_certs",
    "redis://db/0?hunter": "an option in it is not understood",
    "rediss://db?ssl_cert_reqs=hunter": "ssl_cert_reqs must be one of required, optional, none",
    "rediss://db?ssl_check_hostname=hunter": "ssl_check_hostname must be one of true",
    "unix://run/hunter.sock": "with three slashes",
    "unix://": "with three slashes",
    f"redis://{'hun' * 22}.example/0": "no name that a machine can have",
    "redis://hun ter/0": "no name that a machine can have",
    "redis://hun..ter/0": "no name that a machine can have",
    f"redis://hün{'ter' * 20}/0": "no name that a machine can have",
}
NOWHERE = {
    "grafana.url": {
        "grafana.internal:3000": "must begin with http:// or https://",
        "ftp://grafana": "must begin with http:// or https://",
        "http://": "names no host",
        "http://:3000": "names no host",
        "https://a:0": "a port from 1 to 65535",
    },
    "docker.url": {
        "/var/run/docker.sock": "must begin with unix://, tcp://, http:// or https://",
        "ssh://hunter": "must begin with unix://, tcp://, http:// or https://",
        "unix://var/run/hunter.sock": "with three slashes",
        "unix://": "with three slashes",
        "tcp://:2375": "names no host",
        "https://dock:2376/hunter": "nothing may follow",
        "tcp://dock:2375?hunter": "nothing may follow",
    },
    "venues.0.probe": {
        "gateway:4001": "must begin with tws://, http:// or https://",
        "redis://gateway": "must begin with tws://, http:// or https://",
        "tws://:4001": "names no host",
        "tws://gateway:99999": "a port from 1 to 65535",
    },
    "postgres.dsn": {
        "hunter": "not written as libpq's keywords",
        "host=db hunter": "not written as libpq's keywords",
        "host='hunter": "not written as libpq's keywords",
        "host=db hunter2=x": "a keyword that is none",
        "host=db dbnam=hunter": "libpq has no keyword dbnam",
        "host=db port=hunter": "port must be a number from 1 to 65535",
        "host=a,b port=5432,70000": "port must be a number from 1 to 65535",
        "port=0 sslmode=hunter": "from 1 to 65535; sslmode must be one of disable",
        "postgresql://db/x?sslmode=hunter": "sslmode must be one of",
        "postgresql://db/x?hunter": "pairs of NAME=VALUE",
        "postgresql://db/x?db_name=hunter": "libpq has no keyword db_name",
        "postgresql://db/50%hunter": "stands for no character",
        "postgresql://db:99999/x": "a port from 1 to 65535",
        "mysql://db/hunter": "not written as libpq's keywords",
    },
    "postgres.admin_dsn": {"host=db prot=hunter": "libpq has no keyword prot"},
}
WINDOWS = ("03:45-34:45", "99:00-99:30", "03:45-03:45", "03:60-04:00", "3:45-4:45", "٠٣:٤٥-٠٤:٤٥")
"""Taken for what they say, the first would call an outage at noon a nightly reset."""
DSNS = ("host=db password=hunter2", "host=db PassWord = 'hunter2'", "postgresql://ops:hunter2@db/x")
SOMEWHERE = {
    "grafana": {"url": "https://grafana.internal/base/"},
    "docker": {"url": "tcp://[::1]:2375/"},
    "venues": [{"name": "A", "probe": "tws://gateway"}, {"name": "B", "probe": "http://bücher.example:8080"}],
    "postgres": {"dsn": "postgres://db/x?ssl=true&port=5432", "admin_dsn": "host=/run,db port=5432,6432 user='o\\'h'"},
}
RIGHT = (
    "redis://db",
    "redis://ops@db:6379/0",
    "rediss://[::1]:6380/1",
    "unix:///run/redis.sock?db=0",
    "unix://ops@/run/r",
    "redis:///2?socket_timeout=5",
    "rediss://db.?ssl_cert_reqs=none&ssl_check_hostname=False&db=3",
)


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "cockpit.yaml"
    file.write_text(f"site: s\nroot: /platform\n{text}\n", encoding="utf-8")
    return load(file)


@pytest.mark.parametrize(("url", "words"), WRONG.items())
def test_a_redis_url_that_is_no_use_is_refused(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        loaded(tmp_path, f'redis: {{url: "{url}"}}')
    assert "redis.url" in str(refused.value)
    assert "hun" not in str(refused.value)


@pytest.mark.parametrize(
    ("place", "address", "words"), [(place, *wrong) for place, each in NOWHERE.items() for wrong in each.items()]
)
def test_an_address_that_leads_nowhere_is_refused(tmp_path: Path, place: str, address: str, words: str) -> None:
    section, name = place.split(".")[0], place.split(".")[-1]
    part = [{"name": "A", name: address}] if section == "venues" else {name: address}
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, f"{section}: {json.dumps(part)}")
    assert f"  {place}: " in str(refused.value) and words in str(refused.value)
    assert "hunter" not in str(refused.value)


def test_all_of_them_are_told_at_once(tmp_path: Path) -> None:
    text = "redis: {url: 'redis://a/x'}\ndocker: {url: a}\ngrafana: {url: a}\npostgres: {dsn: a, admin_dsn: prot=1}"
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    places = [line.split(":")[0].strip() for line in str(refused.value).splitlines()[1:]]
    assert places == ["redis.url", "docker.url", "grafana.url", "postgres.dsn", "postgres.admin_dsn"]


def test_addresses_that_may_lead_somewhere_are_taken() -> None:
    found = parsed(Settings, {"site": "s", "root": "/platform", **SOMEWHERE})
    assert found.postgres is not None and found.postgres.dsn == "postgres://db/x?ssl=true&port=5432"


@pytest.mark.parametrize("dsn", DSNS)
def test_a_password_in_the_dsn_is_refused(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(ConfigError, match="under `password:`") as refused:
        loaded(tmp_path, f'postgres: {{dsn: "{dsn}"}}')
    assert "postgres.dsn" in str(refused.value) and "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", RIGHT)
def test_an_address_without_one_is_taken(tmp_path: Path, url: str) -> None:
    redis = loaded(tmp_path, f'redis: {{url: "{url}", password: {{env: X}}}}').redis
    assert redis is not None and redis.url == url


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('grafana: {url: "https://admin:hunter2@graf"}', "grafana.url"),
        ('docker: {url: "tcp://me:hunter2@dock:2376"}', "docker.url"),
        ('venues: [{name: A, probe: "https://me:hunter2@a/x"}]', "venues.0.probe"),
        ("postgres: {dump_max_age_s: .inf}", "postgres.dump_max_age_s"),
        ("thresholds: {venue_silent_s: .nan}", "thresholds.venue_silent_s"),
        ("venues: [{name: A}, {name: B}, {name: A}]", "two brokers are called A"),
        ("holidays: {NSE: [2026-02-30]}", "not valid YAML"),
        ("world: LIVE\nredis: {}\nworld: SANDBOX", "world stands twice"),
        ("redis: {url: 'redis://a', timeout_s: 1, url: 'redis://b'}", "url stands twice"),
        *((f"venues: [{{name: A, reset_utc: '{window}'}}]", "venues.0.reset_utc") for window in WINDOWS),
        ("venues: [{name: A, exchange: NSX}]", "venues.0.exchange: its hours are not known"),
        ("feeds: {exchanges: {yahoo: NYES}}", "feeds.exchanges.yahoo"),
        ("feeds: {exchanges: {yahooo: NYSE}}", "there is no feed yahooo"),
        ("exchanges: [NSE, LES]", "exchanges.1"),
        ("holidays: {NSEE: [2026-01-26]}", "holidays.NSEE"),
        ("alerting: {severities: {Page: P1, page: P2}}", "alerting.severities"),
        ("mouse: !!bool maybe", "not valid YAML"),
        ("thresholds: {redis_memory_fraction: 80}", "redis_memory_fraction: expected a number <= 1"),
        ("thresholds: {drawdown_fraction: 5}", "drawdown_fraction: expected a number <= 1"),
        ("redis: {order_streams: {incomming: a, validated: b, fills: c}}", "no stream is named for incoming, rejected"),
        ("interval_s: !!int ''", "not valid YAML"),
        ("interval_s: true", "interval_s: expected a number, got true or false"),
        ("interval_s: '2'", "interval_s: expected a number, got text: take the quotes off"),
        ("interval_s: 1" + "0" * 400, "interval_s: number out of range"),
        ("redis: {stop_s: 2.5}", "redis.stop_s: expected a whole number, got a number"),
        ("redis: {kill_switch_key: 5}", "redis.kill_switch_key: expected text, got a whole number"),
        ("redis: {order_streams: {1: a}}", "redis.order_streams.1: expected text"),
        ("scripts: {path: [/a, no]}", "scripts.path.1: expected text, got true or false"),
        ("incidents: {git: 1}", "incidents.git: expected true or false"),
        ("feeds:", "feeds: expected a mapping, got nothing"),
        ("feeds: {names: yahoo}", "feeds.names: expected a list, got text"),
        ("venues: [{nam: A}]", "venues.0.nam: unknown field"),
        ("venues: [{phone: A}]", "venues.0.name: it is missing"),
        ("world: hunter2", "world: expected one of LIVE, PAPER, SANDBOX, REPLAY"),
        ("world: LVIE", "world: expected one of LIVE, PAPER, SANDBOX, REPLAY, not 'LVIE'"),
        (
            "approvals: {required_in: [LIVE, live]}",
            "required_in.1: expected one of LIVE, PAPER, SANDBOX, REPLAY, not 'live'",
        ),
        ("jobs: {systemd: false}", "jobs.systemd: expected one of auto, never, always, not false"),
        ("jobs: {systemd: hunter2}", "jobs.systemd: expected one of auto, never, always"),
        ("redis: {password: hunter2}", "redis.password: expected a mapping, got text"),
        ("redis: {password: {env: A, command: [b]}}", "redis.password: name exactly one of env, file and command"),
        ("holidays: {NSE: [2026-01-26 00:00:00]}", "holidays.NSE.0: expected a date, got a date with a time"),
        ("holidays: {NSE: [soon]}", "holidays.NSE.0: expected a date"),
        ("site: !!timestamp soon", "not valid YAML"),
        ("holidays: " + "[" * 3000 + "]" * 3000, "not valid YAML"),
    ],
)
def test_what_no_worker_could_use_is_refused_at_once(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    assert "cockpit.yaml" in str(refused.value) and place in str(refused.value) and "hunter2" not in str(refused.value)


def test_an_error_in_the_yaml_names_the_file_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"in .*cockpit.yaml, line") as refused:
        loaded(tmp_path, "site: a: b")
    assert "<unicode string>" not in str(refused.value)


def test_a_number_is_one_however_it_is_written(tmp_path: Path) -> None:
    scripts = loaded(tmp_path, "scripts: {slice_usd: 1e6, orders_per_s: 5, replay_timeout_s: 60}").scripts
    assert (scripts.slice_usd, scripts.orders_per_s, scripts.replay_timeout_s) == (1e6, 5, 60.0)
    assert isinstance(scripts.replay_timeout_s, float)


def test_several_problems_are_told_at_once(tmp_path: Path) -> None:
    text = "grafana: {urll: a, timeout_s: 0}\nvenues: [{}, 5, {name: A, probe: 'https://a:70000'}]\nworld: x"
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    assert str(refused.value).splitlines()[1:] == [
        "  grafana.urll: unknown field",
        "  grafana.timeout_s: expected a number > 0.0",
        "  venues.0.name: it is missing",
        "  venues.1: expected a mapping, got a whole number",
        "  venues.2.probe: it is no URL with a host and a port from 1 to 65535",
        "  and 1 more",
    ]


@pytest.mark.parametrize("site", ["", "a b", "-a", "a" * 33, "a\n", "é"])
def test_a_site_that_cannot_be_in_a_files_name_is_refused(tmp_path: Path, site: str) -> None:
    with pytest.raises(ConfigError, match="site: expected at most 32"):
        load(tmp_path / "cockpit.yaml", json.dumps({"site": site, "root": "/platform"}))


def test_settings_do_not_change_and_share_nothing(tmp_path: Path) -> None:
    one, other = loaded(tmp_path, "redis: {}"), loaded(tmp_path, "redis: {}")
    assert one == other and one.redis is not None and other.redis is not None
    assert one.redis.order_streams is not other.redis.order_streams
    assert one.feeds.exchanges is not other.feeds.exchanges
    assert one.alerting.severities is not other.alerting.severities
    with pytest.raises(AttributeError):
        one.site = "b"  # type: ignore[misc]


def test_what_is_left_out_is_not_there(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "world: LIVE")
    parts = (settings.redis, settings.postgres, settings.kubernetes, settings.docker, settings.grafana)
    assert parts == (None,) * 5, "a halt must never go to a Redis that nobody named"


def test_folders_are_those_beside_the_file_wherever_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cockpit.yaml"
    file.write_text("site: s\nroot: ./platform\nstate: state\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = load(Path("cockpit.yaml"))
    assert (settings.root, settings.state) == (tmp_path / "platform", tmp_path / "state")


@pytest.mark.parametrize("where", [{"file": "a\0b"}, {"command": ["a\0b"]}])
def test_a_secret_that_is_nowhere_says_so(where: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="secret"):
        parsed(Secret, where).reveal()


def test_a_label_is_looked_up_whatever_its_capitals(tmp_path: Path) -> None:
    alerting = loaded(tmp_path, "alerting: {severities: {Page: P1, info: P4}}").alerting
    found = [alerting.severity(label).name for label in ("page", "PAGE", "info", "critical")]
    assert found == ["P1", "P1", "P4", "P2"]


def test_what_is_merged_may_be_said_anew(tmp_path: Path) -> None:
    text = "venues:\n- &one {name: A, exchange: NSE}\n- {<<: *one, name: B, reset_utc: '23:00-24:00'}"
    assert [venue.name for venue in loaded(tmp_path, text).venues] == ["A", "B"]
