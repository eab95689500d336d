"""Prometheus's own judge of metrics and rules."""

import shutil
import subprocess

import pytest


def promtool(*arguments: object, told: str | None = None) -> None:
    """Fails the test with what promtool says, also where there is none: on Debian it comes with `prometheus`."""
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("promtool is missing: apt-get install prometheus")
    done = subprocess.run(
        [program, *map(str, arguments)], input=told, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert told is None or not done.stderr, done.stderr
