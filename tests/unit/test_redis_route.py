"""The override of a route: what is written is not called unwritten."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.clients.redis_link import RedisLink
from cockpit.clients.redis_route import RouteWriter
from cockpit.clients.resp import ReplyError
from cockpit.config import RedisPart
from cockpit.errors import BackendError, Refused

DENIED = ReplyError("NOPERM this user has no permissions")


@pytest.mark.parametrize(("written", "clock"), [(1, DENIED), (DENIED, [b"1", b"0"]), (DENIED, DENIED)])
async def test_only_what_redis_refused_is_unwritten(written: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(*_: object) -> list[Any]:
        return [written, clock]

    monkeypatch.setattr(RedisLink, "ask", ask)
    with pytest.raises(BackendError) as told:
        await RouteWriter(RedisPart()).set_override("IBKR", "paper")
    assert isinstance(told.value, Refused) is (written is DENIED)
