"""One backend of Postgres that holds others up: ended."""
