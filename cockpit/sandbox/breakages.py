"""Puts the faults of all subjects together."""

from __future__ import annotations

from typing import Protocol

from cockpit.sandbox.breakage import Breakage
from cockpit.sandbox.fault_knobs import Board, knob_breakages
from cockpit.sandbox.fault_kubernetes import BadRollout, CrashLoop, PodCrash
from cockpit.sandbox.fault_postgres import postgres_breakages
from cockpit.sandbox.fault_redis import redis_breakages
from cockpit.sandbox.fault_risk import risk_breakages
from cockpit.sandbox.forkpool import ForkPool
from cockpit.sandbox.layout import Layout
from cockpit.sandbox.postgres_server import PostgresServer
from cockpit.sandbox.redis_server import RedisServer
from cockpit.sandbox.served.kube_server import KubernetesServer
from cockpit.sandbox.workers.gateway import primary_feed


class Breakable(Board, Protocol):
    """What can be broken."""

    layout: Layout
    pool: ForkPool
    redis: RedisServer
    postgres: PostgresServer


def breakages(platform: Breakable, kubernetes: KubernetesServer) -> dict[str, Breakage]:
    """Every fault's hands, by the fault's id."""
    layout, pool = platform.layout, platform.pool
    return {
        **knob_breakages(platform, lambda: primary_feed(layout)),
        **redis_breakages(layout, platform.redis, pool),
        **postgres_breakages(platform.postgres, pool),
        **risk_breakages(layout, platform),
        "gateway-crashloop": CrashLoop(platform, kubernetes, "is_gateway_crashing"),
        "gateway-pod-crash": PodCrash(platform, kubernetes),
        "api-crashloop": CrashLoop(platform, kubernetes, "is_api_crashing"),
        "gateway-bad-rollout": BadRollout(kubernetes),
    }
