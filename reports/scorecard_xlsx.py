import re

from dateutil.relativedelta import relativedelta

from odoo import models

from ..models.optional_float import OptionalFloat

COLUMNS = (
    "month",
    "forecast_rating",
    "customer_rating",
    "score",
    "delivered_qty",
    "bad_qty",
    "suspect_qty",
    "ppm",
    "ppm_provisional",
    "customer_ppm",
    "complaint_count",
    "critical_count",
    "major_count",
    "minor_count",
    "recurrence_count",
    "line_stop_minutes",
    "arrival_rate",
    "feedback_rate",
    "answer_rate",
    "handling_rate",
    "claim_amount",
    "claim_accepted",
)
FORMATS = {"date": "yyyy-mm", "monetary": "#,##0.00"}
MONTH, SCORE, PPM, CUSTOMER_PPM = (
    COLUMNS.index(name) for name in ("month", "score", "ppm", "customer_ppm")
)
# What a spreadsheet does not take in the name of a sheet.
FORBIDDEN = r"[\[\]:*?/\\]"


class ReportScorecardXlsx(models.AbstractModel):
    """A sheet for each site: its last months, and a chart of them."""

    _name = "report.quality_resident.scorecard_xlsx"
    _description = "Scorecards as a Spreadsheet"
    _inherit = "report.report_xlsx.abstract"

    def _get_objs_for_report(self, docids, data):
        # What is printed here are scorecards, whatever the client's context says.
        return self.env["quality.scorecard"].browse(
            docids or self.env.context.get("active_ids", [])
        )

    def generate_xlsx_report(self, workbook, data, objs):
        for site, cards in objs.sorted("month").grouped("site_id").items():
            first = min(cards[0].month, cards[-1].month - relativedelta(months=11))
            history = cards[-1]._get_history(first)
            sheet = workbook.add_worksheet(re.sub(FORBIDDEN, "-", site.code)[:31])
            self._write_table(workbook, sheet, history)
            self._add_chart(workbook, sheet, history)

    def _write_table(self, workbook, sheet, cards):
        head = workbook.add_format(
            {"bold": True, "bg_color": "#f1f3f4", "border": 1, "text_wrap": True}
        )
        formats = {
            kind: workbook.add_format({"num_format": pattern})
            for kind, pattern in FORMATS.items()
        }
        numbers = {
            digits: workbook.add_format({"num_format": pattern})
            for digits, pattern in (
                (0, "#,##0"),
                (1, "#,##0.0"),
                (2, "#,##0.##"),
            )
        }
        sheet.freeze_panes(1, 1)
        sheet.set_row(0, 32)
        sheet.set_column(0, len(COLUMNS) - 1, 12)
        for column, name in enumerate(COLUMNS):
            field = cards._fields[name]
            sheet.write_string(0, column, field._description_string(self.env), head)
            for row, card in enumerate(cards, start=1):
                value = card[name]
                if field.type == "date":
                    sheet.write_datetime(row, column, value, formats["date"])
                elif field.type == "selection":
                    sheet.write_string(row, column, value or "")
                elif field.type == "monetary":
                    sheet.write_number(row, column, value, formats["monetary"])
                elif value is False and isinstance(field, OptionalFloat):
                    sheet.write_blank(row, column, None)
                else:
                    digits = (
                        (field.get_digits(self.env) or (0, 1))[1]
                        if field.type == "float"
                        else 0
                    )
                    sheet.write_number(row, column, value, numbers[min(digits, 2)])

    def _add_chart(self, workbook, sheet, cards):
        """Put the spreadsheet's own chart below: PPM as bars, score as a line."""
        last = len(cards)
        months = [sheet.name, 1, MONTH, last, MONTH]

        def get_series(column):
            return {
                "name": [sheet.name, 0, column],
                "categories": months,
                "values": [sheet.name, 1, column, last, column],
            }

        bars = workbook.add_chart({"type": "column"})
        for column, color in ((PPM, "#1f4e79"), (CUSTOMER_PPM, "#d48806")):
            bars.add_series({**get_series(column), "fill": {"color": color}})
        line = workbook.add_chart({"type": "line"})
        line.add_series(
            {
                **get_series(SCORE),
                "y2_axis": True,
                "line": {"color": "#5f6368"},
                "marker": {"type": "circle"},
            }
        )
        bars.combine(line)
        bars.set_title({"name": cards[-1:].site_id.name})
        bars.set_x_axis({"num_format": "yyyy-mm"})
        bars.set_y_axis({"name": cards._get_label("ppm"), "min": 0})
        line.set_y2_axis({"name": cards._get_label("score"), "min": 0, "max": 100})
        bars.set_size({"width": 900, "height": 360})
        sheet.insert_chart(last + 2, 0, bars)
