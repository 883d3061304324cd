"""The last step to the glass."""
