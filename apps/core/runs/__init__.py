"""The history of runs, in PostgreSQL."""
