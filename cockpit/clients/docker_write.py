"""The one change that is made through the Docker Engine: `docker restart`."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import structs

from cockpit.clients.docker import connect
from cockpit.clients.web import Answer
from cockpit.config import DockerPart
from cockpit.errors import BackendError, Refused
from cockpit.text import clean


async def restart_container(part: DockerPart, name: str, stop_s: int, timeout_s: float) -> None:
    """Restart it, once; a process that does not stop within `stop_s` is killed. Returns when the new one was started.

    Raises:
        Refused, Unreachable: it was not done.
        BackendError: it may have been done: nobody said.
    """
    web = connect(structs.replace(part, timeout_s=timeout_s))
    try:
        answer = await web.post(f"/containers/{quote(name, safe='')}/restart", {"t": str(stop_s)})
        if 400 <= answer.status < 500:
            raise Refused(f"Docker answered {answer.status}: {_said(answer) or clean(answer.reason, 80)}")
        if answer.status != 204:
            web.reject(answer)
    finally:
        await web.close()


def _said(answer: Answer) -> str:
    """Its own words; a no without any is a no all the same."""
    try:
        said = answer.json()
    except BackendError:
        return ""
    return clean(said["message"], 200) if isinstance(said, dict) and "message" in said else ""
