"""How long a test waits for what is to come."""

PATIENCE_S = 60.0
"""Only this ends a test that waits for nothing: a busy machine may need many times what an idle one does.

How soon something comes is measured by `benchmarks`.
"""
