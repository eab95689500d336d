"""Beat's scheduler: each due instant of the timetable is fired exactly once, however many beats there are.

A firing is a row that is unique in (entry, due instant), written in the transaction that enqueues its job. Beats know
nothing of each other: whoever is first has fired, and any of them may die at any point.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from celery.beat import ScheduleEntry, Scheduler
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections, transaction

from ..logs import get_logger, redact
from . import rows
from .catch_up import divide
from .fire import fire
from .firings import latest_firing, next_firing
from .models import Firing
from .plan import Plan, plan_of
from .sign_of_life import SignOfLife

AT_ONCE: Final = 20  # firings of one entry that is catching up, before others have their turn

log = get_logger(__name__)


@dataclass(slots=True)
class _Standing:
    """How far this beat has come with an entry."""

    plan: Plan
    settled: datetime
    due: datetime  # the first instant that is not settled


class FiringScheduler(Scheduler):
    """Celery's scheduler over the table of firings. A beat that was down knows from there what it has missed."""

    max_interval = 1  # seconds between two looks at the clock: so soon a beat takes over, or tries again

    def __init__(self, app: Any, **options: Any) -> None:
        self._standings: list[_Standing] | None = None  # None: the database has not been asked yet
        self._database_down = False
        self._sign_of_life = SignOfLife(app.conf)
        self._is_closed = False
        super().__init__(app, **options)

    def now(self) -> datetime:
        """The moment by which instants are due."""
        return datetime.now(UTC)

    def setup_schedule(self) -> None:
        """Raises DeclarationError for a schedule that this scheduler cannot follow."""
        super().setup_schedule()
        self._plans = [plan_of(entry) for entry in self.schedule.values()]

    def tick(self, *_: Any, **__: Any) -> float:
        """Fire what is due. Returns the seconds until the next tick. Asks the database only when something is due.

        Raises SystemExit once it is closed: that of the signal's handler is lost where the signal meets a finaliser.
        """
        if self._is_closed:
            raise SystemExit
        self._sign_of_life.give()
        try:
            self._fire_due(self.now())
        except DatabaseError as error:
            self._note_database_down(error)
            return float(self.max_interval)
        if self._database_down:
            log.warning("beat.database_recovered")
            self._database_down = False
        first = min((standing.due for standing in self._standings or ()), default=None)
        wait = (first - self.now()).total_seconds() if first else self.max_interval
        return min(max(wait, 0.0), self.max_interval)

    def close(self) -> None:
        """What Celery does first when a beat is told to end."""
        self._is_closed = True
        super().close()

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Fire the latest due instant of an entry, unless that has been done."""
        plan = plan_of(entry)
        self._fire(plan, latest_firing(plan.schedule, self.now()))

    @property
    def info(self) -> str:
        return "    . firings -> database"

    def _fire_due(self, now: datetime) -> None:
        if self._standings is None:
            self._standings = self._remembered(now)
            log.info("beat.ready", entries=len(self._standings))
        due = [standing for standing in self._standings if standing.due <= now]
        for standing in sorted(due, key=lambda standing: standing.due):
            self._advance(standing, now)
        if due:
            close_old_connections()

    def _remembered(self, now: datetime) -> list[_Standing]:
        settled = rows.remember({plan.name: plan.spec for plan in self._plans}, now)
        return [
            _Standing(plan, settled[plan.name], next_firing(plan.schedule, settled[plan.name]))
            for plan in self._plans
        ]

    def _advance(self, standing: _Standing, now: datetime) -> None:
        plan = standing.plan
        due = divide(plan.schedule, plan.policy, after=standing.settled, until=now)
        if due.missed:
            why = f"no beat ran, and catch_up is {plan.policy.catch_up}"
            if missed := rows.write_missed(plan.name, due.missed, now, why):
                log.warning("firing.missed", entry=plan.name, count=missed, last=due.missed[-1].isoformat())
            standing.settled = due.missed[-1]
        for instant in due.fire[:AT_ONCE]:
            self._fire(plan, instant)
            standing.settled = instant
        standing.due = due.fire[AT_ONCE] if len(due.fire) > AT_ONCE else next_firing(plan.schedule, now)

    def _fire(self, plan: Plan, due: datetime) -> None:
        now = self.now()
        try:
            fire(self.app, plan, due=due, now=now)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one entry must not stop the others
            log.error("firing.not_enqueued", entry=plan.name, due=due.isoformat(), error=type(error).__name__)
            why = redact(f"not enqueued: {type(error).__name__}: {error}")
            with transaction.atomic():
                rows.settle(plan.name, due)
                rows.write(Firing(entry=plan.name, due=due, outcome=Firing.Outcome.FAILED, ended_at=now, why=why))

    def _note_database_down(self, error: DatabaseError) -> None:
        if not self._database_down:
            log.error("beat.database_down", error=type(error).__name__, why=redact(str(error)))
        self._database_down = True
        connections.close_all()
