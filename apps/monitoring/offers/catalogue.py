"""The actions that pages offer, by name: what `{% offer "pause" queue=name %}` and actions/<name>/ know."""

from typing import Final

from .fuses import OFFERS_FOR_TASKS
from .jobs import OFFERS_FOR_JOBS
from .keys import OFFERS_FOR_KEYS
from .letters import OFFERS_FOR_LETTERS
from .offer import Offer
from .queues import OFFERS_FOR_QUEUES
from .schedules import OFFERS_FOR_SCHEDULES
from .workers import OFFERS_FOR_WORKERS

OFFERS: Final[dict[str, Offer]] = {
    offer.name: offer
    for offer in (
        *OFFERS_FOR_QUEUES,
        *OFFERS_FOR_LETTERS,
        *OFFERS_FOR_JOBS,
        *OFFERS_FOR_SCHEDULES,
        *OFFERS_FOR_TASKS,
        *OFFERS_FOR_WORKERS,
        *OFFERS_FOR_KEYS,
    )
}
