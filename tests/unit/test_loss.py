"""What an incident lost, as its steps have measured it: proposed at its close, with where it comes from."""

from __future__ import annotations

from dataclasses import replace

from cockpit.incidents.loss import measured
from cockpit.model.incident import Incident
from cockpit.model.job import Job, Phase
from cockpit.model.severity import Severity
from cockpit.model.world import World
from cockpit.storage.fold import fold
from cockpit.storage.journal import Entry

BEGAN = 1_800_000_000.0
INCIDENT = Incident("i", "Redis down", Severity.P1, BEGAN + 60, began_at=BEGAN)
RESTORE = Job(
    "1",
    "pg_restore.restore",
    "Restore hedgefund",
    "hedgefund",
    World.SANDBOX,
    "d",
    "asha",
    Phase.DONE,
    BEGAN + 90,
    recovered_to=BEGAN - 200,
)
REPLAY = replace(
    RESTORE, id="2", action="script.replay", title="Replay", submitted_at=BEGAN + 200, recovered_to=BEGAN - 5
)


def test_the_largest_loss_counts_and_says_where_it_comes_from() -> None:
    found = measured(INCIDENT, (REPLAY, RESTORE))
    assert found is not None and found.minutes == 3.4, "200 s, to the next tenth upwards"
    assert found.words == "Restore hedgefund: what it put back ends 07:56:40Z, the trouble began 08:00:00Z"
    alone = measured(INCIDENT, (REPLAY,))
    assert alone is not None and alone.minutes == 0.1
    assert measured(INCIDENT, (replace(REPLAY, recovered_to=BEGAN + 5),)) is None, "what came since is in it"


def test_what_put_nothing_back_or_was_not_proven_or_was_before_measures_nothing() -> None:
    unproven, early = replace(RESTORE, phase=Phase.IN_DOUBT), replace(RESTORE, submitted_at=BEGAN - 1)
    assert measured(INCIDENT, (unproven, early, replace(RESTORE, recovered_to=None))) is None


def test_a_restore_that_was_taken_back_lost_nothing() -> None:
    back = replace(RESTORE, action="pg_restore.swap_back", submitted_at=BEGAN + 300, recovered_to=None)
    assert measured(INCIDENT, (back, RESTORE)) is None
    again = replace(RESTORE, submitted_at=BEGAN + 400, recovered_to=BEGAN - 60)
    found = measured(INCIDENT, (again, back, RESTORE))
    assert found is not None and found.minutes == 1.0


def test_the_journal_says_where_the_past_ends_that_was_put_back() -> None:
    facts = {"action": "a", "title": "t", "target": "x", "world": "SANDBOX", "digest": "d", "by": "asha"}
    entries = [
        Entry(1.0, "submitted", {**facts, "steps": ["read", "put"], "proofs": []}),
        Entry(2.0, "step_started", {"step": 0, "command": "c", "before": {"recovered_to": 0.5}}),
        Entry(3.0, "step_done", {"step": 0, "facts": {"recovered_to": 0.75}}),
        Entry(4.0, "step_started", {"step": 1, "command": "c", "before": {}}),
    ]
    for upto, expected in ((1, None), (2, 0.5), (3, 0.75), (4, 0.75)):
        job = fold("1", entries[:upto], is_held=True)
        assert job is not None and job.recovered_to == expected
