"""The timetable, in UTC. No two entries ever share a minute, and the places of those that may move are the optimum:
`manage.py validate_schedules` proves the one, and `--suggest` computes the other."""

from apps.core.schedules import Entry, any_offset, daily, every

MINUTE = 60
HOUR = 60 * MINUTE

OFF_PEAK = daily(between=("02:00", "04:59"))
HALF_HOURLY = any_offset(minutes=30)

ENTRIES = (
    # The two critical sweeps stand 15 minutes apart.
    Entry(
        name="auto_close_jobs",
        task="auto_close_jobs",
        when=every(minutes=30, offset=7),
        candidates=HALF_HOURLY,
        expires=25 * MINUTE,
    ),
    Entry(
        name="ticket_escalation",
        task="ticket_escalation",
        when=every(minutes=30, offset=22),
        candidates=HALF_HOURLY,
        expires=25 * MINUTE,
    ),
    # Clean-up, while few people work; one that was missed is made up for by the next day's.
    Entry(name="cleanup_dead_letters", task="cleanup_dead_letters", when="0 2 * * *", candidates=OFF_PEAK),
    Entry(name="cleanup_firings", task="cleanup_firings", when="29 3 * * *", candidates=OFF_PEAK),
    Entry(
        name="cleanup_idempotency_records",
        task="cleanup_idempotency_records",
        when="59 4 * * *",
        candidates=OFF_PEAK,
    ),
)
