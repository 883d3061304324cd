"""How many workers the whole suite runs on."""

from __future__ import annotations

import os

import pytest

WORKERS_PER_CORE = 2  # most tests wait for a server or a terminal: two on a core leave neither idle nor late


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means here: more workers than cores, for the tests mostly wait."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)
