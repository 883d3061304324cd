"""`cockpit sandbox ...`: start, stop, look at and break the training platform, as text or JSON."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.errors import Misused, SandboxError
from cockpit.sandbox import launcher
from cockpit.sandbox.faults import FAULTS, LIFTING, Fault
from cockpit.sandbox.folders import shared_folder
from cockpit.sandbox.layout import Layout

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


NO_TMPDIR = "TMPDIR is not heeded: every cockpit must find it, and its sockets need a short path"


def add_arguments(subparsers: Subparsers) -> None:
    """Add `sandbox` and its subcommands."""
    sandbox = subparsers.add_parser("sandbox", help="a small trading platform to train on", description=__doc__)
    commands = sandbox.add_subparsers(dest="sandbox_command", required=True, metavar="COMMAND")
    up = _command(commands, "up", "start a sandbox that stays until `down`")
    up.add_argument("--seed", type=int, default=7, help="the same seed makes the same market (default 7)")
    up.add_argument("--orders-per-s", type=_rate, default=50.0, metavar="N", help="orders a second (default 50)")
    up.add_argument("--ticks-per-s", type=_rate, default=200.0, metavar="N", help="ticks a second (default 200)")
    _command(commands, "down", "stop it")
    _command(commands, "status", "what runs and what is broken")
    _command(commands, "faults", "everything that can be broken")
    _command(commands, "inject", "break something").add_argument("fault", metavar="FAULT", help="see `faults`")
    clear = _command(commands, "clear", "repair one fault, or all")
    clear.add_argument("fault", metavar="FAULT", nargs="?", help="all when left out")
    _command(commands, "env", 'print the variables that point a shell at it: eval "$(cockpit sandbox env)"')
    _command(commands, "shell", "a shell in its folder, where the runbook's lines work as they are written")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; the exit code (6 when the sandbox cannot be started or does not answer)."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "up": _up,
        "down": _down,
        "status": _status,
        "faults": _faults,
        "inject": _inject,
        "clear": _clear,
        "env": _env,
        "shell": _shell,
    }
    try:
        return actions[args.sandbox_command](args)
    except SandboxError as error:
        print(f"cockpit sandbox: {error}", file=sys.stderr)
        return error.exit_code


def _command(commands: Subparsers, name: str, about: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    parser.add_argument(
        "--folder", type=Path, default=None, help=f"its folder (default {shared_folder()}; {NO_TMPDIR})"
    )
    if name not in ("env", "shell"):
        parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _rate(text: str) -> float:
    """An argument that is a rate per second."""
    value = float(text)
    if not 0 < value <= 5000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 5000")
    return value


def _up(args: argparse.Namespace) -> int:
    rates = launcher.Rates(args.seed, args.orders_per_s, args.ticks_per_s)

    def watch(progress: launcher.Progress) -> None:
        if not args.json:
            print(f"{progress.at_s:6.2f} s  {progress.step}", flush=True)

    was_up = launcher.find_running(args.folder) is not None
    layout = launcher.up(args.folder, rates, watch)
    facts = {"folder": str(layout.folder), "config": str(layout.config), "was_up": was_up}
    already = "already up" if was_up else "up"
    text = f"{already} in {layout.folder}\nconfiguration: {layout.config}\nstop it: {_hint(args, 'down')}"
    _print(args, facts, text)
    return 0


def _down(args: argparse.Namespace) -> int:
    was_up = launcher.down(args.folder)
    place = args.folder or shared_folder()
    left = f"down; its logs and journals stay in {place} until the next `up` there, or until you remove it"
    _print(args, {"was_up": was_up}, left if was_up else "no sandbox was running")
    return 0


def _status(args: argparse.Namespace) -> int:
    layout = launcher.find_running(args.folder)
    if layout is None:
        _print(args, {"up": False}, f"no sandbox is running; start one: {_hint(args, 'up')}")
        return 0
    facts = launcher.status(layout)
    _print(args, {"up": True, **facts}, _status_text(facts))
    return 0


def _status_text(facts: dict[str, Any]) -> str:
    lines = [f"up for {facts['up_s']:.0f} s in {facts['folder']} (process {facts['pid']})", "", "services"]
    lines += [f"  {name:<14}{pid or 'not running'}" for name, pid in facts["services"].items()]
    lines += ["", "faults" if facts["faults"] else "no fault is injected"]
    now_ms = time.time_ns() // 1_000_000
    for fault in facts["faults"]:
        lines.append(f"  {fault['id']:<20} for {(now_ms - fault['since_ms']) / 1000:.0f} s  runbook {fault['section']}")
    return "\n".join(lines)


def _faults(args: argparse.Namespace) -> int:
    rows = [
        {
            "id": fault.id,
            "title": fault.title,
            "breaks": fault.breaks,
            "section": fault.section,
            "mend": fault.clears_by,
        }
        for fault in FAULTS.values()
    ]
    text = "\n".join(_fault_line(fault) for fault in FAULTS.values())
    _print(args, {"faults": rows}, f"{'FAULT':<20}  {'RUNBOOK':<7}  WHAT IT BREAKS\n{text}")
    return 0


def _fault_line(fault: Fault) -> str:
    return f"{fault.id:<20}  {fault.section:<7}  {fault.title}: {fault.breaks}"


def _inject(args: argparse.Namespace) -> int:
    fault = _known(args.fault)
    is_new = launcher.inject(_running(args), fault.id)["injected"]
    text = f"{fault.title}: {fault.breaks} (runbook {fault.section})" if is_new else f"{fault.id} was already injected"
    _print(args, {"fault": fault.id, "injected": is_new}, text)
    return 0


def _clear(args: argparse.Namespace) -> int:
    fault = None if args.fault is None else _known(args.fault).id
    cleared = launcher.clear(_running(args), fault)["cleared"]
    lifted = "; a halt by the risk manager is lifted with it, one by anybody else stays" if LIFTING & {*cleared} else ""
    words = f"cleared: {', '.join(cleared)}{lifted}" if cleared else "nothing was injected"
    _print(args, {"cleared": cleared}, words)
    return 0


def _env(args: argparse.Namespace) -> int:
    for name, value in _pointed(_running(args)).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _pointed(layout: Layout) -> dict[str, str]:
    """Only what differs from our own environment."""
    return {name: value for name, value in launcher.environment(layout).items() if os.environ.get(name) != value}


def _shell(args: argparse.Namespace) -> int:
    layout = _running(args)
    shell = os.environ.get("SHELL") or "/bin/sh"
    environment = launcher.environment(layout)
    os.chdir(layout.root)
    try:
        os.execvpe(shell, [shell], environment)  # noqa: S606 - the user's own shell, in this process' place
    except OSError as error:
        raise SandboxError(f"cannot start {shell}: {error.strerror}") from error


def _hint(args: argparse.Namespace, command: str) -> str:
    """The line that does this with the same sandbox."""
    words = ["cockpit", "sandbox", command, *(() if args.folder is None else ("--folder", str(args.folder)))]
    return shlex.join(words)


def _running(args: argparse.Namespace) -> Layout:
    layout = launcher.find_running(args.folder)
    if layout is None:
        raise SandboxError(f"no sandbox is running; start one: {_hint(args, 'up')}")
    return layout


def _known(fault: str) -> Fault:
    if fault in FAULTS:
        return FAULTS[fault]
    near = get_close_matches(fault, FAULTS, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "see: cockpit sandbox faults"
    raise Misused(f"there is no fault {fault!r}; {hint}")


def _print(args: argparse.Namespace, facts: dict[str, Any], text: str) -> None:
    print(json.dumps(facts) if args.json else text)
