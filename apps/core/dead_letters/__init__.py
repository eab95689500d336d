"""What gave up: every bad end of a job, with its message, to be replayed or discarded. See docs/dead-letters.md."""
