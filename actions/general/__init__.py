"""What a fund's own runbook is made of: any command, any HTTP request."""
