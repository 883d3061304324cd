"""Redis' replies as plain Python: fields, numbers and times, where anything that is not one is None, never a crash."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cockpit.clients.json_text import loads
from cockpit.clients.resp import ReplyError

Fields = dict[str, str]
"""A hash, INFO or CONFIG; values are text from outside, not yet neutralised."""

MAX_PAYLOAD_BYTES = 65536
"""A longer payload is not read: it is none of the platform's."""
_INFO_LINE = re.compile(r"^([^:#\r\n]*):([^\r\n]*)", re.MULTILINE)
_TRUE = frozenset({"true", "1", "yes", "on"})
_TIME_MS = range(1, 4_102_444_800_000)


def text(raw: Any) -> str:
    """Bytes as text; what is not UTF-8 is replaced."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def fields(flat: Any) -> Fields:
    """The dict that RESP2 sends as name, value, name, value.

    >>> fields([b"enabled", b"true"])
    {'enabled': 'true'}
    """
    if not isinstance(flat, list):
        return {}
    return {text(name): text(value) for name, value in zip(flat[::2], flat[1::2], strict=False)}


def info_fields(raw: Any) -> Fields:
    """INFO as a dict.

    >>> info_fields(b"# Server\\r\\nredis_version:6.2.14\\r\\n")
    {'redis_version': '6.2.14'}
    """
    if not isinstance(raw, bytes | str):
        return {}
    return dict(_INFO_LINE.findall(text(raw)))


def config_fields(replies: Iterable[Any]) -> Fields:
    """Replies of CONFIG GET in one dict; one that was denied adds nothing."""
    return {
        name: value for reply in replies if not isinstance(reply, ReplyError) for name, value in fields(reply).items()
    }


def is_true(value: str | None) -> bool:
    """Whether a flag is set, by the platform's rule.

    >>> is_true(" Yes"), is_true("0"), is_true(None)
    (True, False, False)
    """
    return value is not None and value.strip().lower() in _TRUE


def number(value: Any) -> float | None:
    """A finite number, also one written as text.

    >>> number("0.05"), number(True), number("NaN"), number(10**400), number(None)
    (0.05, None, None, None, None)
    """
    if type(value) is float:  # nearly always, out of JSON
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str | bytes):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    """A number without its fraction."""
    found = number(value)
    return None if found is None else int(found)


def time_ms(value: Any) -> int | None:
    """Milliseconds since 1970 up to the year 2100; anything else is no time.

    What is signed after a time that is read must be one too: the end lies where nobody means a time.

    >>> time_ms("1700000000000"), time_ms(0), time_ms(-5), time_ms("soon"), time_ms("9999999999999")
    (1700000000000, None, None, None, None)
    """
    found = whole(value)
    return found if found is not None and found in _TIME_MS else None


def json_object(raw: str | bytes | None) -> Mapping[str, Any] | None:
    """A payload's JSON object; None for garbage, for other JSON, and for what is too long or too deep to be ours."""
    if raw is None or len(raw) > MAX_PAYLOAD_BYTES:
        return None
    try:
        found = loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def payload(entry_fields: Any) -> bytes | None:
    """The value of a stream entry's field `json`."""
    if not isinstance(entry_fields, list):
        return None
    pairs = zip(entry_fields[::2], entry_fields[1::2], strict=False)
    return next((value for name, value in pairs if name == b"json"), None)


def id_ms(entry_id: str) -> int:
    """The time in a stream entry's id.

    >>> id_ms("1700000000000-3")
    1700000000000
    """
    return int(entry_id.partition("-")[0])


def id_order(entry_id: str) -> tuple[int, int]:
    """What stream entry ids are compared by."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
