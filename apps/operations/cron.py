"""Cron text, read on the clock of one place. Pure; instants are aware and in UTC.

A local time that does not exist, because the clocks go forward over it, is the moment at which they do. Of one that
comes twice, because the clocks go back, the first is meant; only a cron that names every hour means both.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

ONE_DAY: Final = timedelta(days=1)
ONE_MINUTE: Final = timedelta(minutes=1)
NO_TIME: Final = timedelta()
SOME_DAY: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - a local time
EVERY_HOUR: Final = frozenset(range(24))


class CronError(ValueError):
    """The cron text says nothing; write minute, hour, day of month, month and day of week."""


def check_cron(cron: str) -> None:
    """Raises CronError, whose text says what is wrong, unless `cron` names at least one time."""
    next(local_times(cron, SOME_DAY))


def local_times(cron: str, since: datetime) -> Iterator[datetime]:
    """The times that `cron` names from `since` on, which is inclusive; naive, as are the results. Has no end.

    Raises CronError.
    """
    for moment in _parsed(cron, since - ONE_MINUTE):
        if moment >= since:
            yield moment
    raise CronError(_words(cron, "there is no such day"))


@lru_cache(maxsize=1024)  # many templates are due at the same times
def times_on_days(cron: str, first: date, last: date, most: int) -> tuple[datetime, ...]:
    """The times that `cron` names on the days from `first` to `last`; naive, ascending, `most` + 1 at most.

    Raises CronError.
    """
    found = takewhile(lambda moment: moment.date() <= last, local_times(cron, datetime.combine(first, time())))
    return tuple(islice(found, most + 1))


@lru_cache(maxsize=1024)
def names_every_hour(cron: str) -> bool:
    return frozenset(_parsed(cron, SOME_DAY).hours) == EVERY_HOUR


def instants_of(local: datetime, zone: ZoneInfo, *, both: bool) -> tuple[datetime, ...]:
    """When clocks in `zone` show the naive time `local`: two instants where it comes twice and `both` count."""
    if (offset := local.replace(tzinfo=zone).utcoffset()) == local.replace(tzinfo=zone, fold=1).utcoffset():
        return ((local - (offset or NO_TIME)).replace(tzinfo=UTC),)  # on nearly all days
    first = local.replace(tzinfo=zone).astimezone(UTC)
    while not _shows(first, local, zone):
        local += ONE_MINUTE  # clocks are set by whole minutes
        first = local.replace(tzinfo=zone).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return (first, second) if both and second != first else (first,)


def _shows(instant: datetime, local: datetime, zone: ZoneInfo) -> bool:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0) == local


def _parsed(cron: str, after: datetime) -> CronSim:
    if len(cron.split()) != 5:
        raise CronError(_words(cron, "it has five fields: minute, hour, day of month, month, day of week"))
    try:
        return CronSim(cron, after)
    except CronSimError as error:
        raise CronError(_words(cron, str(error))) from error


def _words(cron: str, what: str) -> str:
    return f"{cron!r} is no cron: {what[:1].lower()}{what[1:]}."
