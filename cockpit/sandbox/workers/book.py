"""Position arithmetic: what a fill does to quantity, average price and realised profit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """Holdings of one symbol; average prices and profits are rounded so that every store keeps the same number."""

    qty: int = 0
    avg_px: float = 0.0
    realized_pnl: float = 0.0

    def filled(self, side: str, qty: int, price: float) -> Position:
        """The position after a fill.

        >>> Position().filled("buy", 10, 5.0).filled("sell", 4, 6.0)
        Position(qty=6, avg_px=5.0, realized_pnl=4.0)
        >>> Position(10, 5.0).filled("sell", 15, 6.0)
        Position(qty=-5, avg_px=6.0, realized_pnl=10.0)
        """
        signed = signed_qty(side, qty)
        after = self.qty + signed
        if self.qty == 0 or (self.qty > 0) == (signed > 0):
            cost = abs(self.qty) * self.avg_px + qty * price
            return Position(after, round(cost / abs(after), 6), self.realized_pnl)
        closed = min(abs(self.qty), qty)
        direction = 1 if self.qty > 0 else -1
        realized = round(self.realized_pnl + closed * (price - self.avg_px) * direction, 6)
        if after == 0:
            return Position(0, 0.0, realized)
        is_flipped = (after > 0) != (self.qty > 0)
        return Position(after, round(price, 6) if is_flipped else self.avg_px, realized)


def signed_qty(side: str, qty: int) -> int:
    """Quantity with the side's sign."""
    return qty if side == "buy" else -qty
