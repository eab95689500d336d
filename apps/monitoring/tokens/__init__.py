"""Tokens by which probes and scrapers read what the dashboard shows: hashed, scoped, rotatable, read-only."""
