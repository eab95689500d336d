-- Occurrences of jobs at their times, roots or checkpoints (with the parent's id); asset and assignee are the job's.
-- Returns those that were not there yet.
INSERT INTO operations_jobneed (
    job_id, parent_id, site_id, asset_id, assignee_person_id, assignee_group_id,
    planned_at, expires_at, status, closed_by_server, added_by_hand
)
SELECT
    job.id, planned.parent_id, job.site_id, job.asset_id, job.assignee_person_id, job.assignee_group_id,
    planned.planned_at, planned.expires_at, 'ASSIGNED', FALSE, FALSE
FROM
    unnest(%(job_ids)s::bigint[], %(parent_ids)s::bigint[], %(planned_ats)s::timestamptz[], %(expires_ats)s::timestamptz[])
    AS planned (job_id, parent_id, planned_at, expires_at)
JOIN operations_job AS job ON job.id = planned.job_id
ON CONFLICT (job_id, planned_at, parent_id) DO NOTHING
RETURNING id, job_id, parent_id, planned_at
