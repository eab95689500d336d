"""Ticket numbers: T-000001, T-000002, … for each tenant, each once."""

from django.db import connection

# One statement, whose row lock makes a second transaction of the tenant wait for the first one's end. A number
# whose transaction is rolled back is given again, so there are no gaps.
_TAKE = """
    INSERT INTO helpdesk_ticketcounter AS counter (tenant_id, last) VALUES (%s, %s)
    ON CONFLICT (tenant_id) DO UPDATE SET last = counter.last + EXCLUDED.last
    RETURNING last
"""


def take_number(tenant_id: int) -> str:
    """The next number of a tenant. Needs a transaction around it and the row that gets the number."""
    return take_numbers(tenant_id, 1)[0]


def take_numbers(tenant_id: int, count: int) -> list[str]:
    """`count` numbers in a row, for tickets that are written together."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [tenant_id, count])
        (last,) = cursor.fetchone()
    return [f"T-{number:06}" for number in range(last - count + 1, last + 1)]
