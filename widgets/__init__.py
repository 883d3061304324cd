"""Pictures: pure functions from facts to lines, and the thin widgets that put lines on the screen."""
