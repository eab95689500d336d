"""The process that enqueues a run's jobs, evenly over the run: `enqueuer.py SCENARIO SEED BEGIN`.

It is killed, and started again, and then goes on as its journal and the database tell: what may not have happened it
does once more, as a caller would whose `delay()` has not returned. That makes another job with the same idempotency
key, so the transfer is to happen once all the same.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from kombu.exceptions import OperationalError

from .. import journal
from .scenario import Scenario, Step, Way

AGAIN_AFTER = 0.2  # seconds


class RolledBackError(Exception):
    """Leaves a transaction."""


class Enqueuer:
    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._seed = seed

    def work(self, begin: float) -> None:
        steps = list(self._scenario.steps(self._seed))
        lines = journal.read(Path(os.environ[journal.PLACE]))
        first = max((line.number + 1 for line in lines if line.deed == "step"), default=0)
        for number, step in list(enumerate(steps))[first:]:
            time.sleep(max(begin + self._scenario.seconds * number / len(steps) - time.time(), 0.0))
            self._until_taken(number, step)
            journal.write("step", number)

    def _until_taken(self, number: int, step: Step) -> None:
        from django.db import DatabaseError, InterfaceError, connection

        from . import ledger

        while True:
            try:
                if not any(ledger.has_order(one) for one in step.numbers):  # else it was killed after the commit
                    self._do(step)
            except (OperationalError, DatabaseError, InterfaceError):
                journal.write("refused", number)
                connection.close()
                time.sleep(AGAIN_AFTER)
            else:
                return

    def _do(self, step: Step) -> None:
        from django.db import transaction

        match step.way:
            case Way.OUTSIDE:
                job = self._begin("outside", step.numbers[0])
                self._transfer(step.numbers[0]).apply_async(task_id=job)
                journal.write("returned", UUID(job).int)
            case Way.INSIDE:
                with transaction.atomic():
                    self._order(step.numbers[0])
            case Way.TOGETHER:
                with transaction.atomic():
                    self._order_together(step.numbers)
            case Way.ROLLED_BACK:
                with suppress(RolledBackError), transaction.atomic():
                    self._order(step.doomed[0])
                    raise RolledBackError
            case Way.SAVEPOINT:
                with transaction.atomic():
                    self._order(step.numbers[0])
                    with suppress(RolledBackError), transaction.atomic():
                        self._order(step.doomed[0])
                        raise RolledBackError

    def _begin(self, where: str, number: int) -> str:
        job = str(uuid4())
        journal.write(f"{where}:{number}", UUID(job).int)
        return job

    def _order(self, number: int) -> None:
        from . import ledger

        job = self._begin("inside", number)
        ledger.note_order(job, number)
        self._transfer(number).apply_async(task_id=job)

    def _order_together(self, numbers: Sequence[int]) -> None:
        from . import ledger
        from .application import app

        jobs = [self._begin("inside", number) for number in numbers]
        for job, number in zip(jobs, numbers, strict=True):
            ledger.note_order(job, number)
        app.enqueue_many(self._transfer(number).set(task_id=job) for job, number in zip(jobs, numbers, strict=True))

    def _transfer(self, number: int) -> Any:
        """Its signature."""
        from .jobs import transfer

        what = self._scenario.transfer(self._seed, number)
        arguments = (number, what.source, what.target, str(what.amount), what.seconds, what.durable_child)
        make: Callable[..., Any] = transfer.si
        return make(*arguments).set(queue=what.queue)


if __name__ == "__main__":
    import django

    django.setup()
    from . import application  # noqa: F401 - its app becomes the current one

    scenario = Scenario(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(sys.argv[1]).items()
        }
    )
    Enqueuer(scenario, int(sys.argv[2])).work(float(sys.argv[3]))
