-- What came to its end in the window, or was still waiting at its end: for each such cycle of a ticket what was agreed
-- on its first level, with the columns of apps/helpdesk/agreement.sql, how it ended and whether it was escalated.
WITH ticket AS (
    SELECT ticket.*, site.timezone
    FROM helpdesk_ticket AS ticket
    JOIN organization_site AS site ON site.id = ticket.site_id AND site.tenant_id = ticket.tenant_id
    WHERE ticket.tenant_id = %(tenant_id)s
        AND (%(site_id)s::bigint IS NULL OR ticket.site_id = %(site_id)s)
        AND ticket.created_at < %(until)s
), ended AS (
    SELECT change.ticket_id, change.cycle, max(change.at) AS at, TRUE AS is_resolved
    FROM helpdesk_tickethistory AS change
    JOIN ticket ON ticket.id = change.ticket_id
    WHERE change.action = 'RESOLVE' AND change.at >= %(since)s AND change.at < %(until)s
    GROUP BY change.ticket_id, change.cycle
    UNION ALL
    SELECT ticket.id, latest.cycle, %(until)s, FALSE
    FROM ticket
    CROSS JOIN LATERAL (
        SELECT change.status, change.cycle
        FROM helpdesk_tickethistory AS change
        WHERE change.ticket_id = ticket.id AND change.at < %(until)s
        ORDER BY change.id DESC
        LIMIT 1
    ) AS latest
    WHERE latest.status = ANY(%(not_done)s)
)
SELECT
    ticket.priority,
    ended.is_resolved,
    ended.at AS ended_at,
    EXISTS (
        SELECT FROM helpdesk_tickethistory AS change
        WHERE change.ticket_id = ticket.id
            AND change.cycle = ended.cycle
            AND change.action = 'ESCALATE'
            AND change.at <= ended.at
    ) AS was_escalated,
    began.at AS counted_from,
    rule.id AS rule_id,
    rule.after,
    rule.assign_person_id,
    rule.assign_group_id,
    ticket.timezone,
    policy.opens_at,
    policy.closes_at,
    policy.weekdays,
    holidays.single AS holidays,
    holidays.yearly AS yearly_holidays,
    holds.begins AS hold_begins,
    holds.ends AS hold_ends
FROM ended
JOIN ticket ON ticket.id = ended.ticket_id
CROSS JOIN LATERAL (
    SELECT min(change.at) AS at
    FROM helpdesk_tickethistory AS change
    WHERE change.ticket_id = ticket.id AND change.cycle = ended.cycle
) AS began
LEFT JOIN LATERAL (
    SELECT *
    FROM helpdesk_escalationrule AS candidate
    WHERE candidate.tenant_id = ticket.tenant_id
        AND candidate.category = ticket.category
        AND candidate.level = 1
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
    SELECT array_agg(hold.begins) AS begins, array_agg(hold.ends) AS ends
    FROM (
        SELECT change.held_from AS begins, change.at AS ends
        FROM helpdesk_tickethistory AS change
        WHERE change.ticket_id = ticket.id AND change.held_from < ended.at AND change.at > began.at
        UNION ALL
        SELECT ticket.on_hold_since, ended.at WHERE ticket.on_hold_since < ended.at
    ) AS hold
) AS holds ON TRUE
