"""Measure everything, write docs/bench.json and docs/bench.md, and fail where something has become much worse."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from math import isfinite
from pathlib import Path

from benchmarks import goals, keys, living, soak, starting
from benchmarks.arena import Arena, arena
from benchmarks.halt import key_to_flag
from benchmarks.holdings import load
from benchmarks.peers import peers
from benchmarks.slow_link import slow_link
from benchmarks.streams import streams

DOCS = Path(__file__).parent.parent / "docs"
Measure = Callable[[Arena], dict[str, float]]
MEASURES: dict[str, Measure] = {
    "start": starting.start,
    "live": living.live,
    "need": keys.in_need,
    "link": slow_link,
    "streams": lambda _: streams(),
    "lived": soak.lived,
    "day": soak.day,
    "halt": lambda _: key_to_flag(runs=20),
}
"""About a quarter of an hour in all."""


def main() -> None:
    """Measure; the machine should be otherwise idle."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}; all by default")
    parser.add_argument("--peers", type=Path, action="append", metavar="FOLDER", help="measure others found there too")
    parser.add_argument("--out", type=Path, default=DOCS, metavar="FOLDER", help="where the results go (docs/)")
    wanted = parser.parse_args()
    unknown = set(wanted.measures) - MEASURES.keys()
    if unknown:
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    numbers: dict[str, float] = {}
    failures: list[str] = []
    began, loads = time.monotonic(), [load()]
    with arena() as place:
        for name, measure in MEASURES.items():
            if not wanted.measures or name in wanted.measures:
                try:
                    found = measure(place)
                    numbers |= found
                    print("  ".join(f"{key} {value:.4g}" for key, value in found.items()), flush=True)
                except Exception as error:  # the others are worth having all the same
                    failures.append(f"{name}: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
                loads.append(load())
                print(f"{name:8} done after {time.monotonic() - began:4.0f} s, load {loads[-1]:.1f}", flush=True)
        others = peers(place, tuple(wanted.peers)) if wanted.peers else {}
    numbers = goals.with_ratios(numbers)
    report = _report(numbers, others, loads)
    _write(wanted.out, numbers, others, report)
    print(report)
    worse = list(goals.regressions(numbers))
    print("\n".join(f"WORSE {line}" for line in worse) or "nothing is over its limit")
    print("\n".join(f"FAILED {line}" for line in failures) or f"all measured in {time.monotonic() - began:.0f} s")
    sys.exit(1 if worse or failures else 0)


def _report(numbers: dict[str, float], others: dict[str, dict[str, float] | None], loads: list[float]) -> str:
    when = datetime.now(UTC).date().isoformat()
    textual, python = version("textual"), platform.python_version()
    header = (
        f"Written by `make bench` on {when}: Python {python}, Textual {textual}, 120x40, a sandbox trading "
        f"at 1 Hz; the machine's load was {min(loads):.1f} to {max(loads):.1f}. Numbers compare within one run only."
    )
    return goals.table(numbers, others, header)


def _write(folder: Path, numbers: dict[str, float], others: dict[str, dict[str, float] | None], report: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = {name: None if found is None else _plain(found) for name, found in others.items()}
    facts = {"numbers": _plain(numbers), "peers": told}
    (folder / "bench.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (folder / "bench.md").write_text(report, encoding="utf-8")


def _plain(numbers: dict[str, float]) -> dict[str, float | None]:
    """As JSON can hold them: what never happened is null."""
    return {name: round(value, 4) if isfinite(value) else None for name, value in numbers.items()}


if __name__ == "__main__":
    main()
