"""What a venue says about itself in each of its modes, in the words and codes of the real broker."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from cockpit.sandbox.knobs import VenueMode

RESTORED_FOR_S = 10.0
DAY_MS = 86_400_000
TOKEN_DIES_MS = 1_800_000
"""A Kite token dies at 06:00 in India: half past midnight UTC."""
RENEWED_BEFORE_MS = 7_200_000
"""The platform logs in anew this long before, so that a healthy sandbox is healthy at every time of day."""


@dataclass(frozen=True, slots=True)
class VenueReport:
    """A venue's own word; `is_ready` says whether it takes orders."""

    status: Literal["up", "degraded", "down"]
    code: int | None
    message: str
    is_ready: bool
    open_orders: int
    token_expires_ms: int | None

    def fields(self) -> dict[str, Any]:
        """For the wire."""
        return asdict(self)


def token_expires_ms(name: str, mode: VenueMode, at_s: float) -> int | None:
    """When the venue's access token dies, or died; None for a venue without one."""
    if name != "ZERODHA":
        return None
    now_ms = int(at_s * 1000)
    died_ms = (now_ms - TOKEN_DIES_MS) // DAY_MS * DAY_MS + TOKEN_DIES_MS
    if mode == "token_dead":
        return died_ms
    dies_ms = died_ms + DAY_MS
    return dies_ms if dies_ms - now_ms > RENEWED_BEFORE_MS else dies_ms + DAY_MS


def report(name: str, mode: VenueMode, open_orders: int, at_s: float, restored_at_s: float = 0.0) -> VenueReport:
    """The report of a venue in a mode."""
    expires_ms = token_expires_ms(name, mode, at_s)
    is_ibkr = name == "IBKR"

    def made(status: Literal["up", "degraded", "down"], code: int | None, message: str, is_ready: bool) -> VenueReport:
        return VenueReport(status, code, message, is_ready, open_orders, expires_ms)

    if mode == "partial":
        text = "Market data farm connection is broken: usfarm" if is_ibkr else "NetworkException: OMS answers in part"
        return made("degraded", 2103 if is_ibkr else 502, text + "; about half of the orders are refused", True)
    if mode == "slow":
        return made("degraded", None, "answers slowly", True)
    if mode == "reset":
        text = "Connectivity between IBKR and TWS has been lost (nightly reset, 23:45-00:45 ET)"
        return made("down", 1100 if is_ibkr else 503, text if is_ibkr else "OMS is resetting for the day", False)
    if mode == "token_dead":
        return made("down", 403, "TokenException: Incorrect `api_key` or `access_token`", True)
    if mode in ("down", "blackhole"):
        return made("down", *REFUSED.get(name, (None, "connection refused")), False)
    if is_ibkr and at_s - restored_at_s < RESTORED_FOR_S:
        return made("up", 1102, "Connectivity between IBKR and TWS has been restored - data maintained", True)
    return made("up", None, "", True)


REFUSED: dict[str, tuple[int | None, str]] = {
    "IBKR": (502, "Couldn't connect to TWS: connection refused"),
    "ZERODHA": (503, "NetworkException: connection refused"),
    "PAPER": (503, "paper engine: connection refused"),
}
"""What a venue's adapter says when it gets no connection."""
