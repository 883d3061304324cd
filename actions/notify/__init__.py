"""Telling people: ops and risk officer in full, stakeholders in summary."""
