"""Planned work: templates, their occurrences, and what happens when one is not done in time."""
