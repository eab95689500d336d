"""The process that enqueues a run's jobs, evenly over the run: `enqueuer.py SCENARIO SEED BEGIN`.

What the server refuses, or does not answer, is enqueued once more until the call returns.
"""

import json
import sys
import time

from kombu.exceptions import OperationalError
from redis import RedisError

from . import journal
from .scenario import QUEUES, Scenario

AGAIN_AFTER = 0.2  # seconds


def main(scenario: Scenario, seed: int, begin: float) -> None:
    import django

    django.setup()
    from . import application  # noqa: F401 - its app becomes the current one
    from .jobs import job

    for number, seconds in enumerate(scenario.job_seconds(seed)):
        time.sleep(max(begin + scenario.seconds * number / scenario.jobs - time.time(), 0.0))
        queue = QUEUES[number % len(QUEUES)]
        while True:
            try:
                job.apply_async((number, seconds), queue=queue)
            except (OperationalError, RedisError, OSError):
                journal.write("refused", number)
                time.sleep(AGAIN_AFTER)
            else:
                journal.write("published", number)
                break


if __name__ == "__main__":
    main(Scenario(**json.loads(sys.argv[1])), int(sys.argv[2]), float(sys.argv[3]))
