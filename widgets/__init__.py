"""Pictures: render a snapshot or a plan, post messages; no I/O."""
