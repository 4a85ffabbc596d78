from odoo import fields, models

CHART_TYPES = {"bars": "column", "lines": "line", "pareto": "column"}
# Rows of a sheet that a chart covers.
CHART_ROWS = 18


class ResidentReportXlsx(models.AbstractModel):
    """A report as a workbook: its tables with real numbers and dates, its charts.

    As compiled; what the resident wrote into the text is in the document.
    """

    _name = "report.quality_resident.report_resident_report_xlsx"
    _inherit = "report.report_xlsx.abstract"
    _description = "Report as a Workbook"

    def get_workbook_options(self):
        # A text of the customer's is no formula, in a table or below a chart.
        return {**super().get_workbook_options(), "strings_to_formulas": False}

    def generate_xlsx_report(self, workbook, data, objs):
        head = workbook.add_format({"bold": True, "bg_color": "#F1F3F4", "border": 1})
        day = workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        for report in objs:
            report = report.with_context(lang=report.lang)
            facts = report.data or {}
            name = report.display_name
            tables = workbook.add_worksheet(self._get_sheet_name(workbook, name))
            tables.set_column(0, 0, 36)
            tables.set_column(1, 8, 16)
            tables.write(0, 0, name, workbook.add_format({"bold": True}))
            row = 2
            for section in facts.get("sections", []):
                tables.write(row, 0, section["title"], head)
                tables.write_row(row + 1, 0, section["head"], head)
                for number, cells in enumerate(section["rows"], start=row + 2):
                    self._write_cells(tables, number, cells, day)
                row += len(section["rows"]) + 3
            if facts.get("charts"):
                self._add_charts(workbook, name, facts["charts"], head)

    def _get_sheet_name(self, workbook, name):
        """Return a name that Excel takes: short, unique, without its own signs."""
        plain = "".join(char for char in name if char not in "[]:*?/\\'")
        return f"{len(workbook.worksheets()) + 1} {plain}"[:31]

    def _write_cells(self, sheet, row, cells, day):
        for column, cell in enumerate(cells):
            if isinstance(cell, dict):
                sheet.write_datetime(
                    row, column, fields.Datetime.to_datetime(cell["date"]), day
                )
            elif cell is not None:
                sheet.write(row, column, cell)

    def _add_charts(self, workbook, name, charts, head):
        """Write each chart's numbers, and draw it beside them."""
        sheet = workbook.add_worksheet(self._get_sheet_name(workbook, name))
        top = 0
        for chart in charts:
            labels, series = chart["args"][0], chart["args"][1]
            if chart["draw"] == "pareto":
                series = [(chart["args"][2][0], series)]
            sheet.write(top, 0, chart["title"], head)
            sheet.write_row(top + 1, 1, [label for label, _values in series], head)
            sheet.write_column(top + 2, 0, labels)
            drawn = workbook.add_chart(
                {
                    "type": CHART_TYPES[chart["draw"]],
                    **(
                        {"subtype": "stacked"}
                        if chart["options"].get("stacked")
                        else {}
                    ),
                }
            )
            last = top + 1 + len(labels)
            for column, (_label, values) in enumerate(series, start=1):
                # A value that is not known is an empty cell: None.
                sheet.write_column(top + 2, column, values)
                drawn.add_series(
                    {
                        "name": [sheet.name, top + 1, column],
                        "categories": [sheet.name, top + 2, 0, last, 0],
                        "values": [sheet.name, top + 2, column, last, column],
                    }
                )
            drawn.set_title({"name": chart["title"]})
            sheet.insert_chart(top, len(series) + 2, drawn)
            top = max(last + 2, top + CHART_ROWS)
