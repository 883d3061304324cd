"""How the Kubernetes probe logs in: kubeconfigs, programs that misbehave, and a process that they do not hold up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kubernetes_served import api, failure, kubeconfig, load_client, probe
from probe_servers import CLOCK, serving, settings

from cockpit.clients import kubernetes_login
from cockpit.errors import Refused, TimedOut
from cockpit.probes.kubernetes import KubernetesProbe


def plugin(folder: Path, script: str) -> dict[str, Any]:
    file = folder / "login"
    file.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{script}\n")
    file.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "args": ["x"]}}


async def test_login_program(tmp_path: Path) -> None:
    script = (
        "assert sys.stdin.read() == '' and sys.argv[1] == 'x'\n"
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert asked['spec']['interactive'] is False\n"
        "print(json.dumps({'apiVersion': asked['apiVersion'], 'status': {'token': 'sesame'}}))"
    )
    async with serving(api([])) as url:
        one = probe(tmp_path, url, **plugin(tmp_path, script))
        assert (await one.read()).deployments
        await one.close()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("sys.stderr.write('session expired, run aws sso login'); sys.exit(3)", "failed with 3: session expired, run"),
        ("print('Password: sesame')", "printed no credential"),
        ("print(json.dumps({'status': {}}))", "gave neither a token nor a certificate"),
        ("time.sleep(60)", "did not end within 0.3 s"),
    ],
)
async def test_login_program_that_fails(
    tmp_path: Path, script: str, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if "sleep" in script:
        monkeypatch.setattr(kubernetes_login, "PLUGIN_TIMEOUT_S", 0.3)
    error = await failure(probe(tmp_path, "http://127.0.0.1:1", **plugin(tmp_path, script)))
    assert isinstance(error, TimedOut if "sleep" in script else Refused) and words in str(error)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("status", [None, 401])
async def test_login_program_is_not_run_again_at_once(tmp_path: Path, status: int | None) -> None:
    script = f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\n" + (
        "print(json.dumps({'status': {'token': 'sesame'}}))" if status else "sys.exit(1)"
    )

    async with serving(lambda request: web.json_response({}, status=status or 200)) as url:
        one = probe(tmp_path, url, **plugin(tmp_path, script))
        said = {str(await failure(one)) for _ in range(3)}
        assert len(said) == 1 and (tmp_path / "runs").read_text() == "x"
        one._api._refused_until = 0.0
        await failure(one)
        assert (tmp_path / "runs").read_text() == "xx"
        await one.close()


@pytest.mark.parametrize("content", ["", "[1, 2]", "a: [", "clusters: sesame", "token: 'sesame", "contexts: [{}]"])
async def test_broken_kubeconfig(tmp_path: Path, content: str) -> None:
    one = probe(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "kubeconfig").write_text(content)
    assert "kubeconfig" in str(await failure(one))
    (tmp_path / "kubeconfig").unlink()
    assert "is not there" in str(await failure(one))


async def test_no_kubeconfig_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    load_client()
    one = KubernetesProbe(settings(kubernetes={}), CLOCK)
    assert "there is no kubeconfig at" in str(await failure(one))


def test_exit_is_not_delayed_and_no_model_is_loaded(tmp_path: Path) -> None:
    """A hung API server must not keep the process from ending, and 50 MB of models must stay on disk."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        file = kubeconfig(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}")
        script = (
            "import asyncio, json, sys, time\n"
            "from cockpit.clock import SystemClock\n"
            "from cockpit.config import Settings\n"
            "from cockpit.parts import parsed\n"
            "from cockpit.errors import TimedOut\n"
            "from cockpit.probes.kubernetes import KubernetesProbe\n"
            "assert 'kubernetes' not in sys.modules and 'yaml' in sys.modules\n"
            f"part = {{'kubeconfig': {str(file)!r}, 'timeout_s': 1.0}}\n"
            "probe = KubernetesProbe(parsed(Settings, {'site': 't', 'root': '/', 'kubernetes': part}), SystemClock())\n"
            "async def main():\n"
            "    for _ in range(3):\n"
            "        try:\n"
            "            await probe.read()\n"
            "        except TimedOut:\n"
            "            pass\n"
            "asyncio.run(main())\n"
            "models = [name for name in sys.modules if name.startswith('kubernetes.client.models.')]\n"
            "print(json.dumps([len(models), time.time()]))\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
        ended_at = time.time()
    assert done.returncode == 0, done.stderr
    models, finished_at = json.loads(done.stdout)
    assert models == 0
    assert ended_at - finished_at < 5.0
