"""Rehearses every step of the runbook without changing anything: would it work now, and if not why."""
