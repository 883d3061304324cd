"""Section 3.2 as it is walked: the primary feed stalls, registry.yaml is switched, ws-gateway restarted; and back."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest

from cockpit.errors import Rejected
from cockpit.model.job import Phase, StepState
from cockpit.sandbox.layout import Layout
from tests.sandbox.conftest import Control, wait_until
from tests.sandbox.step_desk import StepDesk, opened, told

SWITCH, RESTART = "feed.switch", "rollout.restart"


@pytest.fixture
def desk(sandbox: tuple[Layout, Control]) -> Iterator[StepDesk]:
    layout, control = sandbox
    before = layout.registry.read_bytes()
    with opened(layout, control) as found:
        yield found
    control.clear()
    layout.registry.write_bytes(before)


def active(desk: StepDesk) -> str | None:
    return desk.snapshot.feeds.value.active if desk.snapshot.feeds.value else None


def primary(desk: StepDesk) -> str | None:
    return desk.snapshot.registry.value.primary if desk.snapshot.registry.value else None


def switched(desk: StepDesk) -> None:
    job = desk.ended(desk.take(SWITCH))
    assert job.phase is Phase.DONE, told(job)
    assert "restarts ws-gateway" in job.proofs[0].detail
    job = desk.ended(desk.take(RESTART))
    assert job.phase is Phase.DONE, told(job)


def test_a_stalled_feed_is_left_and_returned_to(desk: StepDesk) -> None:
    file = desk.layout.registry
    file.chmod(0o640)
    before = file.read_bytes()
    desk.control.inject("feed-stalled")
    plan = desk.allowed(SWITCH)
    assert plan.phrase == "registry.yaml"
    assert plan.impact[:4] == (
        "-primary_feed: yahoo", "-backup_feed: moneycontrol", "+primary_feed: moneycontrol", "+backup_feed: yahoo"
    )  # fmt: skip
    switched(desk)
    swapped = b"primary_feed: moneycontrol\nbackup_feed: yahoo"
    assert file.read_bytes() == before.replace(b"primary_feed: yahoo\nbackup_feed: moneycontrol", swapped)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    kept = list(file.parent.glob("registry.yaml.*.old"))
    assert [one.read_bytes() for one in kept] == [before]
    wait_until(lambda: active(desk) == "moneycontrol")
    # Back to a feed that is still dead: refused, and nothing is written.
    wait_until(lambda: any(check.name == "feed yahoo" for check in desk.plan(SWITCH).blocking))
    with pytest.raises(Rejected, match="feed yahoo"):
        desk.submit(desk.plan(SWITCH))
    desk.control.clear("feed-stalled")
    switched(desk)
    assert file.read_bytes() == before
    wait_until(lambda: active(desk) == "yahoo")


def test_a_file_that_somebody_changed_meanwhile_is_not_overwritten(desk: StepDesk) -> None:
    plan = desk.allowed(SWITCH)
    file = desk.layout.registry
    file.write_bytes(file.read_bytes() + b"# mine\n")
    theirs = file.read_bytes()
    with pytest.raises(Rejected, match="no longer what would be done"):
        desk.submit(plan)
    assert file.read_bytes() == theirs
    wait_until(lambda: primary(desk) == "yahoo")
    job = desk.ended(desk.take(SWITCH))
    assert (job.phase, job.steps[1].state) == (Phase.DONE, StepState.DONE), told(job)
    assert file.read_bytes().endswith(b"# mine\n")
