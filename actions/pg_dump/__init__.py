"""A dump of Postgres, taken now and read in full before it counts."""
