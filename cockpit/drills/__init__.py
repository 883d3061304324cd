"""Drills: the runbook's scenarios played on a sandbox, watched, timed, scored and reported."""
