"""`cockpit alerts check FILE`: what the cockpit understands of an alerts.yaml, and what it does not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import ConfigError
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.model.alerting import Alerting

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = "exit codes: 0 it can be used (what is not understood is listed), 3 it is wrong (line and column are said)"


def add_arguments(subparsers: Subparsers) -> None:
    """Add `alerts`."""
    parser = subparsers.add_parser(
        "alerts", help="check an alerts.yaml", description="Say what is understood of an alerts.yaml.", epilog=EPILOG
    )
    parser.add_argument("verb", choices=["check"], metavar="check", help="read the file and say what it means here")
    parser.add_argument("file", type=Path, metavar="FILE", help="the alerts.yaml")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Read it, say it.

    Raises:
        ConfigError: it is wrong.
    """
    from cockpit.alerting.file import AlertsFile

    if not args.file.exists():
        raise ConfigError(f"there is no file {args.file}")
    alerting = AlertsFile(args.file).read().alerting
    if args.json:
        print(json.dumps({"format": 1, **asdict(alerting)}, indent=1))
    else:
        print("\n".join(lines(alerting)))
    return 0


def lines(alerting: Alerting) -> Iterator[str]:
    """The file in words; nothing secret is in them."""
    for rule in alerting.rules:
        numbers = ", ".join(f"{name} {value:g}" for name, value in rule.numbers)
        state = "on " if rule.is_enabled else "OFF"
        yield f"  {state}  {rule.label:<28} {rule.severity or '-':<9} {numbers}".rstrip()
    if alerting.thresholds:
        yield f"thresholds set here: {', '.join(f'{name} {value:g}' for name, value in alerting.thresholds)}"
    routes = [name for name, is_there in (("slack", alerting.has_slack), ("email", alerting.has_mail)) if is_there]
    yield f"routes: {', '.join(routes) or 'none: nobody can be told'}"
    for audience in alerting.audiences:
        to = f" ({', '.join(clean(one, 60) for one in audience.to)})" if audience.to else ""
        channels = ", ".join(audience.channels) or "no channel"
        yield f"audience {clean(audience.name, 40)}: {channels}{to}, {audience.detail}"
    yield f"P1 and P2 are told {'by themselves' if alerting.is_automatic else 'only when somebody asks for it'}"
    for remark in alerting.remarks:
        yield f"line {remark.line}, column {remark.column}, {remark.text}"
