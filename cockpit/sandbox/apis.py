"""The APIs around the platform: Kubernetes, Docker, Grafana, brokers, Slack and mail, each behind its gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from cockpit.sandbox.credentials import Credentials
from cockpit.sandbox.knobs import Gate, Knobs, VenueMode
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.served.containers import ContainerRuntime
from cockpit.sandbox.served.docker_api import DockerServer
from cockpit.sandbox.served.grafana_api import GrafanaServer
from cockpit.sandbox.served.ibkr import IbkrGateway
from cockpit.sandbox.served.kite import KiteServer
from cockpit.sandbox.served.kube_server import KubernetesServer
from cockpit.sandbox.served.pods import PodRuntime
from cockpit.sandbox.served.slack import SlackServer
from cockpit.sandbox.served.smtp import SmtpServer

HeldAt = Callable[[str], Mapping[str, tuple[float, float]]]
"""Venue -> symbol -> quantity and average price."""


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
        held_at: HeldAt,
    ) -> None:
        self._knobs = knobs
        ports, inboxes = layout.ports, layout.folder / "state"
        self.kubernetes = KubernetesServer(
            ports.kubernetes, credentials.kubernetes, pods, self._gate("kubernetes"), layout.seed
        )
        self.slack = SlackServer(ports.slack, credentials.slack, inboxes / "slack.jsonl", self._gate("slack"))
        self.kubernetes.write_kubeconfig(layout.kubeconfig)
        self._served: list[Served] = [
            self.kubernetes,
            GrafanaServer(
                ports.grafana, credentials.grafana, ports.redis, lambda: knobs().is_grafana_blind, self._gate("grafana")
            ),
            DockerServer(layout.docker_socket, containers, self._gate("docker")),
            IbkrGateway(ports.ibkr, self._mode("IBKR"), lambda: held_at("IBKR")),
            KiteServer(
                ports.kite,
                self._mode("ZERODHA"),
                credentials.kite_key,
                credentials.kite_token,
                lambda: held_at("ZERODHA"),
            ),
            self.slack,
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
