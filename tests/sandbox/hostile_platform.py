"""A platform in which every answer and name is bad: Redis, Postgres, web servers, brokers, and files of others."""

from __future__ import annotations

import json
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from cockpit.model.audit import AuditRecord, Operator
from cockpit.model.drill import Drill
from cockpit.model.rehearsal import Rehearsal
from cockpit.sandbox.layout import Layout
from cockpit.storage.audit import AuditLog
from cockpit.storage.drills import Drills
from cockpit.storage.jobs import JobStore
from cockpit.storage.journal import Entry
from cockpit.storage.output import OUTPUT
from cockpit.storage.rehearsals import keep_rehearsal
from tests.sandbox.redis_servers import Server
from tests.terminal.hostile import TEXTS
from tests.terminal.hostile_parts import example

BAD = [text for name, text in sorted(TEXTS.items()) if name not in ("empty", "surrogates")]
ALL = "  ".join(BAD)
SHORT = "\x1b[31mred\x9b2J\x1b]2;x\x07[/]\u202e中"
"""What fits into a name of 63 bytes."""
NAME = SHORT.replace("/", "")
"""Of a file."""
PASSWORD = "between friends"
TOLD = [*BAD, TEXTS["surrogates"]]
"""JSON can say half of a character."""
MEGABYTE = TEXTS["ansi"] + "x" * 1_000_000
NO_TEXT = b"\xff\xfe\x9b31m\x1b[2J\xed\xa0\x80"
"""Bytes that are no UTF-8."""
JOB, DRILL = "20260101-000000-bad-00aa", "20260101-000000-bad"


class Poisoned(BaseHTTPRequestHandler):
    """Grafana, Kubernetes, Docker and a broker's API at once: every text that they can say is bad."""

    def do_GET(self) -> None:
        body = json.dumps(self._found()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _found(self) -> Any:
        if "/alerts" in self.path or "/silences" in self.path:
            return [{"labels": {"alertname": text}, "annotations": {"summary": text}, "comment": text} for text in TOLD]
        if "/apis/" in self.path or "/namespaces/" in self.path:
            return {"metadata": {}, "items": pods() if "/pods" in self.path else [deployment()]}
        if self.path.startswith("/containers/json"):
            return [{"Names": [f"/{name}"], "Image": name, "State": ALL, "Status": ALL} for name in ("redis", *BAD)]
        if "/containers/" in self.path:
            return {"State": {"Status": ALL, "Error": ALL, "ExitCode": 137}, "Name": ALL, "Config": {"Image": ALL}}
        alert = {"state": "Alerting", "annotations": {"summary": MEGABYTE}, "labels": {"alertname": ALL}, "value": ALL}
        rules = [
            {"name": text, "state": "firing", "labels": {"severity": text}, "annotations": {"summary": text},
             "alerts": [alert] if text == BAD[0] else [], "health": text, "lastError": text}
            for text in TOLD
        ]  # fmt: skip
        versions = {"Version": ALL, "ApiVersion": ALL, "gitVersion": ALL}
        return {"data": {"groups": [{"name": ALL, "rules": rules}]}, "database": ALL, "message": ALL, **versions}

    def log_message(self, *_: object) -> None:
        """Not to the terminal."""


def deployment() -> dict[str, Any]:
    """One whose rollout is stuck, and says why."""
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": ALL}, "labels": {"app": ALL}}}
    stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": ALL}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": ALL}}, "template": template}
    return {"metadata": {"name": "ws-gateway", "annotations": {ALL: ALL}, "uid": ALL}, "spec": spec,
            "status": {"replicas": 2, "conditions": [stuck]}}  # fmt: skip


def pods() -> list[dict[str, Any]]:
    """No real server lets a name be so; whoever stands between us and it does."""
    waiting = [{"name": text, "image": text, "state": {"waiting": {"reason": text, "message": text}}} for text in TOLD]
    return [
        {"metadata": {"name": text, "labels": {"app": ALL}, "creationTimestamp": text},
         "status": {"phase": text, "containerStatuses": waiting[at:]}}
        for at, text in enumerate(TOLD)
    ]  # fmt: skip


class Gateway(socketserver.BaseRequestHandler):
    """What answers where a broker's gateway should: as one does, or with nothing that one says."""

    words = b""

    def handle(self) -> None:
        self.request.recv(1 << 10)
        self.request.sendall(self.words)


class Tws(Gateway):
    words = struct.pack(">I", len(ALL.encode()) + 5) + b"176\0" + ALL.encode() + b"\0"


class Noise(Gateway):
    words = "".join(BAD).encode()


@contextmanager
def listening(server: socketserver.TCPServer) -> Iterator[int]:
    """Its port."""
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()


@contextmanager
def servers() -> Iterator[tuple[int, int, int]]:
    """The ports of the web server and of both gateways."""
    address, kind = ("127.0.0.1", 0), socketserver.ThreadingTCPServer
    with (
        listening(ThreadingHTTPServer(address, Poisoned)) as web,
        listening(kind(address, Tws)) as tws,
        listening(kind(address, Noise)) as noise,
    ):
        yield web, tws, noise


