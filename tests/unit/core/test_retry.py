import smtplib
import subprocess
import urllib.error
from datetime import UTC, datetime
from email.message import Message
from types import SimpleNamespace

import pytest
import redis.exceptions
from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, OperationalError
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import (
    InvalidMailError,
    PermanentError,
    RateLimitedError,
    ServiceTimeoutError,
    TransientError,
)
from apps.core.retry import Backoff, FailureReason, classify, retry_after

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class HttpError(Exception):
    """An error with a response, as requests and httpx raise it."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"status {status}")
        self.response = SimpleNamespace(status_code=status, headers=headers or {})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TypeError(), "permanent"),
        (ValueError(), "permanent"),
        (KeyError(), "permanent"),
        (AttributeError(), "permanent"),
        (AssertionError(), "permanent"),
        (NotImplementedError(), "permanent"),
        (ValidationError("x"), "permanent"),
        (IntegrityError(), "permanent"),
        (ObjectDoesNotExist(), "permanent"),
        (PermanentError(), "permanent"),
        (InvalidMailError(), "permanent"),
        (OSError(), "transient"),
        (ConnectionResetError(), "transient"),
        (TimeoutError(), "transient"),
        (subprocess.TimeoutExpired("x", 1), "transient"),
        (OperationalError(), "transient"),
        (redis.exceptions.ConnectionError(), "transient"),
        (TransientError(), "transient"),
        (ServiceTimeoutError(), "transient"),
        (RateLimitedError(), "rate_limited"),
        (RuntimeError(), "transient"),
        (Exception(), "transient"),
        (SoftTimeLimitExceeded(), "timeout"),
        (HttpError(500), "transient"),
        (HttpError(503), "transient"),
        (HttpError(408), "transient"),
        (HttpError(429), "rate_limited"),
        (HttpError(404), "permanent"),
        (urllib.error.HTTPError("http://x", 403, "", Message(), None), "permanent"),
        (urllib.error.URLError("refused"), "transient"),
        (smtplib.SMTPServerDisconnected(), "transient"),
        (smtplib.SMTPConnectError(421, b"busy"), "transient"),
        (smtplib.SMTPDataError(451, b"try later"), "transient"),
        (smtplib.SMTPDataError(554, b"no"), "permanent"),
        (smtplib.SMTPAuthenticationError(535, b"no"), "permanent"),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no")}), "permanent"),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no"), "b": (450, b"later")}), "transient"),
    ],
    ids=repr,
)
def test_the_class_of_an_error_decides_on_a_retry(error: Exception, reason: str) -> None:
    assert classify(error) == FailureReason(reason)


@given(base=st.floats(0.1, 1e4), cap=st.floats(0.1, 1e5), attempt=st.integers(0, 10_000), share=st.floats(0, 1))
def test_a_delay_is_half_to_all_of_the_doubled_base_and_never_above_the_cap(
    base: float, cap: float, attempt: int, share: float
) -> None:
    def uniform(low: float, high: float) -> float:
        return low + share * (high - low)

    longest = cap if attempt > 60 else min(base * 2**attempt, cap)
    delay = Backoff(base=base, cap=cap).delay(attempt, uniform=uniform)
    assert 0.49999 * longest <= delay <= min(longest, cap) * 1.00001


def test_the_default_delays_double_from_a_minute_to_ten() -> None:
    backoff = Backoff(base=60, cap=600)
    delays = [backoff.delay(attempt, uniform=lambda low, high: high) for attempt in range(6)]
    assert delays == [60, 120, 240, 480, 600, 600]


def test_jitter_spreads_delays_over_the_upper_half() -> None:
    delays = [Backoff(base=60, cap=600).delay(0) for _ in range(2000)]
    assert min(delays) >= 30
    assert max(delays) <= 60
    assert min(delays) < 33 < 57 < max(delays)


def test_a_delay_is_never_shorter_than_asked_for() -> None:
    assert Backoff(base=60, cap=600).delay(0, at_least=1800) == 1800


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimitedError(retry_after=12), 12),
        (HttpError(429, {"Retry-After": "120"}), 120),
        (HttpError(503, {"Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT"}), 90),
        (HttpError(503, {"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT"}), 0),
        (HttpError(503, {"Retry-After": "soon"}), None),
        (HttpError(503, {"Retry-After": "nan"}), None),
        (HttpError(503, {"Retry-After": "1e999"}), 24 * 3600),
        (HttpError(503, {"Retry-After": "-5"}), 0),
        (HttpError(503), None),
        (ValueError(), None),
    ],
    ids=repr,
)
def test_retry_after_is_read_from_seconds_and_from_dates(error: Exception, seconds: float | None) -> None:
    assert retry_after(error, now=NOW) == seconds
