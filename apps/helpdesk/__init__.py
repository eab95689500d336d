"""Tickets, and their escalation before their time is up."""
