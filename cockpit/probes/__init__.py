"""Collectors: one read-only question a file, answered as a Sample."""
