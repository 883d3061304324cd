"""Compose panels, call the session, nothing else."""
