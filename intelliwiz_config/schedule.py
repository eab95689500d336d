"""The timetable, in UTC. No two entries ever share a minute."""

from apps.core.schedules import Entry

MINUTE = 60
HOUR = 60 * MINUTE

ENTRIES = (
    # The two critical sweeps stand 15 minutes apart, and 12 minutes off every quarter of an hour.
    Entry(name="auto_close_jobs", task="auto_close_jobs", when="12,42 * * * *", expires=25 * MINUTE),
    Entry(name="ticket_escalation", task="ticket_escalation", when="27,57 * * * *", expires=25 * MINUTE),
    # Clean-up, while few people work; one that was missed is made up for by the next day's.
    Entry(name="cleanup_dead_letters", task="cleanup_dead_letters", when="3 2 * * *", expires=12 * HOUR),
    Entry(name="cleanup_firings", task="cleanup_firings", when="18 2 * * *", expires=12 * HOUR),
    Entry(
        name="cleanup_idempotency_records", task="cleanup_idempotency_records", when="33 2 * * *", expires=12 * HOUR
    ),
)
