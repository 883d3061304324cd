"""The configuration says what is wrong with it, and repeats no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.config import Settings, load
from cockpit.errors import ConfigError

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
}
DSNS = ("host=db password=hunter2", "host=db PassWord = 'hunter2'", "postgresql://ops:hunter2@db/x")
RIGHT = (
    "redis://db",
    "redis://ops@db:6379/0",
    "rediss://[::1]:6380/1",
    "unix:///run/redis.sock?db=0",
    "unix://ops@/run/r",
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


@pytest.mark.parametrize("dsn", DSNS)
def test_a_password_in_the_dsn_is_refused(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(ConfigError, match="under `password:`") as refused:
        loaded(tmp_path, f'postgres: {{dsn: "{dsn}"}}')
    assert "postgres.dsn" in str(refused.value) and "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", RIGHT)
def test_an_address_without_one_is_taken(tmp_path: Path, url: str) -> None:
    redis = loaded(tmp_path, f'redis: {{url: "{url}", password: {{env: X}}}}').redis
    assert redis is not None and redis.url == url
