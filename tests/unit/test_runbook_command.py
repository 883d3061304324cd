"""`cockpit runbook`: everything as text with no backend there, on paper in 80 columns, and a file checked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cockpit.cli import run
from tests.unit.test_own_runbook import OWN, written

CONFIG = {
    "site": "hf-9",
    "world": "LIVE",
    "root": "/srv/hedgefund",
    "redis": {"url": "redis://127.0.0.1:1/0", "password": {"file": "/etc/cockpit/redis.secret"}},
    "venues": [
        {"name": "IBKR", "probe": "tws://127.0.0.1:1", "backup": "zerodha", "phone": "+41 44 000 00 01"},
        {"name": "ZERODHA", "backup": "paper"},
        {"name": "PAPER"},
    ],
    "postgres": {"dsn": "host=db.internal dbname=hedgefund user=hedgefund_user", "password": {"env": "PGPASSWORD"}},
    "kubernetes": {"context": "prod", "namespace": "trading", "deployments": ["ws-gateway", "router", "api"]},
    "docker": {"containers": ["redis", "postgres"]},
    "grafana": {"url": "https://127.0.0.1:1"},
    "contacts": [{"name": "Asha Rao", "phone": "+91 22 000 00 02", "role": "risk officer"}],
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "cockpit.yaml"
    file.write_text(yaml.safe_dump({**CONFIG, "state": str(tmp_path / "state")}), encoding="utf-8")
    return file


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["runbook", *arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_everything_is_told_with_todays_values(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "--config", str(config))
    assert code == 0 and "cannot be told" not in text
    for line in (
        "LIVE hf-9",
        "3.1 Broker outage   (Space b)",
        "HSET policy:route_override IBKR zerodha",
        "HSET policy:route_override ZERODHA paper",
        "kubectl --context prod -n trading rollout restart deploy/ws-gateway",
        "kubectl --context prod -n trading rollout undo deploy/api",
        "kubectl --context prod -n trading scale deploy/router --replicas=N",
        "docker restart postgres",
        "python backend/ops/hedger.py --flatten-all",
    ):
        assert line in text, line
    assert "sesame" not in text


def test_one_section_by_number_or_key(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, by_number = told(capsys, "3.2", "--config", str(config))
    assert code == 0 and "Data feed failure" in by_number and "Broker outage" not in by_number
    assert told(capsys, "f", "--config", str(config)) == (0, by_number)
    code, text = told(capsys, "3.9", "--config", str(config))
    assert code == 2 and "there are: 3.1 (b)" in text


def test_json_holds_the_plans(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "--json", "--config", str(config))
    steps = {one["step"]: one for one in json.loads(text)["steps"]}
    assert code == 0 and steps["kill-switch"]["plans"][0]["steps"][0]["command"].startswith("HSET policy:kill_switch")
    assert len(steps["scale"]["plans"]) == 3 and steps["restart-ingestion"]["section"] == "3.2"


def test_the_paper_copy_can_be_typed_without_the_cockpit(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "--paper", "--config", str(config))
    assert code == 0
    assert text.startswith("# Recovery by hand: hf-9 (LIVE)\n\nPrinted 20")
    wide = [line for line in text.splitlines() if len(line) > 80 and len(line.split()) > 1]
    assert wide == []
    stop, call = text.index("## First: stop trading"), text.index("## Numbers to call")
    assert stop < call < text.index("## 3.1 Broker outage")
    joined = text.replace(" \\\n       ", "")
    assert "redis-cli -u redis://127.0.0.1:1/0 HSET policy:kill_switch enabled true" in joined
    assert "kubectl --context prod -n trading scale deploy/router --replicas=0" in joined
    for words in ("broker IBKR: +41 44 000 00 01", "Asha Rao, risk officer: +91 22 000 00 02", "broker PAPER: ____"):
        assert words in text
    assert "REDISCLI_AUTH is in the file" in text.replace("\n", " ").replace("    ", "")
    assert "Space " not in text and "cockpit run" not in text


def test_a_runbook_file_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path)
    code, text = told(capsys, "--check", str(file))
    assert code == 0 and "is right: 4 steps of its own" in text
    assert run(["runbook", "--check", str(written(tmp_path, OWN.replace("key: o", "key: b")))]) == 3
    assert "own.yaml:6:" in capsys.readouterr().err
    text = OWN.replace("venue_unreachable/IBKR", "venue_unreachabel/IBKR")
    assert run(["runbook", "--check", str(written(tmp_path, text))]) == 3
    assert "is no finding's rule" in capsys.readouterr().err


def test_a_wrong_own_file_is_told_and_ours_stays(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = written(config.parent, OWN.replace("danger: disrupt", "danger: huge", 1))
    config.write_text(config.read_text() + f"runbook: {own}\n")
    code, text = told(capsys, "--config", str(config))
    assert code == 3 and "the fund's own runbook is not used" in text and "Broker outage" in text


def test_no_toolkit_is_loaded(config: Path) -> None:
    script = (
        "import sys; from cockpit.cli import run; "
        f"code = run(['runbook', '--paper', '--config', {str(config)!r}]); "
        "found = [name for name in ('textual', 'rich', 'redis', 'psycopg', 'kubernetes') if name in sys.modules]; "
        "print(found, file=sys.stderr); sys.exit(code or bool(set(found) & {'textual', 'rich'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
