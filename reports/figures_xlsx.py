from odoo import models

from ..models.quality_figure import RATIOS, SUMS


class ReportFiguresXlsx(models.AbstractModel):
    """Figures by site and month, as numbers and dates (spec.md Q5)."""

    _name = "report.quality_resident.figures_xlsx"
    _description = "Figures as a Spreadsheet"
    _inherit = ["report.report_xlsx.abstract"]

    def generate_xlsx_report(self, workbook, data, objs):
        """Write one row for each site and month, the whole below them.

        :param dict data: ``domain`` of the facts; the reader's own rules narrow it
        """
        facts = self.env["quality.figure"]
        rows, total = facts._get_export((data or {}).get("domain") or [])
        sheet = workbook.add_worksheet(self.env._("Figures"))
        bold = workbook.add_format({"bold": True, "bg_color": "#EEEEEE", "border": 1})
        month_format = workbook.add_format({"num_format": "yyyy-mm", "align": "left"})
        measures = (*SUMS, *RATIOS)
        heads = ("site_id", "partner_id", "month", *measures)
        for column, name in enumerate(heads):
            label = facts._fields[name]._description_string(self.env)
            sheet.write_string(0, column, label, bold)
        sheet.set_column(0, 1, 24)
        sheet.set_column(2, len(heads) - 1, 13)
        sheet.freeze_panes(1, 3)
        for line, ((site, month), values) in enumerate(rows, start=1):
            sheet.write_string(line, 0, site.name or "")
            sheet.write_string(line, 1, site.partner_id.display_name or "")
            sheet.write_datetime(line, 2, month, month_format)
            self._write_measures(sheet, line, measures, values)
        sheet.autofilter(0, 0, max(len(rows), 1), len(heads) - 1)
        currencies = {site.company_id.currency_id for (site, _month), _row in rows}
        if rows:
            sheet.write_string(len(rows) + 1, 0, self.env._("Total"), bold)
            # Amounts of several currencies have no sum.
            sums = {
                name: value
                for name, value in total.items()
                if len(currencies) == 1 or not self._is_money(name)
            }
            self._write_measures(sheet, len(rows) + 1, measures, sums)

    def _is_money(self, name):
        return name == "cost_per_thousand" or name.startswith(("amount_", "scrap_"))

    def _write_measures(self, sheet, line, measures, values):
        for column, name in enumerate(measures, start=3):
            # What cannot be told is an empty cell, not 0.
            if (value := values.get(name)) is not None:
                sheet.write_number(line, column, value)
