"""A long run of one character in text from outside costs its length and no more.

A pattern that goes back over it again and again takes hours, and holds every thread of the process meanwhile."""

from __future__ import annotations

import subprocess
import sys

import pytest

WAIT_S = 60.0
"""Each takes well under a second, and without the care that is taken hours."""
PROGRAMS = {
    "a header's blanks": """
from cockpit.clients.answering import Answering
try:
    Answering("grafana", 1 << 20).feed(b"HTTP/1.1 200 OK\\r\\nx:" + b" " * 60_000 + b"\\0\\r\\n\\r\\n")
except Exception as error:
    print(error)
""",
    "a heading's blanks": """
from cockpit.storage.incident_text import headings
print([*headings(["# a" + " " * 300_000 + "x"])][0][1][-1])
""",
    "an entry's blanks": """
from cockpit.storage.incident_text import entries
print(entries("## Timeline\\n\\n- 2026-04-01 10:00 note: a" + " " * 60_000 + "x\\n")[0].text)
""",
    "comments without an end": """
from cockpit.storage.incident_text import section_text
print(len(section_text("## Summary\\n" + "<!--" * 300_000, "Summary")))
""",
    "the export's blanks": """
from cockpit.incidents.exports import full
from cockpit.storage.incident_text import facts
text = "# a\\n" + " " * 300_000 + "x\\n"
print(len(full(facts("2026-04-01-1944-P1-a", text), text, 0.0)))
""",
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_it_costs_its_length(what: str) -> None:
    program = [sys.executable, "-c", PROGRAMS[what]]
    done = subprocess.run(program, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
