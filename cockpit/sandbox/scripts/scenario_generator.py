#!/usr/bin/env python3
"""What the book would make or lose in crises of the past and under single factors.

    python backend/ops/scenario_generator.py --all

Prints a table, worst first, and publishes one entry per scenario on the Redis stream risk.scenarios. A scenario moves
regions, sectors and styles; a symbol's move is the sum of what applies to it, times its beta where it is a market move.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

OK, UNFINISHED, REFUSED = 0, 1, 2
STREAM = "risk.scenarios"


@dataclass(frozen=True)
class Traits:
    """What a symbol's price depends on."""

    region: str
    sector: str
    beta: float = 1.0
    styles: tuple[str, ...] = ()


TRAITS = {
    "AAPL": Traits("us", "tech", 1.15, ("growth", "quality")),
    "MSFT": Traits("us", "tech", 1.0, ("growth", "quality")),
    "NVDA": Traits("us", "tech", 1.8, ("growth", "momentum")),
    "AMZN": Traits("us", "consumer", 1.25, ("growth",)),
    "GOOGL": Traits("us", "tech", 1.1, ("growth",)),
    "META": Traits("us", "tech", 1.3, ("growth", "momentum")),
    "JPM": Traits("us", "banks", 1.1, ("value",)),
    "XOM": Traits("us", "energy", 0.8, ("value",)),
    "RELIANCE": Traits("india", "energy", 1.1, ("value",)),
    "TCS": Traits("india", "it-services", 0.7, ("quality",)),
    "INFY": Traits("india", "it-services", 0.85, ("growth",)),
    "HDFCBANK": Traits("india", "banks", 0.95, ("quality",)),
}
UNKNOWN = Traits("us", "other")


@dataclass(frozen=True)
class Scenario:
    """Moves as fractions: of whole markets (times beta), of sectors, of styles, of currencies against the dollar."""

    name: str
    kind: str
    market: dict[str, float] = field(default_factory=dict)
    sector: dict[str, float] = field(default_factory=dict)
    style: dict[str, float] = field(default_factory=dict)
    currency: dict[str, float] = field(default_factory=dict)
    against_book: float = 0.0
    """Every price moves so far against the position held."""

    def move(self, traits: Traits, side: int) -> float:
        """The fraction by which a symbol's price in USD moves; nothing falls below zero."""
        move = self.market.get(traits.region, 0.0) * traits.beta + self.sector.get(traits.sector, 0.0)
        move += sum(self.style.get(style, 0.0) for style in traits.styles)
        move = (1 + move) * (1 + self.currency.get(traits.region, 0.0)) - 1
        return max(-0.95, move - self.against_book * side)


