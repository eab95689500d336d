"""Dead letters as a query."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError

from apps.core.commands.letter_query import selection_in
from apps.core.dead_letters.selection import Selection

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@time_machine.travel(NOW, tick=False)
def test_all_that_is_said_must_hold() -> None:
    assert selection_in("task:send_mail reason:permanent since:2h") == Selection(
        task="send_mail", reason="permanent", since=NOW - timedelta(hours=2)
    )
    assert selection_in("queue:email  fingerprint:0e3c tenant:7 since:2026-11-23T07:00") == Selection(
        queue="email", fingerprint="0e3c", tenant="7", since=NOW - timedelta(hours=1)
    )
    assert selection_in("id:17 job:3f2a:b id:18") == Selection(names=("17", "3f2a:b", "18"))
    assert selection_in("'task:a task: with a space'") == Selection(task="a task: with a space")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "say which, as in"),
        ("send_mail", "'send_mail' is no field and value"),
        ("task:", "'task:' is no field and value"),
        ("taks:send_mail", "there is no field 'taks'; did you mean 'task'"),
        ("reason:permanet", "there is no reason 'permanet'; did you mean 'permanent'"),
        ("queue:emial", "there is no queue 'emial'; did you mean 'email'"),
        ("since:yesterday", "'yesterday' is no time"),
        ("task:a task:b", "task is there twice"),
        ("'task:a", "cannot be read"),
    ],
)
def test_what_is_none_is_refused_with_how_to_write_it(text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        selection_in(text)
