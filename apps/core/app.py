"""The Celery application class: the one place that every enqueue passes and every worker starts from."""

import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from celery import Celery, Signature
from celery.result import AsyncResult
from django.apps import apps
from kombu import Exchange
from kombu import Queue as KombuQueue
from kombu.utils.imports import symbol_by_name

from . import broker, context, outbox
from .exceptions import DeclarationError
from .queues import QUEUES, queue_named
from .schedules.entry import as_beat_schedule
from .serialization import register_types
from .tasks import BaseTask
from .tasks.declaration import raise_declaration_errors

DEFAULTS = {
    "task_queues": tuple(KombuQueue(queue.name, Exchange(""), routing_key=queue.name) for queue in QUEUES),
    "task_create_missing_queues": False,
    "task_default_queue": "maintenance",
    # A message is acknowledged when its job has ended, so that a killed worker's jobs run elsewhere.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_acks_on_failure_or_timeout": True,
    "worker_prefetch_multiplier": 1,
    "task_track_started": True,
    "result_extended": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "result_accept_content": ["json"],
    "enable_utc": True,
    "broker_connection_retry_on_startup": True,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_soft_shutdown_timeout": 3.0,
    "worker_enable_soft_shutdown_on_idle": False,
    "worker_consumer": f"{__package__}.broker.consumer:LeasedConsumer",
    "worker_enable_prefetch_count_reduction": False,  # what runs is counted across connections
    "worker_lost_wait": 1.0,  # seconds for the last words of a child that has died
    "broker_connection_max_retries": None,  # a worker waits for its server as long as it takes
    "worker_hijack_root_logger": False,
    "beat_scheduler": f"{__package__}.schedules.scheduler:FiringScheduler",
}

# Celery's own Redis transport serves the queues of a worker in the order in which they are named.
TRANSPORT_OPTIONS = {"queue_order_strategy": "priority"}


def route(
    name: str, args: object, kwargs: object, options: object, task: Any = None, **_: Any
) -> dict[str, str] | None:
    """A task's queue is the one that its declaration, else its base class, names."""
    queue = getattr(task, "queue_name", None)
    return {"queue": queue} if queue else None


