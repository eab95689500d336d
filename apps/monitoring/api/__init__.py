"""What programs read: JSON for a session that may look, or for a token; never a redirect."""
