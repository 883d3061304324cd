"""The secrets of one sandbox: made new each time, kept in 0600 files and nowhere else."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cockpit.sandbox.layout import Layout


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the served APIs ask of their callers."""

    folder: Path
    postgres: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    kubernetes: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    grafana: str = field(default_factory=lambda: "glsa_" + secrets.token_hex(20), repr=False)
    kite_key: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)
    kite_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    slack: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)

    @classmethod
    def made_for(cls, layout: Layout) -> Credentials:
        """New ones, written down for the clients that are told the files' names."""
        folder = layout.folder / "secrets"
        folder.mkdir(mode=0o700)
        made = cls(folder)
        for name in ("postgres", "kubernetes", "grafana", "slack"):
            write_private(folder / name, getattr(made, name) + "\n")
        write_private(folder / "kite", f"{made.kite_key}:{made.kite_token}\n")
        return made

    def file(self, name: str) -> Path:
        """The file that holds one of them."""
        return self.folder / name


def write_private(file: Path, text: str) -> None:
    """Write a file that was never readable by others, not even for a moment."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
