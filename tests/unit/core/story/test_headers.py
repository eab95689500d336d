"""What a message says of itself is read whatever it is."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.story.headers import Headers

from .lives import message

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["task", "retries", "eta", "expires", "bgjobs_ready_at", "bgjobs_eta", "bgjobs_key", "parent_id", "root_id"]
)


@given(st.dictionaries(NAMES, JSON))
def test_headers_of_any_kind_are_read(headers: dict[str, object]) -> None:
    Headers.read(json.dumps({"headers": headers}).encode())


@pytest.mark.parametrize(
    "text", [None, b"", b"{", b"[]", b'{"headers": []}', b"\xff", b'{"headers": null}', b"[" * 9999]
)
def test_what_is_no_message_says_nothing(text: bytes | None) -> None:
    assert Headers.read(text) == Headers()


def test_moments_are_in_utc() -> None:
    found = Headers.read(message(eta="2026-11-26T03:00:00+01:00", bgjobs_ready_at=0.5, retries=True, expires=7))
    assert found.eta == datetime(2026, 11, 26, 2, tzinfo=UTC)
    assert found.ready_at == datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert found.retries == 0
    assert found.expires is None
