"""Which feed is primary: registry.yaml, changed at exactly two scalars."""
