"""The relay's process: what it does beside its chief duty, and where it runs.

It runs as `manage.py jobs relay` and in a thread of every beat; any number of them share the work.
"""

import threading
from typing import Any, Final

from celery import current_app

from .broker.configured import client_for, is_leased, prefix_of
from .broker.store import MessageStore
from .dead_letters.mover import Mover
from .outbox import Relay, keep_doing
from .outbox.hosting import Chore
from .runs.archive import Archiver

REPLY_TIMEOUT: Final = 2.0  # seconds; rows are locked meanwhile


def chores() -> list[Chore]:
    conf = current_app.conf
    store = MessageStore(client_for(conf, reply_timeout=REPLY_TIMEOUT), prefix_of(conf), delays=is_leased(conf))
    # A stock broker has no quarantine and no history: Celery's own transport drops what fails, and forgets the rest.
    return [Relay(store).work, *([Mover(store).work, Archiver(store).work] if is_leased(conf) else [])]


def relay_in_beat(**_: Any) -> None:
    """Receiver of `beat_init`."""
    never = threading.Event()
    threading.Thread(target=keep_doing, args=(chores(), never), name="bgjobs-relay", daemon=True).start()
