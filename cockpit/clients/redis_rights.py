"""What our user may do in Redis, asked with ACL DRYRUN (from 7.0 on), and how far its clock is from ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.clients.redis_link import RedisLink
from cockpit.clients.resp import Command, Reply, ReplyError
from cockpit.clock import Clock
from cockpit.config import RedisPart
from cockpit.text import clean

FORBIDDEN = ("has no permissions", "no permission")


@dataclass(frozen=True, slots=True)
class Rights:
    """The server's answers."""

    user: str
    refused: tuple[str | None, ...]
    """For each command why it would be refused; empty where it would not, None where that is not known."""
    ahead_s: float | None
    """How far its clock is ahead of ours, to half a round trip."""


async def ask_rights(part: RedisPart, commands: Sequence[Command], clock: Clock) -> Rights:
    """Ask; no command is executed.

    Raises:
        BackendError: it does not answer.
    """
    link = RedisLink(part)
    try:
        await link.ask([("PING",)])
        before = clock.now()
        user, moment = await link.ask([("ACL", "WHOAMI"), ("TIME",)])
        half = (before + clock.now()) / 2
        name = "default" if isinstance(user, ReplyError) or user is None else bytes(user).decode("utf-8", "replace")
        answers = await link.ask([("ACL", "DRYRUN", name, *command) for command in commands])
        return Rights(clean(name, 60), tuple(_refusal(answer) for answer in answers), _ahead(moment, half))
    finally:
        link.drop()


def _refusal(answer: Reply) -> str | None:
    """Its own words in a plain reply; an error is that it does not know the question, or may not answer it."""
    if isinstance(answer, ReplyError) or not isinstance(answer, bytes):
        return None
    said = answer.decode("utf-8", "replace")
    if said == "OK":
        return ""
    return clean(said, 160) if any(words in said for words in FORBIDDEN) else None


def _ahead(moment: Reply, ours: float) -> float | None:
    try:
        return float(int(moment[0]) + int(moment[1]) / 1e6 - ours)
    except (TypeError, ValueError, IndexError, KeyError):
        return None