SCENARIOS = (
    Scenario("Black Monday 1987", "history", {"us": -0.20, "india": -0.05}),
    Scenario("Asia crisis, 27 Oct 1997", "history", {"us": -0.07, "india": -0.08}, currency={"india": -0.02}),
    Scenario("LTCM, Aug 1998", "history", {"us": -0.065, "india": -0.05}, {"banks": -0.07}, {"value": -0.02}),
    Scenario("Dot-com, 14 Apr 2000", "history", {"us": -0.06, "india": -0.07}, {"tech": -0.05, "it-services": -0.05}),
    Scenario("India election, 17 May 2004", "history", {"india": -0.12}, {"energy": -0.03}, currency={"india": -0.01}),
    Scenario("Quant unwind, Aug 2007", "history", style={"momentum": -0.06, "quality": -0.04, "value": 0.03}),
    Scenario("Lehman week, Sep 2008", "history", {"us": -0.09, "india": -0.10}, {"banks": -0.12}),
    Scenario("Flash crash, 6 May 2010", "history", {"us": -0.09}, style={"momentum": -0.03}),
    Scenario("Taper tantrum 2013", "history", {"us": -0.03, "india": -0.06}, currency={"india": -0.08}),
    Scenario("China devaluation, 24 Aug 2015", "history", {"us": -0.05, "india": -0.06}, {"energy": -0.03}),
    Scenario("Demonetisation, 9 Nov 2016", "history", {"india": -0.04}, {"banks": 0.01}),
    Scenario("Volmageddon, 5 Feb 2018", "history", {"us": -0.041, "india": -0.02}),
    Scenario("Covid, 16 Mar 2020", "history", {"us": -0.12, "india": -0.09}, {"energy": -0.05, "banks": -0.04}),
    Scenario("Oil below zero, 20 Apr 2020", "history", {"us": -0.02}, {"energy": -0.08}),
    Scenario("Vaccine rotation, 9 Nov 2020", "history", {"us": 0.01}, {"energy": 0.12, "banks": 0.10, "tech": -0.03}),
    Scenario("Growth sell-off, May 2022", "history", {"us": -0.04}, {"tech": -0.04, "energy": 0.03}),
    Scenario("Bank run, 13 Mar 2023", "history", {"us": -0.01}, {"banks": -0.08, "tech": 0.01}),
    Scenario("Carry unwind, 5 Aug 2024", "history", {"us": -0.03, "india": -0.03}, {"tech": -0.03}),
    Scenario("Every price 5 % against us", "factor", against_book=0.05),
    Scenario("Every price 10 % against us", "factor", against_book=0.10),
    Scenario("US market -5 %", "factor", {"us": -0.05}),
    Scenario("US market +5 %", "factor", {"us": 0.05}),
    Scenario("Indian market -5 %", "factor", {"india": -0.05}),
    Scenario("Rupee -5 %", "factor", currency={"india": -0.05}),
    Scenario("Technology -10 %", "factor", sector={"tech": -0.10, "it-services": -0.05}),
    Scenario("Banks -10 %", "factor", sector={"banks": -0.10}),
    Scenario("Oil shock: energy +15 %", "factor", {"us": -0.02, "india": -0.03}, {"energy": 0.15}),
    Scenario("Momentum -8 %", "factor", style={"momentum": -0.08, "value": 0.02}),
    Scenario("Growth to value, 5 %", "factor", style={"growth": -0.05, "value": 0.05}),
)


class Refusal(Exception):
    """Nothing can be computed; the text says why."""


def notional_usd(fields: dict[str, Any]) -> float:
    """A position's value in dollars, signed."""
    if "notional_usd" in fields:
        return float(fields["notional_usd"])
    return float(fields["qty"]) * float(fields["mark"])


def outcome(scenario: Scenario, book: dict[str, float], traits: dict[str, Traits]) -> dict[str, Any]:
    """Profit and loss of the book in a scenario, by symbol and together."""
    by_symbol = {
        symbol: round(usd * scenario.move(traits.get(symbol, UNKNOWN), 1 if usd > 0 else -1), 2)
        for symbol, usd in book.items()
    }
    total = round(sum(by_symbol.values()), 2)
    gross = sum(abs(usd) for usd in book.values())
    worst = sorted(by_symbol.items(), key=lambda item: item[1])[:3]
    return {
        "scenario": scenario.name,
        "kind": scenario.kind,
        "pnl_usd": total,
        "pnl_of_gross": round(total / gross, 6) if gross else 0.0,
        "worst": [{"symbol": symbol, "pnl_usd": pnl} for symbol, pnl in worst if pnl < 0],
        "by_symbol": by_symbol,
    }


def read_book(server: redis.Redis) -> dict[str, float]:
    """Values of the open positions."""
    fields: Any = server.hgetall("positions")
    book: dict[str, float] = {}
    for symbol, text in fields.items():
        try:
            usd = notional_usd(json.loads(text))
        except (ValueError, KeyError, TypeError):
            raise Refusal(f"position {symbol} cannot be read: {text[:60]}") from None
        if usd:
            book[symbol] = usd
    return book


def read_limits(server: redis.Redis) -> dict[str, float]:
    """The limits that results are compared with."""
    fields: Any = server.hgetall("risk:limits")
    limits: dict[str, float] = {}
    for name, text in fields.items():
        try:
            limits[name] = float(text)
        except ValueError:
            continue
    return limits


