"""What survives a restart: the audit journal and the journals of jobs."""
