"""Queries in words."""

import pytest

from apps.core.runs.query import RunQuery
from apps.core.runs.words import in_words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "whatever it was"),
        ("task:send_mail", "of the task send_mail"),
        ("state:failed", "whose state is failed"),
        ("state:failed state:lost state:expired", "whose state is failed, lost or expired"),
        ("since:2h", "that ended within the last 2h"),
        ("since:2026-11-23T06:00:00Z", "that ended at or after 2026-11-23T06:00:00Z"),
        ("until:30m", "that had ended 30m ago"),
        ("until:2026-11-23", "that had ended before 2026-11-23"),
        (
            'task:{} queue:email reason:permanent error:"time out" 4711 anna tenant:7 since:3d',
            'of the task {}, in the queue email, for the reason permanent, whose error holds "time out", '
            "with 4711 and anna among its arguments, of the tenant 7, that ended within the last 3d",
        ),
        ("job:a key:b fingerprint:c entry:d", "of the job a, with the key b, of the trouble c, of the entry d"),
    ],
)
def test_a_query_is_said_in_words(query: str, words: str) -> None:
    assert in_words(RunQuery.parse(query)) == words
