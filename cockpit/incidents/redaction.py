"""What stakeholders must not read: machines, people, accounts, positions, traces; better a gap than a leak."""

from __future__ import annotations

import re
from collections.abc import Iterable

GAP = "[…]"
_PATTERNS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"\b\w+(?:Error|Exception)\b.*", 0),
        (r"\b[a-z][a-z0-9+.-]*://\S*", re.I),
        (r"[\w.+-]*@[\w.-]+", 0),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", 0),
        (r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.I),
        (r"\b(?=[\w.-]*[a-z])[\w-]+(?:\.[\w-]+)+(?::\d+)?\b", re.I),
        (r"\b[a-z][\w-]*:\d{2,5}\b", re.I),
        (r"\b[\w-]*[a-z][\w]*-\d+\b", re.I),
        (r"(?<!\w)~?/[\w.-]+(?:/[\w.-]*)*", 0),
        (r"\b[A-Z]{1,4}\d{4,}\b|\b\d{6,}\b", 0),
        (r"[$€£₹]\s*[\d.,]+\s*(?:[kKmMbB]n?\b)?", 0),
        (r"\b\d[\d.,]*\s*(?:[kMB]n?\b|million\b|billion\b|lakh\b|crore\b|USD\b|INR\b|EUR\b|GBP\b)", 0),
        (r"[+-]?\b\d[\d.,]*\s*(?:shares?|lots?|contracts?|units?)\b", re.I),
        (r"\b(?:long|short|bought|sold|buy|sell)\s+[+-]?[\d.,]+", re.I),
        (r"\b[A-Z][A-Z0-9&._-]{1,14}\b\s*[:=x×@]?\s*[+-]?\d[\d.,]*\b", 0),
        (r"[+-]?\b\d[\d.,]*\s*[x×@]?\s*\b[A-Z][A-Z0-9&._-]{1,14}\b", 0),
        (r"\b\d{1,3}(?:,\d{2,3})+(?:\.\d+)?\b", 0),
    )
)
_KEPT = re.compile(r"\b(?:P[1-4]|\d{1,2}:\d{2}(?::\d{2})?Z?(?: UTC)?|\d{4}-\d{2}-\d{2})\b")
_TRACE = re.compile(r'^\s*(?:Traceback \(|File "|at [\w.$<>]+\(|[\w.]*(?:Error|Exception)\b:?|\^+\s*$|\.{3}\s*$)')


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without anything of the list; `secrets` are further words that must not be in it.

    >>> redacted("redis.internal:6379 lost AAPL 1,200 of account U1234567 at 19:44:12")
    '[…] lost […] of account […] at 19:44:12'
    """
    lines, is_fenced = [], False
    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            is_fenced = not is_fenced
        elif not is_fenced and not line.lstrip().startswith("|") and not _TRACE.match(line):
            lines.append(_line(line, secrets))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _line(line: str, secrets: Iterable[str]) -> str:
    for word in sorted(filter(None, secrets), key=len, reverse=True):
        line = re.sub(re.escape(word), GAP, line, flags=re.I)
    parts, at = [], 0
    for kept in _KEPT.finditer(line):
        parts += [_gapped(line[at : kept.start()]), kept[0]]
        at = kept.end()
    return "".join([*parts, _gapped(line[at:])])


def _gapped(text: str) -> str:
    for pattern in _PATTERNS:
        text = pattern.sub(GAP, text)
    return re.sub(r"(?:\[…\][\s,;/]*){2,}", lambda found: GAP + (" " if found[0][-1].isspace() else ""), text)
