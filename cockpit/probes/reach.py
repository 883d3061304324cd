"""Looks at the brokers past the router: does the gateway greet, does the API answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from cockpit.clients.bounded import abandon, bounded
from cockpit.clients.brokers import KITE_HEADERS, KITE_PATH, Verdict, greet_tws, judge_kite
from cockpit.clients.brokers_held import KITE_HOLDINGS, KITE_POSITIONS, Held, kite_held, tws_positions
from cockpit.clients.names import suspected, unresolved
from cockpit.clients.revealing import Revealing
from cockpit.clients.web import Web
from cockpit.clock import Clock
from cockpit.config import Settings, VenuePart
from cockpit.errors import NO_ANSWER, BackendError, CockpitError, TimedOut
from cockpit.model.sample import Sample
from cockpit.model.states import NOT_READ, Reach
from cockpit.text import clean

TIMEOUT_S = 1.5
"""A gateway on the same network greets in a millisecond, Zerodha's API answers from another continent in 0.4 s."""
TURN_S = 0.05
ALL_TURNS_S = 0.4
"""How long a venue has the loop to itself, so that its milliseconds are its own; and all of them together."""
TOKEN_S = 0.5
"""What is not there by then is there at a later look."""
HELD_S = 0.8
HELD_EVERY_S = 10.0
"""A login at a gateway is not for every second; who compares positions does so while trading stands still."""
HELD_STALE_S = 2.5 * HELD_EVERY_S
MAX_BYTES = 1 << 20
TWS_PORT = 4001


class ReachProbe:
    """Every venue that has a probe, in turns; a dead one costs the next a few milliseconds and no more."""

    name = "reach"
    deadline_s = 2 * TIMEOUT_S + HELD_S + ALL_TURNS_S + 0.5

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._looks = tuple(_look(venue) for venue in settings.venues if venue.probe)
        self._held: dict[str, Sample[Held]] = {}
        self.interval_s = settings.interval_s

    @staticmethod
    def is_configured(settings: Settings) -> bool:
        """Whether any venue has a probe."""
        return any(venue.probe for venue in settings.venues)

    async def read(self) -> tuple[Reach, ...]:
        """One answer a venue; a venue that is down is an answer too."""
        turn_s = min(TURN_S, ALL_TURNS_S / max(1, len(self._looks)))
        looking: list[asyncio.Future[Reach]] = []
        try:
            for look in self._looks:
                looking.append(asyncio.ensure_future(self._reach(look)))
                await asyncio.wait(looking[-1:], timeout=turn_s)
            return tuple(await asyncio.gather(*looking))
        except asyncio.CancelledError:
            for each in looking:
                abandon(each)
            raise

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(look.close() for look in self._looks))

    async def _reach(self, look: TwsLook | KiteLook) -> Reach:
        began = self._clock.monotonic()
        try:
            await look.ready()
            began = self._clock.monotonic()
            found = await look.look()
        except BackendError as error:
            found = Verdict(False, clean(error))
        took_ms = (self._clock.monotonic() - began) * 1000.0
        held = await self._ask_held(look, found.is_up and not found.is_degraded)
        return Reach(look.venue, found.is_up, took_ms, found.detail, found.is_degraded, held, look.lacks)

    async def _ask_held(self, look: TwsLook | KiteLook, is_served: bool) -> Sample[Held]:
        """What is held there, asked anew where that is due and has a chance."""
        before = self._held.get(look.venue, NOT_READ)
        at, began = self._clock.now(), self._clock.monotonic()
        is_due = before.tried_at is None or not 0 <= at - before.tried_at < HELD_EVERY_S
        if not look.tells_held or not is_served or not is_due:
            return before
        try:
            found = await bounded(look.held(), HELD_S, f"positions of {look.venue}")
            now = Sample.good(found, at, self._clock.monotonic() - began, HELD_STALE_S)
        except BackendError as error:
            now = before.failed(clean(error), at, self._clock.monotonic() - began)
        self._held[look.venue] = now
        return now


@dataclass(frozen=True, slots=True)
class TwsLook:
    """IBKR's handshake."""

    venue: str
    host: str
    port: int
    client_id: int | None = None
    lacks = ""

    @property
    def tells_held(self) -> bool:
        """Whether there is somebody as whom to log in."""
        return self.client_id is not None

    async def ready(self) -> None:
        """Nothing to prepare."""

    async def look(self) -> Verdict:
        """Greet it.

        Raises:
            BackendError: it is down, silent, or something else.
        """
        try:
            with suspected(self.host, TIMEOUT_S / 2):
                return Verdict(True, await greet_tws(self.host, self.port, TIMEOUT_S))
        except TimedOut as error:
            raise TimedOut(unresolved(self.host) or str(error)) from None

    async def held(self) -> Held:
        """Log in, ask for the positions and hang up.

        Raises:
            BackendError: it refused, or has lost IBKR.
        """
        assert self.client_id is not None
        return await tws_positions(self.host, self.port, self.client_id)

    async def close(self) -> None:
        """Every handshake hangs up by itself."""


class KiteLook:
    """An HTTP look at Zerodha's Kite API, with the token where there is one."""

    def __init__(self, venue: VenuePart, url: str) -> None:
        self.venue = clean(venue.name, 40)
        self._host = urlsplit(url).hostname or ""
        self._has_token = venue.token is not None
        self._token = Revealing(venue.token, "token")
        self._web = Web(url, name=self.venue, timeout_s=TIMEOUT_S, max_bytes=MAX_BYTES)
        self._headers: dict[str, str] | None = None
        self.lacks = ""

    async def ready(self) -> None:
        """Have the client built and the token revealed; without it they are asked all the same whether they answer.

        Raises:
            BackendError: the client cannot be built.
        """
        await self._web.ready()
        if self._headers is None:
            await self._authorize()

    async def look(self) -> Verdict:
        """Ask for the profile.

        Raises:
            BackendError: nothing came back.
        """
        has_token = self.tells_held
        try:
            answer = await self._web.get(KITE_PATH, headers=self._headers or KITE_HEADERS)
        except TimedOut:
            raise TimedOut(unresolved(self._host) or NO_ANSWER) from None
        if answer.status in (401, 403) and has_token:
            self._headers = None  # a new token is issued every morning
        return judge_kite(answer, has_token=has_token)

    @property
    def tells_held(self) -> bool:
        """Whether there is a token: nobody is told anything without."""
        return self._has_token and self._headers is not None

    async def held(self) -> Held:
        """Ask for what came over the night and for the day's positions.

        Raises:
            BackendError: nothing came back that could be gone by.
        """
        asked = (self._web.get(path, headers=self._headers) for path in (KITE_POSITIONS, KITE_HOLDINGS))
        positions, holdings = await asyncio.gather(*asked)
        return kite_held(positions, holdings)

    async def close(self) -> None:
        """Close the connections."""
        await self._web.close()

    async def _authorize(self) -> None:
        try:
            async with asyncio.timeout(TOKEN_S):
                token = await self._token.get()
        except TimeoutError:
            self.lacks = self._token.awaits()
        except CockpitError as error:
            self.lacks = clean(error)
        else:
            self.lacks = ""
            self._headers = KITE_HEADERS | ({} if token is None else {"Authorization": f"token {token.strip()}"})


def _look(venue: VenuePart) -> TwsLook | KiteLook:
    """The look that the venue's probe asks for."""
    url = venue.probe or ""
    parts = urlsplit(url)
    if parts.scheme == "tws":
        return TwsLook(clean(venue.name, 40), parts.hostname or "", parts.port or TWS_PORT, venue.client_id)
    return KiteLook(venue, url)
