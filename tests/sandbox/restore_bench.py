"""A desk that restores from a folder of its own, with a pg_restore that can be made to fail."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from cockpit.model.job import Job
from cockpit.model.plan import Plan
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.dumped import DATABASE, databases, drop_others, failing_program, role
from tests.sandbox.step_desk import StepDesk, opened, opened_with

RESTORE = "pg_restore.restore"


@dataclass
class Bench:
    """A desk that restores from a folder of its own."""

    desk: StepDesk
    folder: Path

    @property
    def layout(self) -> Layout:
        return self.desk.layout

    def put(self, dump: Path, content: bytes | None = None) -> None:
        """Make it the newest dump, old enough to be read at once, and await that it was."""
        file = self.folder / "new"
        shutil.copyfile(dump, file) if content is None else file.write_bytes(content)
        at = time.time() - 300
        os.utime(file, (at, at))
        file.rename(self.folder / "latest.dump")
        wait_until(lambda: self.is_read(at))

    def is_read(self, at: float) -> bool:
        sample = self.desk.snapshot.dump
        found = sample.value
        seen = found is not None and found.is_readable is not None and abs(sample.value_at - found.age_s - at) < 0.5
        return bool(seen)

    def mode(self, how: str) -> None:
        (self.folder / "mode").write_text(how)

    def blocked_by(self, name: str) -> Plan:
        wait_until(lambda: name in {check.name for check in self.desk.plan(RESTORE).blocking})
        return self.desk.plan(RESTORE)

    def restore(self) -> Job:
        return self.take(RESTORE)

    def take(self, action: str, overrides: tuple[str, ...] = ()) -> Job:
        """The step to its end."""
        plan = self.desk.plan(action) if overrides else self.desk.allowed(action)
        return self.desk.ended(self.desk.submit(plan, "test", overrides))

    def is_intact(self) -> bool:
        """Only the platform's database is there, and it takes connections."""
        with role(self.layout) as link:
            return databases(self.layout) == [DATABASE] and link.execute("SELECT 1").fetchone() == (1,)


@contextmanager
def benched(layout: Layout, control: Control, folder: Path, **more: Any) -> Iterator[Bench]:
    """It leaves nothing behind."""
    with opened(layout, control) as plain:
        assert plain.settings.postgres is not None
        own = {"dump": folder / "latest.dump", "pg_restore": str(failing_program(folder)), **more}
        part = structs.replace(plain.settings.postgres, **own)
        with opened_with(structs.replace(plain.settings, postgres=part), plain) as desk:
            yield Bench(desk, folder)
    drop_others(layout)
    with role(layout) as link:
        link.execute("DROP TABLE IF EXISTS bulk")
