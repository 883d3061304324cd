"""The word, the glyph and the token of each answer to a check."""

from __future__ import annotations

from cockpit.model.plan import Verdict
from themes.glyphs import Mark

VERDICT = {
    Verdict.PASS: Mark("●", "ok", "ok"),
    Verdict.WARN: Mark("▲", "warning", "warn"),
    Verdict.FAIL: Mark("■", "NO", "crit"),
    Verdict.UNKNOWN: Mark("?", "unknown", "unknown"),
}