def read_traits(path: Path | None) -> dict[str, Traits]:
    """The built-in table, with a fund's own symbols over it."""
    if path is None:
        return TRAITS
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        own = {
            symbol: Traits(row["region"], row["sector"], float(row.get("beta", 1.0)), tuple(row.get("styles", ())))
            for symbol, row in table.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(f"{path}: not a table of traits: {error}") from None
    return {**TRAITS, **own}


def publish(server: redis.Redis, run_id: str, results: list[dict[str, Any]], ts_ms: int) -> None:
    """Write all results in one transaction."""
    pipe = server.pipeline(transaction=True)
    for rank, result in enumerate(results, start=1):
        event = {"ts_ms": ts_ms, "run": run_id, "rank": rank, "of": len(results), **result}
        pipe.xadd(STREAM, {"json": json.dumps(event, separators=(",", ":"))}, maxlen=2_000, approximate=True)
    pipe.execute()


def table(results: list[dict[str, Any]], gross: float, limits: dict[str, float], symbols: list[str]) -> list[str]:
    """The results as lines of text."""
    var = limits.get("var_99", 0.0)
    lines = [f"{len(results)} scenarios over {len(symbols)} positions, {gross:,.0f} USD gross", ""]
    lines.append(f"{'scenario':<32} {'kind':<8} {'P&L USD':>14} {'of gross':>9} {'of VaR limit':>13}  worst positions")
    for result in results:
        share = f"{-result['pnl_usd'] / var:.1f}x" if var and result["pnl_usd"] < 0 else "-"
        worst = ", ".join(f"{each['symbol']} {each['pnl_usd']:,.0f}" for each in result["worst"])
        lines.append(
            f"{result['scenario']:<32} {result['kind']:<8} {result['pnl_usd']:>14,.0f} {result['pnl_of_gross']:>9.2%}"
            f" {share:>13}  {worst}"
        )
    return lines


def run(options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Compute, print, publish."""
    server = redis.Redis.from_url(options.redis, decode_responses=True, socket_connect_timeout=3, socket_timeout=10)
    if not server.exists("positions"):
        raise Refusal("Redis has no positions: nothing to stress (after a crash, replay the ledger first)")
    book, limits, traits = read_book(server), read_limits(server), read_traits(options.traits)
    chosen = [scenario for scenario in SCENARIOS if options.all or scenario.name in options.scenario]
    results = sorted((outcome(scenario, book, traits) for scenario in chosen), key=lambda each: each["pnl_usd"])
    ts_ms = int(time.time() * 1000)
    run_id = f"scenarios-{ts_ms}"
    gross = sum(abs(usd) for usd in book.values())
    unknown = sorted(book.keys() - traits.keys())
    if not options.json:
        print("\n".join(table(results, gross, limits, sorted(book))))
        if unknown:
            print(f"note: no traits known for {', '.join(unknown)}: taken as US shares of beta 1 (see --traits)")
    if not options.dry_run:
        publish(server, run_id, results, ts_ms)
        if not options.json:
            print(f"\npublished on {STREAM} as {run_id}")
    return {"run": run_id, "ts_ms": ts_ms, "gross_usd": round(gross, 2), "unknown": unknown, "results": results}, OK


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Stress the current positions.")
    parser.add_argument("--all", action="store_true", help="every scenario")
    parser.add_argument("--scenario", action="append", default=[], metavar="NAME", help="one scenario, can be repeated")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    parser.add_argument("--traits", type=Path, help='JSON: {"SYMBOL": {"region", "sector", "beta", "styles"}}')
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"), help="Redis' URL")
    parser.add_argument("--dry-run", action="store_true", help="do not publish")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(arguments)
    names = {scenario.name for scenario in SCENARIOS}
    if unknown := [name for name in options.scenario if name not in names]:
        parser.error(f"no scenario {unknown[0]!r}; --list names them")
    if not (options.all or options.scenario or options.list):
        parser.error("which scenarios? --all, or --scenario NAME")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run it; expected failures are one line and an exit code."""
    options = parsed(arguments)
    if options.list:
        print("\n".join(scenario.name for scenario in SCENARIOS))
        return OK
    try:
        result, code = run(options)
    except Refusal as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return REFUSED
    except (redis.RedisError, OSError, ValueError) as error:
        print(f"failed: Redis: {error}", file=sys.stderr)
        return UNFINISHED
    if options.json:
        print(json.dumps(result, indent=1))
    return code


if __name__ == "__main__":
    sys.exit(main())
