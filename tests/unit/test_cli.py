"""The command line: quick, quiet, one line for every error."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest

from cockpit import cli
from cockpit.arguments import COMMANDS, command_in, parser_for
from cockpit.errors import CockpitError, ConfigError, JournalError, Misused, Rejected, SandboxError
from cockpit.model.severity import Severity
from cockpit.options import read_plainly
from cockpit.storage.incidents import Incidents, Opening


def cockpit(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cockpit", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COCKPIT_CONFIG": "", "HOME": "/nonexistent", **environment},
    )


INTERRUPTED_WHILE_LOADING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
class Finder:
    def find_spec(self, name, *_):
        if name == "cockpit.cli":
            {happens}
sys.meta_path.insert(0, Finder())
from cockpit.__main__ import main
main()
"""


@pytest.mark.parametrize("happens", ["raise KeyboardInterrupt", "Dropped()"])
def test_who_interrupts_while_it_is_being_loaded_gets_no_traceback(happens: str) -> None:
    """Also where an exception would be told and lost: the importer has callbacks of its own."""
    program = INTERRUPTED_WHILE_LOADING.format(happens=happens)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_command_that_is_interrupted_can_end_in_order() -> None:
    program = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["cockpit", "keys"]
from cockpit.__main__ import main
from cockpit.headless import keys
def run(args):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        print("in order")
    return 0
keys.run = run
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "in order\n", "")


def test_nothing_is_imported_before_an_interrupt_is_answered() -> None:
    loads = "import sys; before = set(sys.modules); import cockpit.__main__; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) == {"cockpit", "cockpit.__main__"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that this code loads."""
    program = f"{code}\nimport sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}), sep=',')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.splitlines()[-1].split(","))


def test_help_loads_only_itself() -> None:
    loaded = loaded_by("from cockpit.cli import run\ntry: run(['--help'])\nexcept SystemExit: pass")
    assert not loaded & {"textual", "rich", "msgspec", "yaml", "redis", "asyncio", "httpx", "psycopg", "kubernetes"}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_headless_commands_load_no_screen(command: str) -> None:
    loaded = loaded_by(f"from cockpit.cli import run\ntry: run(['{command}', '--help'])\nexcept SystemExit: pass")
    assert not loaded & {"textual", "rich"}


def test_status_loads_no_screen(tmp_path: Path) -> None:
    config = tmp_path / "cockpit.yaml"
    config.write_text(f"site: bare\nroot: {tmp_path}\nstate: {tmp_path}/state\nredis: null\n", encoding="utf-8")
    loaded = loaded_by(f"from cockpit.cli import run\nrun(['--config', '{config}', 'status'])")
    assert "msgspec" in loaded
    assert not loaded & {"textual", "rich"}


def test_help_names_every_command_and_exit_code() -> None:
    done = cockpit("--help")
    assert done.returncode == 0
    for word in (*COMMANDS, "--config", "--version", "exit codes"):
        assert word in done.stdout


def test_help_takes_little_cpu() -> None:
    """CPU time, the best of five: other programs on this machine must not decide."""
    spent = []
    for _ in range(5):
        before = os.times()
        assert cockpit("--help").returncode == 0
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(spent) < 0.25, spent


def test_version() -> None:
    done = cockpit("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("cockpit ")
    assert "Python" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["bogus"], 2, "invalid choice"),
        (["status", "--bogus"], 2, "cockpit status: error: unrecognized arguments: --bogus"),
        (["jobs", "show", "20260620"], 2, "usage: cockpit jobs "),
        (["audit", "show", "extra"], 2, "cockpit audit show: error: unrecognized arguments: extra"),
        (["run", "flatten", "--break"], 2, "unrecognized arguments: --break"),
        (["audit", "show", "--last", "x"], 2, "argument --last: it is a number from 1 on, not 'x'"),
        (["incident", "update", "soon"], 2, "it is a number of minutes, not 'soon'"),
        (["incident", "close", "--rpo-rows", "-1"], 2, "it is a number of rows, not '-1'"),
        (
            ["--config", "/nowhere/cockpit.yaml", "status"],
            3,
            "cannot read /nowhere/cockpit.yaml: no such file or directory\n",
        ),
        (["status", "--config", "/nowhere/cockpit.yaml"], 3, "cannot read /nowhere/cockpit.yaml"),
        (["--config", "/dev/null", "status"], 3, "holds no settings"),
        (["--config", "/", "status"], 3, "cannot read /"),
        (["--config", "/bin/true", "status"], 3, "cannot read /bin/true: it is no text in UTF-8\n"),
    ],
)
def test_wrong_use_is_told_without_a_traceback(arguments: list[str], code: int, words: str) -> None:
    done = cockpit(*arguments)
    assert done.returncode == code, done
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


