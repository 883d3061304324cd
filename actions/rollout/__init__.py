"""Rollouts of deployments."""
