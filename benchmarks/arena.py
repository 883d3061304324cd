"""The sandbox that everything is measured on, and cockpits on it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
import yaml

from benchmarks.ptyprogram import PtyProgram
from cockpit.config import load
from cockpit.sandbox import launcher
from cockpit.sandbox.layout import Layout

COCKPIT = (sys.executable, "-m", "cockpit")
BARE = (sys.executable, "-m", "benchmarks.bare")
GROUPS = ("first", "second")
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Arena:
    """A trading sandbox, and a folder for configurations of it."""

    layout: Layout
    folder: Path

    def config(self, name: str, **changes: Any) -> Path:
        """The sandbox's configuration with other parts; `streams` more streams to watch."""
        content = yaml.safe_load(Path(self.layout.config).read_text(encoding="utf-8"))
        streams = changes.pop("streams", 0)
        content["redis"]["watched_streams"] = stream_names(streams)
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({**content, **changes}), encoding="utf-8")
        file.chmod(0o600)
        if streams:
            self.fill(streams)
        return file

    def fill(self, count: int) -> None:
        """Have so many streams in the sandbox's Redis."""
        settings = load(Path(self.layout.config)).redis
        assert settings is not None
        with redis.Redis.from_url(settings.url) as client:
            fill(client, count)

    def cockpit(self, config: Path) -> PtyProgram:
        """A cockpit whose wall is complete."""
        program = PtyProgram((*COCKPIT, "--config", str(config)))
        try:
            program.until(is_filled, 60.0)
        except TimeoutError:
            program.close()
            raise
        return program


@contextmanager
def arena() -> Iterator[Arena]:
    """From nothing to nothing."""
    private = launcher.launch_private()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield Arena(private.layout, Path(folder))
    finally:
        private.close()


def stream_names(count: int) -> list[str]:
    """Streams of a platform with many."""
    return [f"md.{number:05}" for number in range(count)]


def fill(client: Any, count: int) -> None:
    """So many streams with an entry and two groups that have read it; those that are there are left alone."""
    for start in range(0, count, BATCH):
        pipe = client.pipeline(transaction=False)
        for name in stream_names(count)[start : start + BATCH]:
            pipe.xadd(name, {"json": "{}"}, maxlen=1)
            for group in GROUPS:
                pipe.xgroup_create(name, group, "$")
        pipe.execute(raise_on_error=False)


def is_filled(text: str) -> bool:
    """Whether the wall shows the platform's data."""
    return ("ACTIVE" in text or "HALTED" in text) and "VaR" in text
