"""The platform's own programs, run exactly as the runbook writes them."""
