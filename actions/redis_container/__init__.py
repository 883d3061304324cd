"""The container that runs Redis: restarted, with what was engaged before engaged again."""