class JobsApp(Celery):
    """A Celery application whose jobs carry their context, and whose declarations are checked."""

    control_cls = f"{__package__}.broker.control:LeasedControl"

    timetable_error: DeclarationError | None = None  # why there is no timetable, once the settings have been read

    def __init__(self, *args: Any, timetable: str | None = None, **kwargs: Any) -> None:
        """`timetable`: where its entries stand, as "package.schedule:ENTRIES"; None: it has none of its own."""
        kwargs.setdefault("task_cls", f"{__package__}.tasks.base:BaseTask")
        self._timetable = timetable
        self._looking = threading.RLock()
        self._all_imported = False
        super().__init__(*args, **kwargs)
        broker.register()
        register_types()
        self.add_defaults(self._defaults)

    def _defaults(self) -> dict[str, Any]:
        """What a project's own settings leave open. Celery would put these before them."""
        settings: Any = self.__dict__["_conf"]
        ours = {**DEFAULTS, "task_routes": (route,)}
        open_ones = {name: value for name, value in ours.items() if not settings.value_set_for(name)}
        options = {**TRANSPORT_OPTIONS, **(settings.get("broker_transport_options") or {})}
        timetable = {**(settings.get("beat_schedule") or {}), **self._beat_schedule()}
        return {**open_ones, "broker_transport_options": options, "beat_schedule": timetable}

    def _beat_schedule(self) -> dict[str, Any]:
        """The timetable. What is wrong with it is kept, and raised with what is wrong with tasks."""
        if self._timetable is None:
            return {}
        try:
            return as_beat_schedule(symbol_by_name(self._timetable))
        except DeclarationError as error:
            self.timetable_error = error
            return {}

    def send_task(  # type: ignore[override] # Celery names thirty options, which all pass through
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> AsyncResult[Any]:
        """Enqueue a job by its task's name. Raises UnknownQueueError for a queue that does not exist."""
        queue = options.get("queue")
        if isinstance(queue, str):
            queue_named(queue)
        headers = {**context.current().for_children().headers(), **(options.get("headers") or {})}
        registry: dict[str, Any] = self.__dict__["_tasks"]  # `tasks` would finalise the app
        task = options.get("task_type") or registry.get(name) or self.looked_up(name)
        if isinstance(task, BaseTask):
            headers |= task.enqueue_headers(tuple(args or ()), kwargs or {}, headers)
            options = {**task.shown_arguments(tuple(args or ()), kwargs or {}), **options}
        headers[context.READY_AT_HEADER] = _ready_at(options.get("eta"), options.get("countdown"))
        headers.setdefault(context.FIRST_READY_AT_HEADER, headers[context.READY_AT_HEADER])  # a retry keeps it
        options["headers"] = headers
        if options.get("connection") is not None:  # the caller's own server, which has nothing to do with the outbox
            elsewhere: AsyncResult[Any] = super().send_task(name, args, kwargs, **options)
            return elsewhere
        ours = {"producer": outbox.capture.producer(), "declare": (), "event_dispatcher": self._sent}
        result: Any = super().send_task(name, args, kwargs, **{**options, **ours})
        running: Any = self.current_worker_task
        again = running is not None and running.request.id == result.id
        result.enqueued = outbox.enqueue(self.outlet, outbox.capture.take(), again=again)
        result.id = result.enqueued.job
        return result  # type: ignore[no-any-return]

    def looked_up(self, name: str) -> Any:
        """A task that nobody has imported in this process: its declaration says where its jobs go."""
        with self._looking:
            if not self._all_imported and apps.ready:
                self.autodiscover_tasks([config.name for config in apps.get_app_configs()], force=True)
                self.finalize()
                self._all_imported = True
        return self.__dict__["_tasks"].get(name)

    def enqueue_many(self, signatures: Iterable[Signature[Any]]) -> list[AsyncResult[Any]]:
        """Enqueue many jobs at once: one row statement, or one command to the broker, for hundreds of them.

        In a transaction they are part of it, as with `delay()`. Where one cannot be made, none is enqueued.
        """
        with outbox.enqueueing_together(self.outlet):
            results: list[Any] = [signature.apply_async() for signature in signatures]
        for result in results:
            result.id = result.enqueued.job
        return results

    @cached_property
    def outlet(self) -> outbox.Outlet:
        """The way to this application's broker."""
        return outbox.Outlet(self)

    @cached_property
    def AsyncResult(self) -> Any:  # noqa: N802 - Celery's name for it
        return self.subclass_with_self(outbox.JobResult, reverse="AsyncResult")

    @cached_property
    def _sent(self) -> outbox.SentEvents:
        return outbox.SentEvents(self)

    def _get_backend(self) -> Any:
        backend: Any = super()._get_backend()  # type: ignore[misc] # the types leave it out
        # Celery subscribes to each result at once, and blocks while that server is down; `get()` does so, too.
        backend.on_task_call = _subscribe_to_nothing
        return backend

    def finalize(self, auto: bool = False) -> None:
        super().finalize(auto)
        raise_declaration_errors()
        _ = self.conf.beat_schedule  # the settings are read, and with them the timetable
        if self.timetable_error is not None:
            raise self.timetable_error


def _subscribe_to_nothing(producer: Any, task_id: str) -> None:
    """Whoever waits for a result subscribes to it then."""


def _ready_at(eta: datetime | str | None, countdown: float | None) -> float:
    now = time.time()
    if isinstance(eta, str):
        eta = datetime.fromisoformat(eta)
    later = eta.timestamp() if eta else now + (countdown or 0.0)
    return max(now, later)