MISUSED = """\
run reroute --set venue | --set takes NAME=VALUE
run reroute --set broker=IBKR | reroute takes no 'broker'; it takes: venue, to
run no-such-step | there is no step no-such-step
runbook 9.9 | there is no section 9.9
notify | name an audience
notify ops --resend 3f2a | name an audience
incident new x --severity P1 --began yesterday | 'yesterday' is no time
incident note "" | there is nothing to note
jobs --cancel | take the ID of a job
jobs --resolve done | take the ID of a job
jobs 9f3a --resolve done | --resolve takes --reason TEXT
approve --refuse | take the ID of a request
approve --confirm y | take the ID of a request
drill start no-such-drill | there is no drill 'no-such-drill'; there are:
sandbox inject no-such-fault | there is no fault 'no-such-fault'
sandbox clear feed-lat | did you mean feed-late"""


@pytest.mark.parametrize("case", MISUSED.splitlines())
def test_an_argument_that_is_none_is_usage(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "cockpit.yaml"
    config.write_text(f"site: bare\nroot: {tmp_path}\nstate: {tmp_path}/state\nredis: null\n", encoding="utf-8")
    words, _, said = case.partition(" | ")
    opened = Incidents(tmp_path / "runbooks" / "incidents", "asha")
    opened.open(Opening("x", Severity.P1, ""))
    try:
        code = cli.run([*([] if "sandbox" in words else ["--config", str(config)]), *shlex.split(words)])
    except SystemExit as ended:
        code = int(str(ended.code))
    assert (code, said in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CockpitError("plain"), 1),
        (Misused("usage"), 2),
        (ConfigError("config"), 3),
        (Rejected("no"), 4),
        (JournalError("disk"), 5),
        (SandboxError("sandbox"), 6),
        (ValueError("a bug"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_has_its_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr(cli, "_dispatch", fail)
    assert cli.run([]) == code
    said = capsys.readouterr().err
    assert said.count("\n") == (0 if code == 130 else 1)
    assert str(error) in said


def test_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"set -o pipefail; {sys.executable} -m cockpit keys | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


def test_interrupted_watch_ends_quietly(tmp_path: Path) -> None:
    config = tmp_path / "cockpit.yaml"
    config.write_text(f"site: bare\nroot: {tmp_path}\nstate: {tmp_path}/state\nredis: null\n", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "cockpit", "--config", str(config), "status", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("LIVE bare")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == cli.INTERRUPTED
        assert process.stderr is not None
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()


def test_command_is_found_before_there_is_a_parser() -> None:
    assert command_in(["status", "run"]) == "status"
    assert command_in(["--config", "audit", "keys"]) == "keys"
    assert command_in(["--config=x", "keys"]) == "keys"
    assert command_in(["--version"]) is None
    assert command_in(["bogus", "status"]) is None


WORDS = ("--config", "--config=x=y", "--config=", "a b", "--colours", "--colours=none", "--colours=17", "16",
         "--ascii", "--ascii=1", "--", "-", "-x", "--conf", "--version", "ascii", "")  # fmt: skip


def test_the_screen_is_opened_as_the_parser_would_open_it() -> None:
    parser, read = parser_for([]), 0
    for length in range(4):
        for arguments in product(WORDS, repeat=length):
            if (options := read_plainly(arguments)) is not None:
                read += 1
                parsed = vars(parser.parse_args(arguments))
                assert parsed == {**options, "version": False, "command": None}, arguments
    assert read > 50


def test_the_screen_is_opened_without_the_parser() -> None:
    loaded = loaded_by(
        "from cockpit import app, cli\napp.run_app = lambda *given: print(given) or 0\n"
        "assert cli.run(['--config', '/nowhere', '--colours=16']) == 0"
    )
    assert "argparse" not in loaded


def test_start_is_not_slow_by_accident() -> None:
    """A safety net only; the benchmarks measure it."""
    started = time.monotonic()
    cockpit("--help")
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_is_no_error_and_no_file_gets_its_number(closed: str, tmp_path: Path) -> None:
    wrong = tmp_path / "cockpit.yaml"
    for arguments, code in (("keys", 0), (f"status --config {wrong}", 3)):
        line = f"{shlex.quote(sys.executable)} -m cockpit {arguments} {closed}"
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code
        assert "Traceback" not in done.stderr


def test_an_output_that_is_full_is_said_in_one_line() -> None:
    line = f"{shlex.quote(sys.executable)} -m cockpit keys >/dev/full"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "cockpit: the output cannot be written: No space left on device\n")
