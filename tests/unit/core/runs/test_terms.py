"""The words by which runs are found."""

from apps.core.runs.terms import LONGEST, MOST, terms_of


def test_words_and_numbers_are_found_in_small_letters() -> None:
    assert terms_of("(4711, 'Send Mail')", "{'when': 2026-11-23, 'ratio': -0.5}") == [
        "4711",
        "send",
        "mail",
        "when",
        "2026-11-23",
        "ratio",
        "0.5",
    ]


def test_each_is_there_once_and_dots_at_the_ends_are_not() -> None:
    assert terms_of("a.b. A.B ... -- Größe") == ["a.b", "größe"]


def test_there_are_so_many_at_most_and_none_is_longer() -> None:
    assert len(terms_of(" ".join(map(str, range(1000))))) == MOST
    assert terms_of("x" * 1000) == ["x" * LONGEST]
