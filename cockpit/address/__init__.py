"""Addresses as a configuration may hold them: what is known to lead nowhere is refused where it is written."""
