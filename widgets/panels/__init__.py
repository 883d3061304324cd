"""One panel a file: `lines(view, width, height)` for the wall and `summary(view)` for one line."""
