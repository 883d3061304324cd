"""Commits an incident to the git repository that its folder is in; a failure is reported and stops nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cockpit.text import clean

LIMIT_S = 10.0
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "core.fsmonitor=false")
"""A repository's hooks are other people's programs, and a signature may ask for a passphrase: neither at 3 a.m."""


def commit(file: Path, message: str, by: str) -> str:
    """Commit this file alone; empty where that worked or nothing had changed, else why not, in one line."""
    git = ["git", *_QUIET, "-C", str(file.parent)]
    name = f"./{file.name}"
    who = ["-c", f"user.name={by}", "-c", f"user.email={by if '@' in by else by + '@localhost'}"]
    try:
        failed = _run([*git, "add", "--", name])
        if not failed and not _run([*git, "diff", "--cached", "--quiet", "--", name]):
            return ""
        return failed or _run([*git, *who, "commit", "--quiet", "--no-verify", "-m", message, "--", name])
    except (OSError, subprocess.SubprocessError) as error:
        return f"git: {clean(error)}"


def _run(arguments: list[str]) -> str:
    """Why it failed; empty where it did not."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "XDG_CONFIG_HOME")}
    done = subprocess.run(
        arguments,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
        env={**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"},
    )
    if done.returncode == 0:
        return ""
    said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
    return f"git: {clean(said.splitlines()[-1])}" if said else f"git: exit code {done.returncode}"
