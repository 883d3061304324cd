"""The state kept: Redis and the ledger copied, and the check that somebody did."""
