"""An ops cockpit for the disaster recovery runbook of a trading platform. Imports nothing."""
