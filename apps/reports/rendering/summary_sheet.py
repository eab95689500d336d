"""The first sheet of a workbook: title, facts, sums, and the chart with the numbers that it draws."""

from typing import Any, Final

from apps.reports.content import Chart, Content

from .cells import known
from .palette import fill
from .sheet_text import cell_text

NAME: Final = "Report"
_CHART_COLUMN: Final = 3  # right of facts and numbers


def write_summary(workbook: Any, content: Content) -> None:
    sheet = workbook.add_worksheet(NAME)
    title = workbook.add_format({"bold": True, "font_size": 18, "font_color": "#1F5F99"})
    faint = workbook.add_format({"font_color": "#5B6675", "valign": "top"})
    text = workbook.add_format({"quote_prefix": True, "text_wrap": True, "valign": "top"})
    strong = workbook.add_format({"bold": True, "quote_prefix": True, "text_wrap": True, "valign": "top"})
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 44)
    sheet.set_column(2, 2, 14)
    sheet.write_string(0, 0, cell_text(content.type_name), faint)
    sheet.write_string(1, 0, cell_text(content.title), title)
    row = 3
    for pairs, value_format in ((content.facts, text), (content.totals, strong)):
        for name, value in pairs:
            sheet.write_string(row, 0, cell_text(name), faint)
            sheet.write_string(row, 1, cell_text(value), value_format)
            row += 1
        row += bool(pairs)
    if not content.row_count:
        sheet.write_string(row, 0, "Nothing to report in this window.", strong)
        row += 2
    if content.chart and content.chart.labels and content.chart.series:
        _write_chart(workbook, sheet, content.chart, row)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _write_chart(workbook: Any, sheet: Any, chart: Chart, row: int) -> None:
    bold = workbook.add_format({"bold": True, "text_wrap": True, "bottom": 1})
    text = workbook.add_format({"quote_prefix": True})
    unit = f" ({chart.unit})" if chart.unit else ""
    sheet.write_string(row, 0, cell_text(chart.title), bold)
    for position, (name, _) in enumerate(chart.series, start=1):
        sheet.write_string(row, position, cell_text(name + unit), bold)
    for number, label in enumerate(chart.labels):
        sheet.write_string(row + 1 + number, 0, cell_text(label), text)
        for position, (_, values) in enumerate(chart.series, start=1):
            if (value := known(values[number])) is not None:
                sheet.write_number(row + 1 + number, position, value)
    sheet.insert_chart(2, max(_CHART_COLUMN, len(chart.series) + 2), _drawn(workbook, chart, row))


def _drawn(workbook: Any, chart: Chart, row: int) -> Any:
    first, last = row + 1, row + len(chart.labels)
    stacked = {"subtype": "stacked"} if len(chart.series) > 1 else {}
    drawn = workbook.add_chart({"type": "bar", **stacked})
    for position in range(1, len(chart.series) + 1):
        drawn.add_series(
            {
                "name": [NAME, row, position],
                "categories": [NAME, first, 0, last, 0],
                "values": [NAME, first, position, last, position],
                "fill": {"color": fill(position - 1)},
                "gap": 50,
            }
        )
    drawn.set_title({"name": [NAME, row, 0], "name_font": {"size": 12}})
    drawn.set_y_axis({"reverse": True})  # the first label on top
    drawn.set_x_axis(
        {"name": cell_text(chart.unit), "major_gridlines": {"visible": True, "line": {"color": "#D7DDE4"}}}
    )
    drawn.set_legend({"position": "bottom"})
    drawn.set_size({"width": 640, "height": 160 + 24 * min(len(chart.labels), 40)})
    return drawn
