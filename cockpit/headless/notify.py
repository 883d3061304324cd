"""`cockpit notify AUDIENCE`: the text, the confirmation, what each channel answered; and what did not arrive."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cockpit.errors import Misused, Rejected
from cockpit.headless.platform import find_platform
from cockpit.text import clean

if TYPE_CHECKING:
    from cockpit.config import Settings
    from cockpit.storage.notices import Delivery

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

STEP = "notify-all"
EPILOG = """\
exit codes: 0 every address has taken it, 1 some have not or may not have, 4 refused or not confirmed;
            --undelivered: 0 nothing is open, 1 something is

AUDIENCE is ops, risk_officer, stakeholders, any other that alerts.yaml names, several of them with commas, or all.
  cockpit notify ops --dry-run
  cockpit notify stakeholders --text "We expect to be back in 20 minutes." --confirm y
  cockpit notify --resend 3f2a91c0 --confirm y"""


def add_arguments(subparsers: Subparsers) -> None:
    """Add `notify`."""
    parser = subparsers.add_parser(
        "notify",
        help="tell ops, risk officer or stakeholders; list what did not arrive",
        description="Tell an audience of alerts.yaml how the platform is; the exact text is shown first.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("audience", nargs="?", metavar="AUDIENCE", help="who is told")
    parser.add_argument("--text", metavar="TEXT", help="a sentence of one's own in the message")
    parser.add_argument("--confirm", metavar="y", help="y: send it; without, it asks on the terminal")
    parser.add_argument("--dry-run", action="store_true", help="only show the text and who would get it")
    parser.add_argument("--undelivered", action="store_true", help="list what did not arrive, or may not have")
    parser.add_argument("--resend", metavar="KEY", help="send one of those again, as it was")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Tell, list or tell again.

    Raises:
        CockpitError: there is no platform, it was not confirmed, or a check forbids it.
    """
    if args.undelivered:
        return _list(find_platform(args.config), args.json)
    if (args.audience is None) == (args.resend is None):
        raise Misused("name an audience (ops, risk_officer, stakeholders, all), or --undelivered, or --resend KEY")
    if args.resend is not None:
        given = _again(find_platform(args.config), args.resend)
    else:
        given = {"audiences": args.audience} | ({"note": args.text} if args.text else {})
    return _send(args, given)


def _send(args: argparse.Namespace, given: dict[str, str]) -> int:
    from cockpit.headless import run as steps

    step = argparse.Namespace(
        config=args.config,
        step=STEP,
        reason=None,
        confirm=args.confirm,
        set=[f"{name}={value}" for name, value in given.items()],
        override=[],
        break_glass=False,
        dry_run=args.dry_run,
        json=args.json,
    )
    return steps.run(step)


def _open(settings: Settings) -> list[Delivery]:
    from cockpit.session import state_folder
    from cockpit.storage.notices import Notices

    return [one for one in Notices(state_folder(settings)).all() if one.is_open]


def _list(settings: Settings, is_json: bool) -> int:
    found = _open(settings)
    if is_json:
        print(json.dumps({"format": 1, "undelivered": [asdict(one) for one in found]}, indent=1))
    for one in found if not is_json else ():
        print(line(one))
    if not found and not is_json:
        print("everything arrived")
    return 1 if found else 0


def line(one: Delivery) -> str:
    """One message that did not arrive, or may not have."""
    at = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    state = "not delivered" if one.state == "failed" else "may have been delivered"
    to = f" {one.to}" if one.to else ""
    why = one.detail or "its sender ended before it knew, or is still at it"
    return clean(f"{one.key[:8]}  {at} UTC  {one.audience} {one.channel}{to}: {state}: {why}  [{one.subject}]", 300)


def _again(settings: Settings, key: str) -> dict[str, str]:
    """The parameters of the message as it was, for that one address."""
    found = [one for one in _open(settings) if key and one.key.startswith(key)]
    if len(found) != 1:
        many = "several undelivered messages begin" if found else "no undelivered message begins"
        raise Rejected(f"{many} with {clean(key, 30)}")
    (one,) = found
    texts = {f"{one.kind}_subject": one.subject, f"{one.kind}_body": one.body}
    return {"audiences": one.audience, "only": one.key, **texts}
