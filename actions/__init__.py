"""Runbook steps: one file, one action."""
