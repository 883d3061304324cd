"""The real servers behave as the runbook expects, with the programs that it names."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Control, wait_until

from cockpit.config import load
from cockpit.sandbox import launcher, postgres_programs
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.postgres_programs import is_open_to_others, programs_folder
from cockpit.sandbox.processes import Account
from cockpit.sandbox.schema import TABLES

Sandbox = tuple[Layout, Control]


@pytest.fixture
def healthy(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    sandbox[1].clear()


def in_shell(layout: Layout, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line as an operator would: in the platform's root, with the sandbox's environment."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=layout.root,
        env=launcher.environment(layout),
        capture_output=True,
        text=True,
        timeout=60,
    )


def inspected(layout: Layout, name: str) -> dict[str, object]:
    return json.loads(in_shell(layout, f"docker inspect {name}").stdout)[0]["State"]


def test_the_runbooks_redis_lines_work_as_written(healthy: Sandbox) -> None:
    layout, _ = healthy
    before = int(in_shell(layout, "redis-cli XLEN orders.validated").stdout)
    assert before > 0
    assert int(in_shell(layout, "redis-cli XLEN orders.fills").stdout) > 0
    assert in_shell(layout, "redis-cli HSET policy:kill_switch enabled true").returncode == 0
    assert in_shell(layout, "redis-cli HGET policy:kill_switch enabled").stdout == "true\n"
    in_shell(layout, "redis-cli HSET policy:kill_switch enabled false")


def test_docker_restart_redis_keeps_what_it_holds_and_is_a_new_process(healthy: Sandbox) -> None:
    layout, control = healthy
    in_shell(layout, "redis-cli SET sandbox:test kept")
    pid = control.status()["services"]["redis"]
    assert in_shell(layout, "docker restart redis").returncode == 0
    assert control.status()["services"]["redis"] not in (0, pid)
    wait_until(lambda: in_shell(layout, "redis-cli GETDEL sandbox:test").stdout == "kept\n")


def test_a_killed_redis_is_exited_137_until_it_is_started(healthy: Sandbox) -> None:
    layout, control = healthy
    control.inject("redis-killed")
    state = inspected(layout, "redis")
    assert (state["Status"], state["ExitCode"], state["Pid"]) == ("exited", 137, 0)
    assert in_shell(layout, "docker start redis").returncode == 0
    assert inspected(layout, "redis")["Running"]


def test_the_dump_is_whole_and_can_be_read_to_its_end(healthy: Sandbox) -> None:
    layout, _ = healthy
    wait_until(layout.dump.is_file)
    contents = in_shell(layout, "pg_restore -l /backups/pg/latest.dump").stdout
    assert all(f"TABLE DATA public {table} " in contents for table in TABLES)
    assert in_shell(layout, "pg_restore -f /dev/null /backups/pg/latest.dump").returncode == 0


def test_the_dump_restores_into_a_new_database(healthy: Sandbox) -> None:
    layout, _ = healthy
    wait_until(layout.dump.is_file)
    assert in_shell(layout, "createdb copy").returncode == 0
    try:
        done = in_shell(layout, "pg_restore -U hedgefund_user -d copy --no-owner -e /backups/pg/latest.dump")
        assert (done.returncode, done.stderr) == (0, "")
        assert int(in_shell(layout, "psql -d copy -Atc 'SELECT count(*) FROM fills'").stdout) > 0
    finally:
        in_shell(layout, "dropdb --force copy")


def test_psql_speaks_as_the_platforms_role_over_tcp(healthy: Sandbox) -> None:
    layout, _ = healthy
    who = in_shell(layout, "psql -Atc 'SELECT current_user, current_database(), inet_server_addr()'").stdout
    assert who == "hedgefund_user|hedgefund|127.0.0.1\n"


def test_kubectl_and_docker_find_the_sandbox(healthy: Sandbox) -> None:
    layout, _ = healthy
    assert "deployment.apps/ws-gateway" in in_shell(layout, "kubectl get deploy -o name").stdout
    assert in_shell(layout, "kubectl auth can-i patch deployments").stdout == "yes\n"
    names = in_shell(layout, "docker ps --format '{{.Names}}'").stdout.split()
    assert {"redis", "postgres"} <= set(names)


def test_the_cockpits_configuration_is_valid_and_its_secrets_are_private(sandbox: Sandbox) -> None:
    layout, _ = sandbox
    settings = load(layout.config)
    assert settings.root == layout.root
    assert settings.postgres is not None
    assert settings.postgres.password is not None
    assert settings.postgres.password.reveal()
    for secret in [*(layout.folder / "secrets").iterdir(), layout.folder / "pgpass", layout.kubeconfig]:
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600, secret
    assert settings.postgres.password.reveal() not in layout.config.read_text()


def test_everything_in_the_folder_is_closed_to_others(sandbox: Sandbox) -> None:
    layout, _ = sandbox
    for path in layout.folder.iterdir():
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for socket in (layout.control_socket, layout.docker_socket):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600, socket


def test_programs_below_a_closed_folder_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "home"
    (closed / "venv").mkdir(parents=True)
    closed.chmod(0o700)
    assert not is_open_to_others(closed / "venv")
    monkeypatch.setattr(postgres_programs, "CACHES", tmp_path)
    monkeypatch.setattr(postgres_programs, "is_open_to_others", lambda _folder: False)
    copied = programs_folder(Account(65534, 65534))
    assert copied.is_relative_to(tmp_path)
    told = subprocess.run([copied / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    assert told.startswith("postgres (PostgreSQL) 18")
    made = copied.stat().st_mtime_ns
    assert programs_folder(Account(65534, 65534)).stat().st_mtime_ns == made


@pytest.mark.parametrize("name", ["risk", "ledger", "market"])
def test_a_killed_worker_is_started_again(healthy: Sandbox, name: str) -> None:
    layout, control = healthy
    pid = control.status()["services"][name]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: control.status()["services"][name] not in (0, pid))
    before = in_shell(layout, "redis-cli --raw XREVRANGE orders.fills + - COUNT 1").stdout
    wait_until(lambda: in_shell(layout, "redis-cli --raw XREVRANGE orders.fills + - COUNT 1").stdout != before)


def test_postgres_starts_right_after_a_kill_9(healthy: Sandbox) -> None:
    layout, control = healthy
    for _ in range(3):
        control.inject("postgres-killed")
        assert inspected(layout, "postgres")["ExitCode"] == 137
        assert in_shell(layout, "docker start postgres").returncode == 0
        wait_until(lambda: in_shell(layout, "psql -Atc 'SELECT 1'").stdout == "1\n")
        wait_until(lambda: control.status()["faults"] == [])
