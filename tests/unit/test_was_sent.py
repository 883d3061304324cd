"""What is said of a step whose request failed: not done only where nothing can have been done."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from urllib3 import PoolManager

from cockpit.clients.docker_write import restart_container
from cockpit.clients.kubernetes_words import in_words
from cockpit.config import DockerPart
from cockpit.errors import BackendError, CockpitError, ConfigError, JournalError, Refused, TimedOut, Unreachable
from cockpit.jobs.perform import state_after
from cockpit.model.job import StepState

FAILED, UNKNOWN = StepState.FAILED, StepState.UNKNOWN


def sent(error: BackendError) -> BackendError:
    error.was_sent = True
    return error


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Unreachable("refused"), FAILED),
        (Refused("403"), FAILED),
        (ConfigError("no Redis"), FAILED),
        (sent(Unreachable("hung up")), UNKNOWN),
        (sent(Refused("the second try was refused")), UNKNOWN),
        (TimedOut("late"), UNKNOWN),
        (sent(TimedOut("late")), UNKNOWN),
        (BackendError("answered 500"), UNKNOWN),
        (JournalError("disk full"), UNKNOWN),
    ],
)
def test_a_step_that_failed(error: CockpitError, state: StepState) -> None:
    assert state_after(error) is state


class Server:
    """Accepts one connection and deals with it."""

    def __init__(self, answer: bytes | None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen = b""
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.seen = connection.recv(65536)
            if self._answer:
                connection.sendall(self._answer)


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_a_cluster_that_hung_up_may_have_done_it(answer: bytes | None) -> None:
    server = Server(answer)
    url = f"http://127.0.0.1:{server.port}"
    with pytest.raises(Exception) as caught:
        PoolManager(retries=False).request("PATCH", url, body=b"{}", timeout=20.0)
    found = in_words(caught.value, url, 20.0)
    assert (found.was_sent, state_after(found)) == (True, UNKNOWN), found


def test_a_cluster_that_could_not_be_reached_did_nothing() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(Exception) as caught:
            PoolManager(retries=False).request("PATCH", url, body=b"{}", timeout=20.0)
    found = in_words(caught.value, url, 20.0)
    assert (found.was_sent, state_after(found)) == (False, FAILED), found


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (None, UNKNOWN),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", UNKNOWN),
        (b"HTTP/1.1 404 No such container\r\nContent-Length: 0\r\n\r\n", FAILED),
    ],
)
async def test_docker(answer: bytes | None, state: StepState) -> None:
    server = Server(answer)
    part = DockerPart(url=f"tcp://127.0.0.1:{server.port}", containers=("redis",))
    with pytest.raises(CockpitError) as caught:
        await restart_container(part, "redis", 1, 20.0)
    assert server.seen.startswith(b"POST /containers/redis/restart")
    assert state_after(caught.value) is state, caught.value


async def test_docker_that_is_not_there_did_nothing(tmp_path: Path) -> None:
    with pytest.raises(CockpitError) as caught:
        await restart_container(DockerPart(url=f"unix://{tmp_path}/none"), "redis", 1, 20.0)
    assert state_after(caught.value) is FAILED
