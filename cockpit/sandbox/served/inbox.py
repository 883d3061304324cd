"""What a sink has received: the last messages in memory, all of them in a file of JSON lines."""

from __future__ import annotations

import json
import time
from collections import deque
from pathlib import Path
from typing import Any

KEPT = 200


class Inbox:
    """Keeps messages as they arrive."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.messages: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def keep(self, message: dict[str, Any]) -> None:
        """Remember the message and append it to the file."""
        stamped = {"ts_ms": time.time_ns() // 1_000_000, **message}
        self.messages.append(stamped)
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(stamped) + "\n")
