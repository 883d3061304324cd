"""The other face: the same functions as text and JSON."""
