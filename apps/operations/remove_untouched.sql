-- Takes away those of these root occurrences, which are locked, that nobody has begun: with their checkpoints,
-- checklists and reminders. Read behind the lock, so that a line that was ticked meanwhile counts.
WITH family AS (
    SELECT id, coalesce(parent_id, id) AS root_id, status
    FROM operations_jobneed
    WHERE id = ANY(%(root_ids)s) OR parent_id = ANY(%(root_ids)s)
),
touched AS (
    SELECT root_id FROM family WHERE status <> 'ASSIGNED'
    UNION
    SELECT family.root_id
    FROM family
    JOIN operations_checklistitem AS item ON item.jobneed_id = family.id
    WHERE item.is_done
),
gone AS (
    SELECT id FROM family WHERE NOT EXISTS (SELECT FROM touched WHERE touched.root_id = family.root_id)
),
reminders AS (
    DELETE FROM operations_reminder WHERE jobneed_id IN (SELECT id FROM gone)
),
items AS (
    DELETE FROM operations_checklistitem WHERE jobneed_id IN (SELECT id FROM gone)
)
DELETE FROM operations_jobneed WHERE id IN (SELECT id FROM gone)
RETURNING parent_id
