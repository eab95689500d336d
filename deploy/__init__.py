"""How the system is started: on one machine for development and tests, and in production."""
