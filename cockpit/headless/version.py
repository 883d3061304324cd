"""Which version this is, and on what it runs."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version


def version_line() -> str:
    """cockpit 0.1.0 (Python 3.11.7, Textual 8.2.8)"""
    return f"cockpit {_version('ops-cockpit')} (Python {platform.python_version()}, Textual {_version('textual')})"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
