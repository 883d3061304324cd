"""What the sandbox serves besides databases: Kubernetes, Docker, Grafana, brokers, Slack, SMTP."""
