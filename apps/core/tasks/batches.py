"""Working through many items, each in a transaction of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction

from ..logs import get_logger, redact

MAX_ERRORS = 100  # errors listed one by one; further ones are only counted

log = get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class BatchResult:
    total: int = 0
    processed: int = 0
    failed: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)  # {"item", "reason"}, MAX_ERRORS at most


def process_batches(items: Iterable[Any], process: Callable[[Any], object], batch_size: int = 100) -> BatchResult:
    """Call `process` for each item, `batch_size` items to a progress line in the log.

    Raises ValueError for a batch_size below 1; OperationalError, InterfaceError and SoftTimeLimitExceeded are no
    fault of an item and end the work.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, not {batch_size}")
    result = BatchResult()
    source = iter(items)
    while batch := list(islice(source, batch_size)):
        for item in batch:
            _process_one(item, process, result)
        log.info("batch.processed", total=result.total, processed=result.processed, failed=result.failed)
    return result


def _process_one(item: Any, process: Callable[[Any], object], result: BatchResult) -> None:
    try:
        with transaction.atomic():
            process(item)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one item must not stop the others
        result.failed += 1
        if len(result.errors) < MAX_ERRORS:
            reason = redact(f"{type(error).__name__}: {error}")
            result.errors.append({"item": redact(repr(item))[:200], "reason": reason})
    else:
        result.processed += 1
    result.total += 1
