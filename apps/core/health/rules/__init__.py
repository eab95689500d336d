"""What is looked for in a snapshot: one function for each part, which yields the problems that it finds. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

from ..problem import Problem
from ..snapshot import Snapshot
from .failures import of_failures
from .messages import of_messages
from .objectives import of_objectives
from .queues import of_queues
from .servers import of_servers
from .services import of_services
from .timetable import of_timetable

RULES: Final[tuple[Callable[[Snapshot], Iterator[Problem]], ...]] = (
    of_servers,
    of_queues,
    of_objectives,
    of_messages,
    of_timetable,
    of_failures,
    of_services,
)
