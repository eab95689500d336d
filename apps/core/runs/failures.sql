-- Troubles by fingerprint, the latest first: what the runs and the dead letters of each say together.
-- %(now)s, %(day_ago)s, %(long)s: an interval of silence; %(recent)s: since when a return counts; %(limit)s
WITH seen AS (  -- every attempt that ended in trouble, and how long before it the same trouble was quiet
    SELECT fingerprint, ended_at, id,
           ended_at - lag(ended_at) OVER (PARTITION BY fingerprint ORDER BY ended_at) AS quiet
    FROM bgjobs_jobrun
    WHERE NOT (fingerprint = '')
), run AS (
    SELECT fingerprint, min(ended_at) AS first_seen, max(ended_at) AS last_seen, count(*) AS count,
           bool_or(quiet >= %(long)s AND ended_at >= %(recent)s) AS came_back
    FROM seen
    GROUP BY fingerprint
), hour AS (
    SELECT fingerprint, floor(extract(epoch FROM %(now)s - ended_at) / 3600)::int AS hours_ago, count(*) AS count
    FROM seen
    WHERE ended_at > %(day_ago)s
    GROUP BY fingerprint, hours_ago
), trend AS (
    SELECT fingerprint, json_object_agg(hours_ago, count) AS counts
    FROM hour
    GROUP BY fingerprint
), letter AS (
    SELECT fingerprint, min(last_at) AS first_seen, max(last_at) AS last_seen, count(*) AS count,
           count(*) FILTER (WHERE state = 'open') AS open_letters,
           max(closed_at) AS closed_at
    FROM bgjobs_deadletter
    GROUP BY fingerprint
), trouble AS (
    SELECT fingerprint,
           least(run.first_seen, letter.first_seen) AS first_seen,
           greatest(run.last_seen, letter.last_seen) AS last_seen,
           greatest(run.count, letter.count, 0) AS count,
           coalesce(letter.open_letters, 0) AS open_letters,
           coalesce(run.came_back, false) AS came_back,
           letter.closed_at
    FROM run FULL JOIN letter USING (fingerprint)
    ORDER BY last_seen DESC, fingerprint
    LIMIT %(limit)s
)
SELECT trouble.fingerprint,
       coalesce(latest_run.task, latest_letter.task, ''),
       coalesce(latest_run.error, latest_letter.error, ''),
       trouble.first_seen, trouble.last_seen, trouble.count, trouble.open_letters, trouble.came_back,
       -- After all that there was until then had been replayed or discarded, it was seen again.
       trouble.closed_at IS NOT NULL AND trouble.last_seen > trouble.closed_at AND NOT EXISTS (
           SELECT FROM bgjobs_deadletter AS old
           WHERE old.fingerprint = trouble.fingerprint AND old.state = 'open' AND old.last_at <= trouble.closed_at
       ) AS seen_after_all_was_closed,
       trend.counts
FROM trouble
LEFT JOIN LATERAL (
    SELECT task, error FROM bgjobs_jobrun AS run
    WHERE run.fingerprint = trouble.fingerprint AND NOT (run.fingerprint = '')  -- as its index says
    ORDER BY ended_at DESC, id DESC LIMIT 1
) AS latest_run ON true
LEFT JOIN LATERAL (
    SELECT task, error FROM bgjobs_deadletter AS letter
    WHERE letter.fingerprint = trouble.fingerprint ORDER BY last_at DESC, id DESC LIMIT 1
) AS latest_letter ON true
LEFT JOIN trend USING (fingerprint)
ORDER BY trouble.last_seen DESC, trouble.fingerprint