@contextmanager
def postgres(layout: Layout) -> Iterator[dict[str, Any]]:
    """A database, a role and tables with bad names in a sandbox's server, one session that blocks another; the dsn."""
    host, port = str(layout.postgres_dir), layout.ports.postgres
    admin = psycopg.connect(host=host, port=port, user="postgres", dbname="postgres", autocommit=True)
    name, database = sql.Identifier(SHORT), SHORT + "db"
    admin.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(name, PASSWORD))
    admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), name))
    dsn = {"host": "127.0.0.1", "port": port, "dbname": database, "user": SHORT}
    opened = []
    try:
        for _ in range(2):
            own = {"password": PASSWORD, "application_name": SHORT, "autocommit": False}
            opened.append(psycopg.connect(**dsn, **own))  # type: ignore[arg-type]
        holder, waiter = opened
        table = sql.Identifier(SHORT)
        holder.execute(sql.SQL("CREATE TABLE {} AS SELECT 1 AS n").format(table))
        holder.commit()
        harmful = sql.Literal(ALL.replace("\0", ""))
        holder.execute(sql.SQL("SELECT {}").format(harmful))
        holder.execute(sql.SQL("LOCK TABLE {} /* {} */").format(table, harmful))
        waits = sql.SQL("SELECT {}, n FROM {}").format(harmful, table)
        waiting = threading.Thread(target=_asks, args=(waiter, waits), daemon=True)
        waiting.start()
        yield dsn
    finally:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (SHORT,))
        for connection in opened:
            connection.close()
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
        admin.execute(sql.SQL("DROP ROLE {}").format(name))
        admin.close()


def _asks(connection: psycopg.Connection, question: sql.Composed) -> None:
    try:
        connection.execute(question)
    except psycopg.Error:
        return  # it was ended


def fill(server: Server) -> None:
    """As a platform would, but every name, reason and message is bad."""
    now_ms = int(time.time() * 1000)
    for at, text in enumerate(BAD):
        venue = "IBKR" if at == 0 else text
        state = {"status": text, "code": text, "message": text, "ts_ms": now_ms}
        server.client.hset("venue:status", venue, json.dumps(state))
        server.client.hset("positions", text, json.dumps({"qty": 5 + at, "mark": 2.0, "notional_usd": 10}))
        server.client.hset("engine:hb", text, json.dumps({"ts_ms": now_ms - 60_000}))
        server.client.hset("ingest:active", text, text)
        for stream in ("orders.incoming", "orders.validated", "ticks.yahoo"):
            server.client.xgroup_create(stream, text, "0", mkstream=True)
            server.add(stream, {"id": text, "reason": text, "ts_ms": now_ms})
            server.client.xreadgroup(text, text, {stream: ">"})
    for worse in (NO_TEXT, MEGABYTE.encode()):
        server.client.hset("venue:status", worse[:60], json.dumps({"status": "up", "ts_ms": now_ms}))
        server.client.hset("venue:status", "ZERODHA", worse)
        server.client.hset("engine:hb", worse[:60], worse)
        server.client.xadd("orders.rejected", {b"data": worse, worse[:60]: worse})
        server.client.xgroup_create("orders.rejected", worse[:60], "0")
    server.client.hset("policy:kill_switch", mapping={"enabled": "true", "reason": ALL, "by": ALL, "ts": now_ms})
    server.client.hset("policy:route_override", "IBKR", ALL)
    server.add("risk.metrics", {"book": ALL, "var_99": 1.0, "ts_ms": now_ms})
    server.client.config_set("maxmemory-policy", "noeviction")
    server.client.client_setname("x")


def leave(state: Path, home: Path) -> None:
    """What others, or another version, may have written where the cockpit keeps its own: each whole, then torn."""
    now, text = time.time(), ALL.replace("\0", "")
    log = AuditLog(state)
    log.append(replace(example(AuditRecord, text), at=now, who=Operator(SHORT, text, text, text, text)))
    with log.file.open("ab") as file:
        file.write(b'{"kind": "' + NO_TEXT + b'"}\n')
    jobs = JobStore(state / "jobs")
    submitted = {"action": text, "title": text, "target": text, "world": "SANDBOX", "digest": "0", "by": text,
                 "steps": [text], "proofs": [text], "reason": text}  # fmt: skip
    happened = (("step_started", {"step": 0, "detail": text}), ("note", {"text": text}), ("failed", {"error": text}))
    entries = [Entry(now, "submitted", submitted), *(Entry(now, kind, facts) for kind, facts in happened)]
    for job, torn in ((JOB, b""), (JOB[:-1] + "b", NO_TEXT + b"\n")):
        jobs.create(job, entries).release()
        (jobs.folder(job) / "journal.jsonl").open("ab").write(torn)
        (jobs.folder(job) / OUTPUT).write_bytes(text.encode() + NO_TEXT)
    drill = replace(example(Drill, text), id=DRILL, ended_at=now, ending="ended")
    drills = Drills(home / "cockpit" / "drills")
    drills.keep(drill)
    (drills.folder / f"{DRILL}.md").write_bytes(text.encode() + NO_TEXT)
    keep_rehearsal(state, replace(example(Rehearsal, text), at=now))


def kubeconfig(file: Path, web: int) -> None:
    """All names in it bad."""
    parts = {"clusters": ("cluster", {"server": f"http://127.0.0.1:{web}"}), "users": ("user", {"token": "x"})}
    parts["contexts"] = ("context", {"cluster": SHORT, "user": SHORT, "namespace": "prod"})
    listed = {name: [{"name": SHORT, kind: value}] for name, (kind, value) in parts.items()}
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": SHORT, **listed}))


def runbook(file: Path, shouts: Path) -> None:
    """One section, whose step prints nothing good; its own words are what a runbook is let have."""
    words = "  ".join(TEXTS[name] for name in ("markup", "marks", "wide"))
    step = {"action": "general.command", "name": "shout", "key": "s", "title": words[:60], "summary": words,
            "danger": "observe", "parameters": {"command": ["/bin/cat", str(shouts)]}}  # fmt: skip
    section = {"section": "9", "title": TEXTS["markup"], "key": "o", "steps": [step]}
    file.write_text(yaml.safe_dump({"sections": [section]}))
