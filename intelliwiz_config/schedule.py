"""The timetable, in UTC. No two entries ever share a minute."""

from apps.core.schedules import Entry

MINUTE = 60

ENTRIES = (
    # The two critical sweeps stand 15 minutes apart, and 12 minutes off every quarter of an hour.
    Entry(name="auto_close_jobs", task="auto_close_jobs", when="12,42 * * * *", expires=25 * MINUTE),
    Entry(name="ticket_escalation", task="ticket_escalation", when="27,57 * * * *", expires=25 * MINUTE),
)
