"""The band under the top lines: the trading state in letters that are readable from two metres."""

from __future__ import annotations

from widgets.letters import big
from widgets.line import Line, line, pad, tinted, width_of
from widgets.panels.findings import clock
from widgets.scene import Scene
from widgets.trading import told, trading


def band(scene: Scene, width: int, rows: int) -> list[Line]:
    """`rows` (3 or 6) lines; filled with colour unless trading is active; FROZEN and since when beside it."""
    if scene.live is None:
        return _starting(scene, width, rows)
    state = trading(scene.live)
    shapes = big(state.word, rows)
    frozen = _frozen(scene, width - len(shapes[0]) - 4, rows)
    if frozen and width_of(frozen[0]) + len(shapes[0]) + 4 > width:
        return [pad(each, width, "frozen") for each in frozen]
    words = [()] * rows if frozen else _beside(scene, state.fill, width - len(shapes[0]) - 4, rows)
    lines: list[Line] = []
    for at, shape in enumerate(shapes):
        left = line((f" {shape}  ", state.big), *words[at])
        tail = frozen[at] if frozen else ()
        lines.append((*pad(left, width - width_of(tail), state.fill), *tail))
    return lines


def _beside(scene: Scene, fill: str, width: int, rows: int) -> list[Line]:
    told_lines = [each if fill == "text" else tinted(each, fill) for each in told(scene.live, scene.readiness, width)]
    above = (rows - 3) // 2
    return [*([()] * above), *told_lines, *([()] * (rows - 3 - above))]


def _frozen(scene: Scene, room: int, rows: int) -> list[Line]:
    if scene.frozen_since is None:
        return []
    # The moment, not an age: nothing is sent while nothing happens, and the clock is in the line above.
    text = clock(scene.frozen_since)[:5]
    for word, height in ((f"FROZEN {text}", rows), (f"FROZEN {text}", 3), ("FROZEN", 3)):
        shapes = big(word, height)
        if len(shapes[0]) + 4 <= room or (word, height) == ("FROZEN", 3):
            blank = " " * (len(shapes[0]) + 4)
            lines = [line((f"  {shape}  ", "frozen_big")) for shape in shapes]
            return [*lines, *[line((blank, "frozen"))] * (rows - len(lines))]
    return []


def _starting(scene: Scene, width: int, rows: int) -> list[Line]:
    words = list(scene.progress[-rows:]) or ["starting"]
    lines = [pad(line((f" {word}", "label")), width) for word in words]
    return [*lines, *([()] * (rows - len(lines)))]
