"""Steps on the alerts of Grafana or Alertmanager."""
