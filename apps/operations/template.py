"""A template as planning sees it: everything that decides on its occurrences, without the database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from .holidays import Holidays, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A checkpoint of a tour."""

    job_id: int
    plan_minutes: int
    time_allowed: timedelta  # from its own planned moment to its expiry
    content: tuple[object, ...]  # what is copied to its occurrences: asset, assignee, checklist


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    job_id: int
    kind: str
    timezone: str  # IANA, the site's
    cron: str
    valid_from: datetime
    valid_until: datetime | None
    time_allowed: timedelta  # from the planned moment to the expiry
    remind_minutes: int
    holiday_policy: str
    content: tuple[object, ...]  # what is copied to its occurrences: site, asset, assignee, checklist
    is_in_use: bool  # a root that is enabled, has a cron, and whose asset is not scrapped
    stops: tuple[Stop, ...] = ()  # in the order of the tour
    holidays: Holidays = field(default_factory=Holidays)
    last_generated_until: datetime | None = None
    planned_as: str = ""  # the fingerprint of the template that its occurrences were planned by
    fingerprint: str = field(init=False)  # another one when they have to be planned anew; empty while not in use

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", self._fingerprint())

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def has_changed(self) -> bool:
        """Whether its occurrences were planned by what it does not say any more."""
        is_left_over = not self.is_in_use and self.last_generated_until is not None
        return is_left_over or self.fingerprint != self.planned_as

    def _fingerprint(self) -> str:
        if not self.is_in_use:
            return ""
        facts = (
            self.kind,
            self.timezone,
            self.cron,
            self.valid_from.timestamp(),
            self.valid_until and self.valid_until.timestamp(),
            self.time_allowed,
            self.remind_minutes,
            self.content,
            tuple((stop.job_id, stop.plan_minutes, stop.time_allowed, stop.content) for stop in self.stops),
            self._holiday_facts(),
        )
        return sha256(repr(facts).encode()).hexdigest()

    def _holiday_facts(self) -> tuple[object, ...]:
        if self.holiday_policy == Policy.KEEP:
            return ()
        return (self.holiday_policy, sorted(self.holidays.once), sorted(self.holidays.yearly))
