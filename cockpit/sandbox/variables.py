"""The environment variables that point a shell, a script or a client at one sandbox."""

from __future__ import annotations

from cockpit.sandbox.layout import Layout
from cockpit.sandbox.schema import DATABASE, ROLE


def shell_variables(layout: Layout) -> dict[str, str]:
    """What a shell needs besides PATH; the runbook's scripts read the same ones."""
    return {
        "COCKPIT_CONFIG": str(layout.config),
        "REDIS_URL": f"redis://127.0.0.1:{layout.ports.redis}/0",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(layout.ports.postgres),
        "PGUSER": ROLE,
        "PGDATABASE": DATABASE,
        "PGPASSFILE": str(layout.folder / "pgpass"),
        "KUBECONFIG": str(layout.kubeconfig),
        "KUBECACHEDIR": str(layout.folder / "kubecache"),
        "DOCKER_HOST": f"unix://{layout.docker_socket}",
    }
