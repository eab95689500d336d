-- A durable job is done: its row in the outbox goes and its record comes, in the transaction of its effects.
-- A record whose time is over gives up its key, and stays for the sake of its job. Nothing is returned where this job,
-- or another one under its key, has been done already; where that is just being committed, this waits for it.
WITH outbox AS (
    DELETE FROM bgjobs_outboxmessage WHERE job = %(job)s AND durable
),
freed AS (
    UPDATE bgjobs_idempotencyrecord SET key = NULL
    WHERE key = %(key)s AND expires_at <= statement_timestamp() AND job <> %(job)s
    RETURNING job
)
INSERT INTO bgjobs_idempotencyrecord (job, key, task, result, expires_at)
SELECT %(job)s, %(key)s, %(task)s, %(result)s, statement_timestamp() + make_interval(secs => %(ttl)s)
FROM (SELECT count(*) FROM freed) AS after_it_is_free
ON CONFLICT DO NOTHING
RETURNING job
