"""Replay of 100,000 ledger events into an empty Redis of its own, and once more: `python -m benchmarks.replay`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis

from cockpit.clients.ledger_copy import copy_ledger, verify_ledger
from cockpit.sandbox.ports import choose_ports
from cockpit.sandbox.redis_server import redis_program
from cockpit.sandbox.workers.ledger_file import LedgerFile
from cockpit.sandbox.workers.streams import FILLS, VALIDATED, Entry

EVENTS = 100_000
SCRIPT = Path(__file__).parents[1] / "cockpit" / "sandbox" / "scripts" / "replay_with_params.py"
SYMBOLS = ("AAPL", "MSFT", "RELIANCE", "TCS")


def entries(count: int) -> list[Entry]:
    """Orders and their fills, one after the other."""
    begin, found = 1_700_000_000_000, list[Entry]()
    for number in range(count // 2):
        at, symbol = begin + 10 * number, SYMBOLS[number % 4]
        side = "buy" if number % 3 else "sell"
        order = {"order_id": f"o-{number}", "ts_ms": at, "symbol": symbol, "side": side, "qty": 10, "price": 100.0}
        order |= {"strategy": "bench", "order_type": "market", "reduce_only": False, "venue": "IBKR"}
        fill = {"id": f"f-{number}", "order_id": f"o-{number}", "ts_ms": at + 1, "symbol": symbol, "side": side}
        fill |= {"qty": 10, "price": 100.0 + number % 7, "venue": "IBKR"}
        found += [(VALIDATED, f"{at}-0", order), (FILLS, f"{at + 1}-0", fill)]
    return found


def a_ledger(file: Path, count: int) -> None:
    """As the platform's own writer makes it."""
    ledger = LedgerFile(file)
    rows = entries(count)
    for start in range(0, len(rows), 1000):
        ledger.append(rows[start : start + 1000])
    ledger.close()


def replayed(file: Path, url: str) -> dict[str, float]:
    """What the program says of one run, and how long all of it took."""
    command = [sys.executable, str(SCRIPT), "--source", str(file), "--redis", url, "--max-entries", "0", "--json"]
    began = time.monotonic()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {**json.loads(said), "whole_s": time.monotonic() - began}


def main() -> None:
    """Measure, and print a line a run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a_ledger(folder / "ledger.db", EVENTS)
        port = choose_ports().redis
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", name, "--save", "", "--appendonly", "yes"]
        server = subprocess.Popen([redis_program("redis-server"), *options], stdout=subprocess.DEVNULL)
        try:
            client = redis.Redis(port=port)
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
            for run in ("into an empty Redis", "once more"):
                found = replayed(folder / "ledger.db", f"redis://127.0.0.1:{port}/0")
                line = f"{run}: {found['restored']:,} of {found['events']:,} events in {found['took_s']:.2f} s"
                print(f"{line} ({found['per_s']:,}/s); chain {found['verified_s']:.2f} s, all {found['whole_s']:.2f} s")
        finally:
            server.terminate()
            server.wait()
        began = time.monotonic()
        size = copy_ledger(folder / "ledger.db", folder / "copy.db", lambda _: None)
        copied_s = time.monotonic() - began
        chain = verify_ledger(folder / "copy.db", lambda _: None)
        took_s = time.monotonic() - began - copied_s
        print(
            f"snapshot of it: {size >> 20} MB copied in {copied_s:.2f} s, {chain.events:,} verified in {took_s:.2f} s"
        )


if __name__ == "__main__":
    main()
