"""alerts.yaml: thresholds, audiences and routes."""
