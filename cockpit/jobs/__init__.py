"""Preparing, confirming and running a plan; the detached worker that proves it."""
