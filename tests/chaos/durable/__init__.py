"""Durable jobs under fire: their servers, their workers, their relays and whoever enqueues them. See __main__.py."""
