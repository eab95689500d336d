"""What an enqueuer gets: Celery's AsyncResult, which knows whether its job exists yet."""

from typing import Any

from celery.result import AsyncResult

from ..exceptions import UncommittedJobError
from .on_commit import Enqueued


class JobResult(AsyncResult[Any]):
    enqueued: Enqueued | None = None  # None: made from the id alone

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Celery's `get`. Raises UncommittedJobError where it would wait for a job that cannot start."""
        if self.enqueued is not None and not self.enqueued.committed:
            raise UncommittedJobError(
                f"Job {self.id} was enqueued in a transaction that has not been committed, or was rolled back: "
                "it does not start before the commit. Leave the transaction, then call get()."
            )
        return super().get(*args, **kwargs)

    wait = get
