"""What outsiders may read: only plain words and spans of time pass, everything else is withheld.

Not a list of what is forbidden, which is never complete, but of what is allowed: positions, symbols, amounts, hosts,
addresses, account numbers, URLs, paths, user names and stack traces are all something else than plain words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from cockpit.text import clean

WITHHELD = "[withheld]"
TRACE = "[withheld: technical details]"
LIMIT = 1500

_ENDS = (".", "!", "?", ":")
_MARK = re.compile(r"^ {0,8}(?:[-*+] (?:\[[ xX]\] )?|#{1,6} |> )")
_EDGES = "\"'“”‘’().,;:!?"
_WORD = re.compile(r"^[^\W\d_]+(?:['’-][^\W\d_]+)*$")
_CLOCK = re.compile(r"^(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$")
_DATE = re.compile(r"^20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$")
_COUNT = re.compile(r"^\d{1,2}$")
_CLASS = re.compile(r"^P[1-4]$")
_TRACES = re.compile(r"traceback|^\s*file \"|\bat 0x|stack trace", re.IGNORECASE | re.MULTILINE)
ACRONYMS = frozenset(("UTC", "GMT", "IST", "EST", "EDT", "OK", "AM", "PM", "FYI", "ETA", "EU", "UK", "API", "I", "A"))
PRODUCTS = frozenset(("Redis", "Postgres", "Kubernetes", "Grafana"))
"""What the runbook calls its own parts; a host may be called so too, but not with a capital."""
COMMON = frozenset(
    ("localhost", "redis", "postgres", "default", "trading", "platform", "fund", "the", "and", "data", "root", "ops")
)
"""Words that name nobody, also where a path or a database has them in its name."""
DAYS = frozenset(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))
UNITS = frozenset(("minute", "minutes", "min", "hour", "hours", "h", "day", "days", "second", "seconds", "utc", "ist"))
DASHES = frozenset({"-", "–", "—", "&"})


def redacted(text: str, names: Iterable[str] = ()) -> str:
    """The text as outsiders may read it; `names` are people, hosts and symbols that are plain words themselves.

    >>> redacted("IBKR is down on gw1.fund.example; we expect to be back in 20 minutes")
    '[withheld] is down on [withheld] we expect to be back in 20 minutes'
    >>> redacted("asha sold 1200 AAPL at 14:05 UTC", ["asha"])
    '[withheld] sold [withheld] at 14:05 UTC'
    """
    plain = clean(unicodedata.normalize("NFKC", text), LIMIT)
    if _TRACES.search(text) or _TRACES.search(plain):
        return TRACE
    known = {part.casefold() for name in names for part in _parts(name)} - COMMON
    while (shorter := _once(plain, known)) != plain:
        # What is plain only beside a word that was withheld is not plain any more.
        plain = shorter
    return plain


def redacted_report(text: str, names: Iterable[str] = ()) -> str:
    """The same for Markdown of several lines: lists stay lists, tables and what stands in a fence go whole.

    >>> print(redacted_report("Trading stopped\\nat 19:44.\\n- asha called\\n| AAPL |\\n- gw1 is back", ["asha"]))
    Trading stopped at 19:44.
    - [withheld] called
    - [withheld] is back
    """
    known = tuple(names)
    shown = [mark + redacted(words, known) for mark, words in _blocks(text)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(shown)).strip("\n")


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Mark and words of each paragraph and each line of a list: a name at the start of a line that goes on is none
    of a sentence.
    """
    mark, words, is_fenced = "", "", False
    for line in (*text.split("\n"), ""):
        bare = line.strip()
        is_fence = bare.startswith(("```", "~~~"))
        found = _MARK.match(line)
        if words and (is_fence or is_fenced or found or not bare or bare.startswith("|")):
            yield mark, words
            mark, words = "", ""
        is_fenced ^= is_fence
        if is_fence or is_fenced or bare.startswith("|"):
            continue
        if found:
            mark, words = found[0], line[found.end() :].strip()
        elif bare:
            words = f"{words}\n{bare}" if words else bare
        else:
            yield "", ""


def _once(plain: str, known: set[str]) -> str:
    # What was withheld before stays one thing.
    tokens = plain.replace(TRACE, f" {WITHHELD} ").replace(WITHHELD, f" {WITHHELD} ").split()
    kept: list[str] = []
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else ""
        is_start = index == 0 or tokens[index - 1] == WITHHELD or tokens[index - 1].rstrip("\"'”’)")[-1:] in _ENDS
        shown = token if _is_plain(token, after, is_start, known) else WITHHELD
        if not (shown == WITHHELD and kept and kept[-1] == WITHHELD):
            kept.append(shown)
    return " ".join(kept)


def _is_plain(token: str, after: str, is_start: bool, known: set[str]) -> bool:
    if token == WITHHELD or token in DASHES:
        return True
    core = token.strip(_EDGES)
    if not core:
        return len(token) <= 3
    if core.casefold() in known or any(part.casefold() in known for part in _parts(core)):
        return False
    if _CLASS.match(core) or _CLOCK.match(core) or _DATE.match(core):
        return True
    if _COUNT.match(core):
        return token == core and after.strip(_EDGES).casefold() in UNITS
    return bool(_WORD.match(core)) and _is_word(core, is_start)


def _is_word(core: str, is_start: bool) -> bool:
    """Written as words are: capitals may be a symbol, a change of case a name of code, a capital anywhere a name."""
    if core in ACRONYMS or core in DAYS or core in PRODUCTS:
        return True
    if core[:1] != core[:1].lower() and not is_start:
        return False
    parts = re.split(r"['’-]", core)
    return all(part[1:] == part[1:].lower() for part in parts) and not (len(core) <= 5 and core.isupper())


def _parts(name: str) -> list[str]:
    """A name and the words in it; a number in it names nobody."""
    words = (part for part in re.split(r"[\W_]+", name) if not part.isdigit())
    return [part for part in (name.strip(), *words) if len(part) >= 2]
