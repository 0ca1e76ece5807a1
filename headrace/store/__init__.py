"""Postgres: the schema and the connections. Each service keeps its own queries."""
