"""Each row of docs/guarantees.md names the tests that show it, and these exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not line.endswith(("| shown by |", "---|"))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_the_tests_that_a_row_names_exist(row: str) -> None:
    named = re.findall(r"`([^`]+)`", row.split("|")[-2])
    assert named
    for one in named:
        path, _, name = one.partition("::")
        place = ROOT / "tests" / path
        assert place.exists(), one
        assert not name or f"def {name}(" in place.read_text(), one
