"""Killed while somebody types, at any moment: the file is whole, and everything that was said to be saved is in it."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from cockpit.incidents.templates import body
from cockpit.incidents.writing import Writing
from cockpit.model.severity import Severity
from cockpit.storage.incident_front import read, split
from cockpit.storage.incident_text import facts
from cockpit.storage.incidents import Incidents, Opening
from cockpit.storage.merge import has_conflict
from widgets.editor import Editor

KILLS = int(os.environ.get("COCKPIT_KILLS", "20"))
"""So many; 100 where somebody asks for it."""


def typist(folder: Path, name: str, told: int) -> None:
    """Types one word after the other through the editor, and saves as the screen does; never ends."""
    incidents = Incidents(folder, "asha@jump1")
    text = incidents.body(name)
    text = incidents.save_body(name, text, text).body
    editor, writing = Editor(text.split("\n")), Writing(name, text, text)
    editor.go(editor.lines.index("## Summary") + 1)
    word = 0
    while True:
        word += 1
        editor.insert(f"w{word} " + ("\n" if word % 8 == 0 else ""))
        writing.typed(editor.text, time.monotonic())
        # As often as it can, so that most kills hit a write.
        if word % 3 == 0:
            base, mine = writing.send()
            writing.saved(incidents.save_body(name, base, mine))
            os.write(told, f"{word}\n".encode())
        if word % 10 == 0:
            incidents.note(f"note {word}", name)


def test_whenever_it_is_killed_the_file_is_whole(tmp_path: Path) -> None:
    incidents = Incidents(tmp_path / "incidents", "asha@jump1")
    name = incidents.open(Opening("killed", Severity.P1, body("3.3", "killed"))).id
    chance = random.Random(7)
    most = 0
    for _ in range(KILLS):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                typist(incidents.folder, name, writing)
            finally:
                os._exit(1)
        os.close(writing)
        said = os.read(reading, 64)
        time.sleep(chance.random() * 0.05)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while part := os.read(reading, 1 << 16):
            said += part
        os.close(reading)
        text = (incidents.folder / f"{name}.md").read_text()
        values, problem = read(text)
        assert (problem, values["title"]) == ("", "killed")
        found = facts(name, text)
        assert found.is_open and not found.problem
        # What was typed before this run stands below what was typed in it.
        lines = split(text)[1].split("## Summary\n")[1].split("<!--")[0]
        saved = int(said.split()[-1])
        assert {f"w{number}" for number in range(1, saved + 1)} <= set(lines.split()), "said to be saved, and lost"
        assert not has_conflict(text)
        most = max(most, saved)
    assert most >= 3
