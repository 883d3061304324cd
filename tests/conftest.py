"""How many workers the whole suite runs on, and which examples its property tests try."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

WORKERS_PER_CORE = 2  # most tests wait for a server or a terminal: two on a core leave neither idle nor late

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How long an example takes on a busy machine says nothing of what it tries."""
settings.register_profile("repeatable", PATIENT, derandomize=True)
settings.register_profile("explore", PATIENT, derandomize=False, max_examples=1000, print_blob=True)
"""Other examples at every run, and ten times as many where a test does not say how many itself."""
settings.load_profile("repeatable")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means here: more workers than cores, for the tests mostly wait."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)
