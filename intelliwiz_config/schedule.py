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
        when=every(minutes=30, offset=11),
        candidates=HALF_HOURLY,
        expires=25 * MINUTE,
    ),
    Entry(
        name="ticket_escalation",
        task="ticket_escalation",
        when=every(minutes=30, offset=26),
        candidates=HALF_HOURLY,
        expires=25 * MINUTE,
    ),
    # Reports are made at the minutes that people know, and mailed at intervals that never line up with theirs.
    Entry(name="create_scheduled_reports", task="create_scheduled_reports", when="5,20,35,50 * * * *"),
    Entry(
        name="send_generated_report_on_mail",
        task="send_generated_report_on_mail",
        when=every(minutes=27, offset=6),
        candidates=any_offset(minutes=27),
    ),
    # Planned work: preventive maintenance for a month, other work for two days.
    Entry(name="create_ppm_job", task="create_ppm_job", when="3 3,16 * * *"),
    Entry(
        name="create_job",
        task="create_job",
        when=every(minutes=480, offset=391),
        candidates=any_offset(minutes=480),
    ),
    Entry(
        name="send_reminder_email",
        task="send_reminder_email",
        when=every(minutes=15, offset=8),
        candidates=any_offset(minutes=15),
    ),
    Entry(name="move_media_to_cloud_storage", task="move_media_to_cloud_storage", when="0 0 * * 1"),
    # Clean-up, while few people work; one that was missed is made up for by the next day's.
    Entry(name="cleanup_dead_letters", task="cleanup_dead_letters", when="16 2 * * *", candidates=OFF_PEAK),
    Entry(name="cleanup_firings", task="cleanup_firings", when="44 2 * * *", candidates=OFF_PEAK),
    Entry(
        name="cleanup_idempotency_records",
        task="cleanup_idempotency_records",
        when="46 3 * * *",
        candidates=OFF_PEAK,
    ),
    Entry(name="cleanup_runs", task="cleanup_runs", when="31 4 * * *", candidates=OFF_PEAK),
    Entry(name="cleanup_sent_reports", task="cleanup_sent_reports", when="59 4 * * *", candidates=OFF_PEAK),
)
