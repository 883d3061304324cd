"""The official client's configuration and login, kept from reading our terminal and from hanging in a login program."""

from __future__ import annotations

import json
import os
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

from cockpit.captured import captured
from cockpit.config import KubernetesPart
from cockpit.errors import BackendError, Refused, TimedOut
from cockpit.text import clean

PLUGIN_TIMEOUT_S = 10.0
"""Cloud providers' login programs take 0.5 to 3 s."""
IN_CLUSTER = "KUBERNETES_SERVICE_HOST"
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
MAX_OUTPUT = 1 << 20


def login(settings: KubernetesPart) -> tuple[Any, str]:
    """An ApiClient and the namespace; blocks, and loads the official client (0.2 s, 30 MB) without its models.

    Raises:
        BackendError: there is no usable configuration, or the login failed.
    """
    from kubernetes.client.api_client import ApiClient
    from kubernetes.client.configuration import Configuration
    from kubernetes.config.config_exception import ConfigException

    configuration = Configuration()
    # A retry of theirs would multiply our time-out.
    configuration.retries = False
    paths = config_paths(settings)
    try:
        namespace = _in_cluster(configuration) if paths is None else _from_file(paths, settings.context, configuration)
    except ConfigException as error:
        raise BackendError(f"kubeconfig: {clean(error)}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackendError(f"kubeconfig cannot be used: {clean(error)}") from None
    return ApiClient(configuration=configuration), settings.namespace or namespace


def runs_a_program(api: Any) -> bool:
    """Whether the login behind this client is by a program."""
    return bool(getattr(api.configuration, "is_by_program", False))


def config_paths(settings: KubernetesPart) -> str | None:
    """Where the kubeconfig is, by kubectl's rules; None for a pod's own service account.

    Raises:
        BackendError: there is none.
    """
    if settings.kubeconfig is not None:
        if not settings.kubeconfig.exists():
            raise BackendError(f"kubeconfig {clean(settings.kubeconfig)} is not there")
        return str(settings.kubeconfig)
    paths = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path):
        return paths
    if os.environ.get(IN_CLUSTER):
        return None
    raise BackendError(f"there is no kubeconfig at {clean(paths)}")


def _in_cluster(configuration: Any) -> str:
    _theirs("incluster_config").load_incluster_config(client_configuration=configuration)
    return NAMESPACE_FILE.read_text(encoding="utf-8").strip() if NAMESPACE_FILE.exists() else "default"


def _from_file(paths: str, context: str | None, configuration: Any) -> str:
    import yaml

    theirs = _theirs("kube_config")
    try:
        merged = theirs.KubeConfigMerger(paths)
    except yaml.YAMLError:
        # Its text quotes the file, tokens included.
        raise BackendError("kubeconfig is not valid YAML") from None
    if merged.config is None:
        raise BackendError(f"kubeconfig {clean(paths)} is empty")
    loader = theirs.KubeConfigLoader(config_dict=merged.config, config_base_path=None, active_context=context)
    # Theirs lets a login program read our terminal, waits for it for ever, and logs its failure to our screen.
    loader._load_from_exec_plugin = lambda: _from_plugin(loader)
    loader.load_and_set(configuration)
    configuration.is_by_program = getattr(loader, "is_by_program", False)
    return str(loader.current_context["context"].get("namespace") or "default")


def _from_plugin(loader: Any) -> bool | None:
    """Log in by the program that the kubeconfig names, if it names one."""
    if "exec" not in loader._user:
        return None
    exec_part = loader._user["exec"].value
    folder = loader._get_base_path(loader._cluster.path)
    cluster = loader._cluster.value if exec_part.get("provideClusterInfo") else None
    _accept(loader, run_plugin(exec_part, folder, cluster), folder)
    loader.is_by_program = True
    return True


def _theirs(module: str) -> Any:
    """A module of the official client's configuration; its annotations are too few to check against."""
    return import_module(f"kubernetes.config.{module}")


def _accept(loader: Any, status: Any, folder: str) -> None:
    """Take over what a login program gave: a token or a certificate with its key."""
    theirs = _theirs("kube_config")
    if "token" in status:
        loader.token = f"Bearer {status['token']}"
    elif "clientCertificateData" in status and "clientKeyData" in status:
        for name, key in (("cert_file", "clientCertificateData"), ("key_file", "clientKeyData")):
            part = theirs.FileOrData(status, None, data_key_name=key, file_base_path=folder, base64_file_content=False)
            setattr(loader, name, part.as_file())
    else:
        raise Refused("the login program gave neither a token nor a certificate")
    if "expirationTimestamp" in status:
        loader.expiry = theirs.parse_rfc3339(status["expirationTimestamp"])


def run_plugin(exec_part: dict[str, Any], folder: str, cluster: Any = None) -> Any:
    """Run a login program (client.authentication.k8s.io) without our terminal; the `status` that it prints.

    Raises:
        TimedOut: it hangs.
        Refused: it fails, or prints something else. What it printed is not repeated: it may be a token.
    """
    command = str(exec_part.get("command") or "")
    arguments = [str(argument) for argument in exec_part.get("args") or ()]
    name = clean(Path(command).name or "none", 40)
    asked: dict[str, Any] = {"interactive": False} | ({} if cluster is None else {"cluster": cluster})
    version = exec_part.get("apiVersion")
    given = {"apiVersion": version, "kind": "ExecCredential", "spec": asked}
    environment = {str(item["name"]): str(item["value"]) for item in exec_part.get("env") or ()}
    if os.sep in command:
        command = str(Path(folder, command))  # relative to the kubeconfig, as kubectl has it
    try:
        informed = os.environ | environment | {"KUBERNETES_EXEC_INFO": json.dumps(given, default=str)}
        done = captured([command, *arguments], PLUGIN_TIMEOUT_S, informed)
    except subprocess.TimeoutExpired:
        raise TimedOut(f"the login program {name} did not end within {PLUGIN_TIMEOUT_S:g} s") from None
    except OSError as error:
        raise Refused(f"cannot run the login program {name}: {clean(error.strerror)}") from None
    if done.returncode != 0:
        said = clean(done.stderr[:400].decode("utf-8", "replace").strip(), 120)
        raise Refused(f"the login program {name} failed with {done.returncode}: {said}")
    try:
        status = json.loads(done.stdout[:MAX_OUTPUT])["status"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused(f"the login program {name} printed no credential") from None
    if not isinstance(status, dict):
        raise Refused(f"the login program {name} printed no credential")
    return status
