"""The order flow, looked at."""
