"""Judgement: pure rules that turn a Snapshot into findings."""
