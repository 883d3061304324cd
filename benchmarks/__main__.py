"""Run every measurement and print it as a table, or as JSON with --json."""

from __future__ import annotations

import argparse
import json

from benchmarks.halt import key_to_flag
from benchmarks.measures import help_text, live, start


def main() -> None:
    """Measure; the machine should be otherwise idle."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    numbers = {**help_text(), **start(), **live(), **key_to_flag(runs=20)}
    if arguments.json:
        print(json.dumps(numbers, indent=1))
        return
    for name, value in numbers.items():
        print(f"{name:24}{value:12,.2f}")


if __name__ == "__main__":
    main()
