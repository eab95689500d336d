-- What was agreed on each waiting ticket of an active tenant, as it now stands: the rule of its next level (a site's
-- before the tenant's), the hours in which its time counts, and its holds since that time began.
SELECT
    ticket.id AS ticket_id,
    clock.counted_from,
    rule.id AS rule_id,
    rule.after,
    rule.assign_person_id,
    rule.assign_group_id,
    site.timezone,
    policy.opens_at,
    policy.closes_at,
    policy.weekdays,
    holidays.single AS holidays,
    holidays.yearly AS yearly_holidays,
    holds.begins AS hold_begins,
    holds.ends AS hold_ends
FROM helpdesk_ticket AS ticket
JOIN organization_tenant AS tenant ON tenant.id = ticket.tenant_id AND tenant.is_active
JOIN organization_site AS site ON site.id = ticket.site_id
CROSS JOIN LATERAL (
    SELECT coalesce(ticket.last_escalated_at, ticket.cycle_started_at) AS counted_from
) AS clock
LEFT JOIN LATERAL (
    SELECT *
    FROM helpdesk_escalationrule AS candidate
    WHERE candidate.tenant_id = ticket.tenant_id
        AND candidate.category = ticket.category
        AND candidate.level = ticket.level + 1
        AND (candidate.site_id = ticket.site_id OR candidate.site_id IS NULL)
    ORDER BY candidate.site_id NULLS LAST
    LIMIT 1
) AS rule ON TRUE
LEFT JOIN helpdesk_slapolicy AS policy
    ON policy.tenant_id = ticket.tenant_id AND policy.priority = ticket.priority AND policy.is_active
LEFT JOIN LATERAL (
    SELECT
        array_agg(day.date) FILTER (WHERE NOT day.recurring) AS single,
        array_agg(day.date) FILTER (WHERE day.recurring) AS yearly
    FROM organization_holiday AS day
    WHERE policy.skip_holidays
        AND day.tenant_id = ticket.tenant_id
        AND (day.site_id = ticket.site_id OR day.site_id IS NULL)
) AS holidays ON TRUE
LEFT JOIN LATERAL (
    SELECT array_agg(change.held_from) AS begins, array_agg(change.at) AS ends
    FROM helpdesk_tickethistory AS change
    WHERE change.ticket_id = ticket.id AND change.held_from IS NOT NULL AND change.at > clock.counted_from
) AS holds ON TRUE
WHERE ticket.status = ANY(%(waiting)s)
