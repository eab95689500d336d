"""Queries as people write them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.runs.query import REASONS, STATES, BadQueryError, RunQuery

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
JOB = "0b7c7f6e-9f5c-4a51-8a55-6f5a3a2d0c11"
TEXTS = st.text(
    st.characters(exclude_categories=["C", "Z"], include_characters=' "\\:'), min_size=1, max_size=12
).filter(str.strip)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("task", "error", "tenant", "job", "key", "fingerprint", "entry"), TEXTS),
            "state": st.lists(st.sampled_from(STATES), min_size=1, max_size=3).map(tuple),
            "queue": st.sampled_from(["email", "critical"]),
            "reason": st.sampled_from(REASONS),
            "arg": st.lists(TEXTS.map("x{}".format), min_size=1, max_size=3).map(tuple),
            "since": st.sampled_from(["2h", "3d", "1h30m", "2026-11-01"]),
            "until": st.sampled_from(["30m", "2026-11-23T11:59:00+01:00"]),
        },
    )
)
def test_a_query_is_parsed_as_it_is_written(given: dict[str, Any]) -> None:
    try:
        RunQuery(**given).condition()
    except BadQueryError:
        return  # an instant after a span: which of them is first, today decides
    assert RunQuery.parse(str(RunQuery(**given))) == RunQuery(**given)


def test_everything_may_stand_in_one_query() -> None:
    text = (
        f'task:send_mail state:failed state:lost queue:email error:"time out" 4711 tenant:7 {JOB} key:a:b:c since:2h'
    )
    query = RunQuery.parse(text)
    assert query == RunQuery(
        task="send_mail",
        state=("failed", "lost"),
        queue="email",
        error="time out",
        arg=("4711",),
        tenant="7",
        job=JOB,
        key="a:b:c",
        since="2h",
    )
    assert RunQuery.parse(str(query)) == query


def test_nothing_is_all() -> None:
    assert RunQuery.parse("  ") == RunQuery()
    assert not RunQuery()
    assert str(RunQuery()) == ""
    assert RunQuery(task="a")


def test_a_word_alone_is_an_argument_and_a_uuid_a_job() -> None:
    assert RunQuery.parse("anna 17") == RunQuery(arg=("anna", "17"))
    assert RunQuery.parse(JOB) == RunQuery(job=JOB)
    assert RunQuery.parse(f'"{JOB}" "12:30"') == RunQuery(arg=(JOB, "12:30"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tsk:send", "did you mean 'task'"),
        ("state:faild", "no state 'faild'; did you mean 'failed'"),
        ("queue:emial", "did you mean 'email'"),
        ("reason:permanet", "no reason 'permanet'; did you mean 'permanent'"),
        ("task:", "task: has no value"),
        ("task: send", "task: has no value"),
        ('task:""', "task: has no value"),
        ("task:a task:b", "task: stands here twice"),
        ('error:"time out', "quotation mark is not closed"),
        ('say"hello"', "not understood"),
        ("12:30", "A word with a colon needs quotes"),
        ("***", "no word or number"),
        ("since:yesterday", "since:yesterday is no moment; write how long ago, as in since:2h"),
        ("since:5", "since:2h"),
        ("since:1h until:2h", "not before until:2h; swap them"),
        ("a\0b", "cannot be seen"),
        ("a\ud800b", "cannot be seen"),
        ("x" * 1001, "1000 characters at most"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(BadQueryError) as raised:
        RunQuery.parse(text)
    assert says in str(raised.value)


def test_moments_are_instants_or_how_long_ago() -> None:
    assert RunQuery.parse("since:2h until:30m").bounds(NOW) == (
        datetime(2026, 11, 23, 10, tzinfo=UTC),
        datetime(2026, 11, 23, 11, 30, tzinfo=UTC),
    )
    assert RunQuery.parse("since:2026-11-23T10:00+02:00").bounds(NOW) == (datetime(2026, 11, 23, 8, tzinfo=UTC), None)
    assert RunQuery.parse("until:2026-11-23").bounds(NOW) == (None, datetime(2026, 11, 23, tzinfo=UTC))
