"""Logs as JSON lines that carry the job's context and no secrets or personal data."""

import logging
import re
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from . import context

# What must not reach a log, wherever it stands in a line. Order matters: URLs before the addresses inside them.
_REDACTIONS: Final = (
    (re.compile(r"(?<=://)[^/\s@]+@"), "[credentials]@"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"(?i)\b(bearer|basic|token)\s+[\w.~+/=-]{8,}"), r"\1 [secret]"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization)[\w-]*)"
            r"(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]+"
        ),
        r"\1\2[secret]",
    ),
    # What is signed, by Django or as a JSON web token, begins with the base64 of `{"`, and opens what it names.
    (re.compile(r"\beyJ[\w-]+(?:[.:][\w-]+)+"), "[secret]"),
    (re.compile(r"(?<![\w.:-])\+\d[\d ()-]{7,}\d"), "[phone]"),
    # PostgreSQL quotes what is wrong with a row.
    (re.compile(r"(?s)(DETAIL:\s+Key \(.*?\)=)\(.*?\)(?= )"), r"\1([values])"),
    (re.compile(r"(?s)(DETAIL:\s+Failing row contains )\(.*\)"), r"\1([values])"),
)


# One of these is in whatever a redaction matches; most texts have none, and looking for them is ten times as fast.
_TELLTALES: Final = ("@", "+", "bearer", "basic", "token", "pass", "secret", "api", "authorization", "DETAIL", "eyJ")


def redact(text: str) -> str:
    """`text` with credentials, e-mail addresses, telephone numbers and quoted row values taken out."""
    lower = text.lower()
    if not any(telltale in lower or telltale in text for telltale in _TELLTALES):
        return text
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


def get_logger(name: str) -> Any:
    return structlog.stdlib.get_logger(name)


def add_job_context(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Name the tenant, user and correlation id in each line that is written while a job or request runs."""
    current = context.current()
    for field in ("tenant_id", "user_id", "correlation_id"):
        if (value := getattr(current, field)) is not None:
            event.setdefault(field, value)
    return event


def redact_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def keep_django_logging(*, loglevel: int | str | None, **_: Any) -> None:
    """Receiver of Celery's `setup_logging`: Django's LOGGING stands, and `--loglevel` sets the level."""
    logging.getLogger().setLevel(loglevel or logging.INFO)


def logging_config(*, level: str) -> dict[str, Any]:
    """A value for Django's LOGGING, for our own loggers and for all others: one JSON object a line, on stderr."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_job_context,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        redact_values,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Celery's own lines per job print arguments and results; tasks/job_log.py writes ours instead.
            "celery.app.trace": {"level": logging.CRITICAL},
            "celery.worker.strategy": {"level": logging.WARNING},
        },
    }
