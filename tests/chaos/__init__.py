"""The broker under fire: workers and the server are killed, starved and stopped while jobs run. See __main__.py."""
