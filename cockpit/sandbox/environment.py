"""Programs that point at one sandbox, so that the runbook's own lines work with its bin/ first on PATH."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from cockpit.sandbox.layout import Layout
from cockpit.sandbox.postgres_server import PostgresServer
from cockpit.sandbox.redis_server import redis_program
from cockpit.sandbox.variables import shell_variables

REROOTED = """for argument do
  shift
  case "$argument" in /backups/*) [ -e "$argument" ] || argument={root}"$argument" ;; esac
  set -- "$@" "$argument"
done
"""
"""The runbook names its backups from the root of the host; ours are below the platform's root."""
POSTGRES_CLIENTS = ("psql", "pg_dump", "pg_restore", "pg_isready", "createdb", "dropdb")


def write_programs(layout: Layout, postgres: PostgresServer) -> None:
    """Fill bin/ with small wrappers; what is not installed gets none."""
    variables = shell_variables(layout)
    _write(layout, "redis-cli", [redis_program("redis-cli"), "-p", str(layout.ports.redis)])
    for name in POSTGRES_CLIENTS:
        program = postgres.programs / name
        if program.is_file():
            # Ours comes first on PATH: an older pg_dump or pg_restore refuses this server's version.
            before = REROOTED.replace("{root}", shlex.quote(str(layout.root))) if name == "pg_restore" else ""
            _write(layout, name, [str(program)], variables, before)
    kubectl = shutil.which("kubectl") or _beside_python("kubectl")
    if kubectl is not None:
        _write(layout, "kubectl", [kubectl], variables)
    docker = shutil.which("docker")
    if docker is not None:
        _write(layout, "docker", [docker], variables)
    for name in ("python", "python3"):
        _write(layout, name, [sys.executable])


def _beside_python(name: str) -> str | None:
    path = Path(sys.executable).parent / name
    return str(path) if path.is_file() else None


def _write(
    layout: Layout, name: str, command: list[str], variables: dict[str, str] | None = None, before: str = ""
) -> None:
    exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in (variables or {}).items())
    wrapper = layout.bin / name
    wrapper.write_text(f'#!/bin/sh\n{exports}{before}exec {shlex.join(command)} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o700)
