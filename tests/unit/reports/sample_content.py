"""Contents of reports for tests, and one row that has every kind of cell."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from apps.reports.content import Chart, Column, Content, Row

COLUMNS = (
    Column(heading="Site"),
    Column(heading="Tickets", kind="integer"),
    Column(heading="Cost", kind="decimal"),
    Column(heading="In time", kind="percent"),
    Column(heading="Took", kind="minutes"),
    Column(heading="Day", kind="date"),
    Column(heading="Raised", kind="moment"),
)
FULL: Row = (
    "Łódź",
    -1234,
    Decimal("-1234.50"),
    0.25,
    125,
    date(2026, 11, 23),
    datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
)
NOTHING: Row = (None,) * 7
CHART = Chart(title="By priority", labels=("HIGH", "LOW"), series=(("In time", (30.0, 20.0)), ("Late", (5.0, 0.0))))
BEFORE_BACK = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, and an hour later again

# Any text that Python can hold, and those that have broken files before.
EVIL = (
    "=1+1",
    "  =cmd|' /C calc'!A0",
    '"=1+1"',
    "+49 30 1234",
    "-5",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "a;=1",
    "\uff1d1",
    "\ufeff=1",
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "</td></table>",
    "<!-- rows -->",
    "<img src=file:///etc/passwd>",
    "&amp; &lt;",
    "{{ title }}{% now 'Y' %}",
    "' \" ` \\",
    "]]>",
    "_x0041_",
    "\u202eevil\u202c",
    "שלום עולם",
    "नमस्ते",
    "名前",
    "👩\u200d🚒",
    "nul\x00 bell\x07 delete\x7f",
    "\ud800 alone",
    "\ufffe\uffff",
    "two\nlines\r\nthree",
    "word" * 2_500,
    "many words " * 1_000,
    "",
    " ",
)
any_text = st.one_of(
    st.sampled_from(EVIL),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=40),
    st.builds("".join, st.lists(st.sampled_from([*"=+-@;,\t\r\n'\" a1", "\u200b"]), max_size=12)),
)


def content(cells: Sequence[Row] = (), /, **changes: Any) -> Content:
    made = Content(
        title="Weekly tickets",
        type_name="Ticket SLA",
        facts=(("Window", "Mon 16 Nov 2026 to Mon 23 Nov 2026"), ("Site", "Łódź & Söhne")),
        zone=ZoneInfo("Asia/Kolkata"),
        columns=COLUMNS,
        row_count=len(cells),
        rows=lambda: iter(cells),
        chart=CHART,
        totals=(("Tickets", "57"),),
    )
    return replace(made, **changes)


def texts(*cells: str) -> Content:
    """A content whose only column holds `cells`."""
    return content([(cell,) for cell in cells], columns=(Column(heading="Text"),), chart=None)


def all_over(text: str) -> Content:
    """A content that says `text` in every place that takes one."""
    return content(
        [(text, text)],
        title=text,
        type_name=text,
        facts=((text, text),),
        totals=((text, text),),
        columns=(Column(heading=text), Column(heading=text, kind="integer")),
        chart=Chart(title=text, labels=(text,), series=((text, (1.0,)),), unit=text[:5]),
    )
