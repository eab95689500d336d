"""The history of runs: every attempt that has ended, for weeks, to be searched. See docs/metrics.md."""
