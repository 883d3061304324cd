"""A small trading platform on a real Redis and a real Postgres, with faults to inject."""
