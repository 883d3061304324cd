"""The ledger's hash chain: each event's hash covers the event and the hash before it.

hash = SHA-256 of the canonical JSON (sorted keys, no spaces) of {ts_ms, kind, payload, prev_hash}, where payload is the
JSON object itself; the column `payload` holds that object in the same canonical form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

GENESIS = "0" * 64


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def event_hash(ts_ms: int, kind: str, payload: str, prev_hash: str) -> str:
    """The hash of an event whose payload is canonical JSON already.

    >>> event_hash(1, "fill", '{"a":1}', GENESIS) == hashlib.sha256(
    ...     canonical({"ts_ms": 1, "kind": "fill", "payload": {"a": 1}, "prev_hash": GENESIS}).encode()
    ... ).hexdigest()
    True
    """
    text = f'{{"kind":{json.dumps(kind)},"payload":{payload},"prev_hash":"{prev_hash}","ts_ms":{ts_ms}}}'
    return hashlib.sha256(text.encode()).hexdigest()


def first_broken(rows: Iterable[tuple[int, int, str, str, str, str]], prev_hash: str = GENESIS) -> int | None:
    """The id of the first row (id, ts_ms, kind, payload, prev_hash, hash) that does not fit; None when all do."""
    for event_id, ts_ms, kind, payload, claimed_prev, claimed in rows:
        if claimed_prev != prev_hash or event_hash(ts_ms, kind, payload, prev_hash) != claimed:
            return event_id
        prev_hash = claimed
    return None
