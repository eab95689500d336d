-- The checklists of occurrences that have just been added: their jobs' lines.
INSERT INTO operations_checklistitem (jobneed_id, position, text, is_done)
SELECT jobneed.id, line.position, line.text, FALSE
FROM operations_jobneed AS jobneed
JOIN operations_job AS job ON job.id = jobneed.job_id
CROSS JOIN unnest(job.checklist) WITH ORDINALITY AS line (text, position)
WHERE jobneed.id = ANY(%(jobneed_ids)s)
