"""Polls the probes, folds their samples into one Snapshot and remembers its numbers."""
