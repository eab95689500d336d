-- Writes rows of messages with unique keys: one statement for any number of them.
-- The message of a durable job that has a row already (its retry) takes the place of the one before it. Where another
-- job has a message's unique key, there is no row: its tag is missing in what is returned.
WITH new AS (
    SELECT *
    FROM unnest(
        %(job)s::text[], %(task)s::text[], %(queue)s::text[], %(list)s::text[], %(message)s::text[], %(tag)s::text[],
        %(due)s::float8[], %(durable)s::boolean[], %(unique_key)s::text[]
    ) AS new (job, task, queue, list, message, tag, due, durable, unique_key)
),
again AS (
    UPDATE bgjobs_outboxmessage AS old
    SET queue = new.queue, list = new.list, message = new.message, tag = new.tag, due = new.due,
        created_at = statement_timestamp(), published_at = NULL
    FROM new
    WHERE new.durable AND old.durable AND old.job = new.job
    RETURNING old.job, old.tag
),
written AS (
    INSERT INTO bgjobs_outboxmessage (job, task, queue, list, message, tag, due, durable, unique_key)
    SELECT * FROM new
    WHERE NOT (new.durable AND EXISTS (SELECT FROM again WHERE again.job = new.job))
    ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING
    RETURNING tag
)
SELECT tag FROM again UNION ALL SELECT tag FROM written
