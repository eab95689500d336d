"""A query of runs as people say it."""

from argparse import ArgumentTypeError
from collections.abc import Sequence

from ..durations import seconds_in
from .query import RunQuery


def in_words(query: RunQuery) -> str:
    """To follow "a run": of the task send_mail, that failed, that ended within the last 2h."""
    said = {
        "of the job {}": query.job,
        "of the task {}": query.task,
        "in the queue {}": query.queue,
        "whose state is {}": _any_of(query.state),
        "for the reason {}": query.reason,
        'whose error holds "{}"': query.error,
        "with {} among its arguments": " and ".join(query.arg),
        "of the tenant {}": query.tenant,
        "with the key {}": query.key,
        "of the trouble {}": query.fingerprint,
        "of the entry {}": query.entry,
        "that ended {}": _moment(query.since, "within the last", "at or after"),
        "that had ended {}": _ago(query.until),
    }
    return ", ".join(words.replace("{}", value) for words, value in said.items() if value) or "whatever it was"


def _any_of(states: Sequence[str]) -> str:
    *others, last = states or ("",)
    return f"{', '.join(others)} or {last}" if others else last


def _moment(text: str | None, for_span: str, for_instant: str) -> str:
    return "" if text is None else f"{for_span if _is_span(text) else for_instant} {text}"


def _ago(text: str | None) -> str:
    return "" if text is None else f"{text} ago" if _is_span(text) else f"before {text}"


def _is_span(text: str) -> bool:
    try:
        return bool(seconds_in(text))
    except ArgumentTypeError:
        return False
