"""Arguments of jobs as operators type them."""

import pytest

from apps.core.operating import RefusedError
from apps.core.operating.arguments import LONGEST, arguments_in


def test_a_list_and_an_object_are_arguments() -> None:
    assert arguments_in("[7, {}]") == ([7, {}], {})
    assert arguments_in('{"order_id": 7}') == ([], {"order_id": 7})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{7}", "not JSON"),
        ("[NaN]", "NaN is no number of JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "as a list, as in"),
        ("null", "as a list, as in"),
        ('"a"', "as a list, as in"),
        (f'["{"a" * LONGEST}"]', "more than 100,000 characters"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_none_is_refused_with_how_to_write_it(text: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        arguments_in(text)
