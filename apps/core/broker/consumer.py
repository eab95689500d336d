"""Celery's consumer on leased queues: what cannot run is set aside, and what runs survives a lost connection."""

import os
import time
import warnings
from functools import partial
from typing import Any, Final

from celery import bootsteps, signals
from celery.exceptions import CPendingDeprecationWarning, NotRegistered, WorkerTerminate
from celery.platforms import EX_FAILURE
from celery.worker.consumer import Consumer
from celery.worker.consumer.mingle import Mingle
from celery.worker.state import requests, reserved_requests

from ..logs import get_logger
from ..metrics import events
from ..owners import end_heartbeat
from ..retry import FailureReason
from . import run_notes
from .cards import writer_of
from .channel import LeasedMessage
from .intake import REFUSED_FOR
from .transport import REFUSALS, Transport

RUN: Final = bootsteps.RUN  # type: ignore[attr-defined]
CHILDREN_LOOKED_AFTER: Final = 1.0  # seconds between two looks for dead children; Celery's own are 5 apart
# Seconds between attempts to reach the server: the first, how much longer each further one, and the longest.
RECONNECT: Final = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}

log = get_logger(__name__)


class LeasedConsumer(Consumer):
    """With a broker that is no leased:// one, this is Celery's own consumer."""

    conninfo: Any
    controller: Any
    task_buckets: dict[str, Any]
    pool: Any
    task_consumer: Any
    steps: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_leased = issubclass(self.conninfo.get_transport_cls(), Transport)

    # What cannot run. Celery's own handlers drop the message, and write its arguments into the log.

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        if isinstance(message, LeasedMessage):
            self._set_aside(message, "undecodable", exc)
        else:
            super().on_decode_error(message, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        if isinstance(message, LeasedMessage):
            self._set_aside(message, "no_task", ValueError("it names no task"))
        else:
            super().on_unknown_message(body, message)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        if isinstance(message, LeasedMessage):
            self._set_aside(message, "invalid_task", exc)
        else:
            super().on_invalid_task(body, message, exc)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        if isinstance(message, LeasedMessage):
            name, job = str(message.headers.get("task")), message.headers.get("id")
            self._set_aside(message, "unknown_task", NotRegistered(name))
            signals.task_unknown.send(sender=self, message=message, exc=exc, name=name, id=job)
        else:
            super().on_unknown_task(body, message, exc)

    def _set_aside(self, message: LeasedMessage, reason: str, error: Exception) -> None:
        note = run_notes.of_message(
            events.FAILED, queue=message.entry.queue, reason=FailureReason.POISON, headers=message.headers
        )
        message.quarantine(reason, f"{type(error).__name__}: {error}", note=note)
        job = message.headers.get("id")
        log.error("broker.quarantined", job=job, reason=reason, queue=message.entry.queue)
        if isinstance(job, str):
            self.app.backend.mark_as_failure(job, error)
        if not isinstance(error, NotRegistered):
            signals.task_rejected.send(sender=self, message=message, exc=error)

    # Connections come and go.

    def on_ready(self) -> None:
        super().on_ready()
        if self._is_leased and self.task_consumer is not None:
            self.task_consumer.channel.custody.attempts.writer = writer_of(self)

    def loop_args(self) -> Any:
        """Asked for each new event loop, at which Celery chokes on a child whose death it has noticed by half."""
        processes: Any = getattr(self.pool, "_pool", None)
        for process in tuple(getattr(processes, "_pool", ())):
            if getattr(process, "_sentinel_poll", self) is None:
                del process._sentinel_poll  # noqa: SLF001 - so that its death is noticed once more
        return super().loop_args()

    def ensure_connected(self, conn: Any) -> Any:
        if self._is_leased:
            conn.ensure_connection = partial(conn.ensure_connection, **RECONNECT)
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        with warnings.catch_warnings():
            # That jobs which run are given back with their connection, and might be cancelled: not so here.
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)
        if self._is_leased and isinstance(exc, REFUSALS):  # it would be asked again at once
            log.error("broker.refuses_writes", why=str(exc))
            time.sleep(REFUSED_FOR)

    def register_with_event_loop(self, hub: Any) -> None:
        super().register_with_event_loop(hub)
        if maintain := getattr(getattr(self.pool, "_pool", None), "maintain_pool", None):
            hub.call_repeatedly(CHILDREN_LOOKED_AFTER, maintain)

    def on_close(self) -> None:
        """Celery forgets what has not started, since its tags die with the connection. Leases do not."""
        if not self._is_leased:
            super().on_close()
        elif self.blueprint.state == RUN:
            self._finish_partial_writes()
            self._greet_nobody()
        else:
            self._return_unstarted()

    def close(self) -> None:
        """The worker begins to end; Celery closes the rest only when all that runs has ended."""
        if self._is_leased:
            if self.task_consumer is not None:
                self.task_consumer.cancel()
            self._return_unstarted()

    def cancel_active_requests(self) -> None:
        """A cold shutdown. Celery knows only how to end the jobs of processes."""
        if not self._is_leased:
            super().cancel_active_requests()
            return
        self._return_unstarted()
        if getattr(self.pool, "_pool", None):
            super().cancel_active_requests()
        elif self.pool.signal_safe:  # solo: the signal has met the job itself
            raise WorkerTerminate(EX_FAILURE)
        else:  # a thread cannot be ended, and its job is not to run on while it runs elsewhere
            end_heartbeat()
            os._exit(EX_FAILURE)

    def _greet_nobody(self) -> None:
        """A worker that comes back has all revocations from the server; Celery's greeting costs a second."""
        for mingle in (step for step in self.steps if isinstance(step, Mingle)):
            setattr(mingle, "start", _nothing_to_learn)  # noqa: B010 - a method is replaced

    def _return_unstarted(self) -> None:
        """The worker ends: what has not reached a process of the pool goes back."""
        if self.controller and self.controller.semaphore:
            self.controller.semaphore.clear()
        for bucket in filter(None, self.task_buckets.values()):
            for request, _ in tuple(bucket.contents):
                _put_back(request)
            bucket.clear_pending()
        for request in tuple(reserved_requests):
            if request._apply_result is None:  # noqa: SLF001 - it waits for a free process
                _put_back(request)
        processes: Any = getattr(self.pool, "_pool", None)
        for job in tuple(getattr(processes, "outbound_buffer", ())):
            processes.outbound_buffer.remove(job)
            job.discard()
            _put_back(requests.get(job.correlation_id))

    def _finish_partial_writes(self) -> None:
        """The event loop is made anew and forgets which job was being written to a child, half of it perhaps."""
        processes: Any = getattr(self.pool, "_pool", None)
        for job in tuple(getattr(processes, "_cache", {}).values()):
            writer = getattr(job, "_writer", lambda: None)()
            if writer is not None and writer in processes._active_writers:  # noqa: SLF001
                processes._flush_writer(job._write_to, writer)  # noqa: SLF001


def _nothing_to_learn(_: Any) -> None:
    """What Mingle does after a lost connection."""


def _put_back(request: Any) -> None:
    message = getattr(request, "message", None)
    if isinstance(message, LeasedMessage):
        message.custody.put_back(message.delivery_tag)
