"""The ledger writer: records orders and fills in ledger.db, and keeps Redis' `positions` (quantities and marks)."""

from __future__ import annotations

import json
import sqlite3
import time

from cockpit.sandbox.worker import WorkerContext
from cockpit.sandbox.workers.cycle import Every, Pace, beat, run_cycles, say
from cockpit.sandbox.workers.ledger_file import LedgerFile
from cockpit.sandbox.workers.quotes import Quotes
from cockpit.sandbox.workers.redis_line import Command, RedisLine
from cockpit.sandbox.workers.streams import FILLS, REJECTED, VALIDATED, Entry, Group, entry_key

BATCHES_PER_S = 10
STREAMS = (VALIDATED, FILLS, REJECTED)


class LedgerWriter:
    """Reads a batch, commits it to the file, then tells Redis: nothing is lost, nothing counted twice."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._line = RedisLine(context.layout.ports.redis, context.pump)
        self._group = Group(self._line, "ledger", STREAMS, count=1000, oldest_ms=None)
        self._file = LedgerFile(context.layout.ledger)
        self._quotes = Quotes(self._line)
        self._fills_upto = self._file.last_fill_entry()
        self._pace = Pace(1 / BATCHES_PER_S)
        self._second, self._mark, self._stray = Every(1.0), Every(0.5), Every(3.0)

    def recover(self) -> None:
        """Take up what was handed out and not acknowledged, and put all positions into Redis."""
        self._group.ensure()
        kept = self._line.ask(("HGET", "ledger:state", "fills_upto"))[0]
        # Redis may have forgotten it, or know of one that the ledger had recorded before under another id.
        self._fills_upto = max(self._fills_upto, kept or "0-0", key=entry_key)
        self._record(self._group.pending())
        self._quotes.refresh()
        commands = self._position_commands(set(self._file.positions))
        if commands:
            self._line.transact(*commands)

    def cycle(self) -> None:
        """One batch."""
        self._pace.wait()
        if "ledger" not in self._context.knobs.paused_groups:
            self._record(self._group.pending() if self._stray.is_due() else self._group.new())
        commands: list[Command] = []
        if self._mark.is_due():
            self._quotes.refresh()
            commands += self._position_commands(set(self._file.positions))
        if self._second.is_due():
            commands.append(beat("ledger"))
        if commands:
            self._line.transact(*commands)

    def _record(self, entries: list[Entry]) -> None:
        if not entries:
            return
        while True:
            try:
                changed = self._file.append(entries)
                break
            except sqlite3.OperationalError as error:  # another process holds the file, or the disk is full
                say(f"ledger: {error}")
                if not self._context.pump():
                    return
                time.sleep(0.2)
        fills = [entry_id for stream, entry_id, _ in entries if stream == FILLS]
        self._fills_upto = max(self._fills_upto, *fills, key=entry_key) if fills else self._fills_upto
        commands = self._position_commands(changed)
        for stream in STREAMS:
            entry_ids = [entry_id for name, entry_id, _ in entries if name == stream]
            if entry_ids:
                commands.append(self._group.ack(stream, entry_ids))
        self._line.transact(*commands)

    def _position_commands(self, symbols: set[str]) -> list[Command]:
        """Positions go out with the id of the last fill in them: others add what came after."""
        if not symbols:
            return []
        pairs: list[str] = []
        for symbol in sorted(symbols):
            position = self._file.positions[symbol]
            mark = self._quotes.prices.get(symbol, position.avg_px)
            fields = {
                "qty": position.qty,
                "avg_px": position.avg_px,
                "mark": mark,
                "notional_usd": round(position.qty * mark, 2),
                "realized_pnl": position.realized_pnl,
            }
            pairs += (symbol, json.dumps(fields, separators=(",", ":")))
        return [("HSET", "positions", *pairs), ("HSET", "ledger:state", "fills_upto", self._fills_upto)]


def run(context: WorkerContext) -> None:
    """Record until told to stop."""
    writer = LedgerWriter(context)
    say("ledger: writing")
    run_cycles(context, writer.cycle, writer.recover)
