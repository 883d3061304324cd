"""What a new incident begins with: one Markdown file per section of the runbook, plain data."""

from __future__ import annotations

from pathlib import Path
from string import Template

from cockpit.text import clean

FOLDER = Path(__file__).parent / "templates"
OTHER = "other"


def body(section: str, title: str) -> str:
    """The Markdown for an incident of this section; the general one where the section has none."""
    names = {path.stem for path in FOLDER.glob("*.md")}
    file = FOLDER / f"{section if section in names else OTHER}.md"
    return Template(file.read_text(encoding="utf-8")).safe_substitute(title=clean(title, 120).replace("<", "‹"))
