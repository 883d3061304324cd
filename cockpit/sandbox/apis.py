"""The APIs around the platform: Kubernetes, Docker, Grafana, brokers, Slack and mail, each behind its gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cockpit.sandbox.credentials import Credentials
from cockpit.sandbox.knobs import Gate, Knobs, VenueMode
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.served.containers import ContainerRuntime
from cockpit.sandbox.served.docker_api import DockerServer
from cockpit.sandbox.served.ibkr import IbkrGateway
from cockpit.sandbox.served.kite import KiteServer
from cockpit.sandbox.served.kube_server import KubernetesServer
from cockpit.sandbox.served.pods import PodRuntime
from cockpit.sandbox.served.slack import SlackServer
from cockpit.sandbox.served.smtp import SmtpServer


class Served(Protocol):
    """Something that listens."""

    async def start(self) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Listen no more."""


class Apis:
    """Starts and stops the served endpoints together."""

    def __init__(
        self,
        layout: Layout,
        credentials: Credentials,
        knobs: Callable[[], Knobs],
        containers: list[ContainerRuntime],
        pods: PodRuntime,
    ) -> None:
        self._knobs = knobs
        self.kubernetes = KubernetesServer(
            layout.ports.kubernetes, credentials.kubernetes, pods, self._gate("kubernetes"), layout.seed
        )
        self.kubernetes.write_kubeconfig(layout.kubeconfig)
        ports, inboxes = layout.ports, layout.folder / "state"
        self._served: list[Served] = [
            self.kubernetes,
            DockerServer(layout.docker_socket, containers, self._gate("docker")),
            IbkrGateway(ports.ibkr, self._mode("IBKR")),
            KiteServer(ports.kite, self._mode("ZERODHA"), credentials.kite_key, credentials.kite_token),
            SlackServer(ports.slack, credentials.slack, inboxes / "slack.jsonl", self._gate("slack")),
            SmtpServer(ports.smtp, inboxes / "mail.jsonl", self._gate("smtp")),
        ]

    def _gate(self, name: str) -> Callable[[], Gate]:
        return lambda: self._knobs().gate(name)

    def _mode(self, venue: str) -> Callable[[], VenueMode]:
        return lambda: self._knobs().venue(venue)

    async def start(self) -> None:
        """Listen everywhere."""
        for served in self._served:
            await served.start()

    async def stop(self) -> None:
        """Listen nowhere."""
        for served in reversed(self._served):
            await served.stop()
