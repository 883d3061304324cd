"""The first frame loads the toolkit and the wall, nothing of the platform's clients; headless faces not even that."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("pydantic", "redis", "psycopg", "httpx", "kubernetes", "yaml", "plotext", "aiohttp", "cockpit.session")


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(' '.join(sys.modules))"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_application_loads_no_client() -> None:
    assert not loaded_by("import cockpit.app, cockpit.screens.application, cockpit.terminal.driver") & set(HEAVY)


def test_keys_load_no_toolkit() -> None:
    modules = loaded_by("import cockpit.headless.keys, cockpit.keymap")
    assert not modules & {"textual", "rich", *HEAVY}
