"""The platform's own processes: feeds, gateway, candles, strategies, risk manager, router, ledger."""
