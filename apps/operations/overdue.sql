-- An open root occurrence that has expired, with all that decides how it is closed and what follows; locked, unless
-- another transaction has it.
SELECT
    jobneed.id AS jobneed_id,
    jobneed.status,
    jobneed.planned_at,
    jobneed.asset_id,
    jobneed.assignee_person_id,
    jobneed.assignee_group_id,
    job.name,
    job.category,
    job.priority,
    job.on_expiry,
    site.id AS site_id,
    site.tenant_id,
    site.timezone,
    site.in_charge,
    ARRAY(
        SELECT checkpoint.status FROM operations_jobneed AS checkpoint WHERE checkpoint.parent_id = jobneed.id
    ) AS checkpoints,
    ARRAY(
        SELECT item.is_done FROM operations_checklistitem AS item WHERE item.jobneed_id = jobneed.id
    ) AS checklist,
    ARRAY(
        SELECT admin.email
        FROM organization_person AS admin
        WHERE admin.tenant_id = site.tenant_id AND admin.is_active AND admin.is_tenant_admin
    ) AS admin_emails
FROM operations_jobneed AS jobneed
JOIN operations_job AS job ON job.id = jobneed.job_id
JOIN organization_site AS site ON site.id = jobneed.site_id
WHERE jobneed.id = %(jobneed_id)s
    AND jobneed.parent_id IS NULL
    AND jobneed.status = ANY(%(open)s)
    AND jobneed.expires_at <= %(now)s
FOR UPDATE OF jobneed SKIP LOCKED
