import base64
import io

import xlsxwriter

from odoo import models
from odoo.fields import Command

from ..models.quality_claim_import_column import LABELLED
from .quality_claim_import_values import MAX_TEXT, show

# The dialogue lists so many problems; the spreadsheet of them has them all.
LISTED = 500
PREVIEWED = 5


class QualityClaimImport(models.TransientModel):
    """What the user sees of a check: problems, the first rows, a list to take away."""

    _inherit = "quality.claim.import"

    def _note_problems(self, rows, columns, vals_list, problems, skipped):
        if not rows:
            message = self.env._("No rows below the headings.")
            problems.append((self.header_row, "", "", message, False))
        # Errors first, then in the order of the sheet.
        problems.sort(key=lambda problem: (problem[4], problem[0]))
        errors = sum(not problem[4] for problem in problems)
        self.write(
            {
                "state": "check",
                "row_count": len(rows),
                "skipped_count": skipped,
                "error_count": errors,
                "warning_count": len(problems) - errors,
                "problem_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                "row_number": number,
                                "heading": heading,
                                "value": str(value)[:MAX_TEXT],
                                "message": message,
                                "is_warning": is_warning,
                            }
                        )
                        for number, heading, value, message, is_warning in problems[
                            :LISTED
                        ]
                    ),
                ],
                "preview": self._render_preview(rows, columns, vals_list),
                "problem_file": self._make_problem_file(rows, problems),
            }
        )

    def _render_preview(self, rows, columns, vals_list):
        """Return the first rows as they would be imported."""
        lines = self.env["quality.claim.line"]
        names = [*filter(None, map(LABELLED.get, columns))]
        if "customer_serial" not in names and "lot_id" in names:
            names.insert(names.index("lot_id") + 1, "customer_serial")
        names = [name for name in names if name != "currency_id"]
        if "body" in columns and "vin" not in names:
            names.append("vin")
        preview = []
        for (number, _cells), vals in zip(
            rows[:PREVIEWED], vals_list[:PREVIEWED], strict=True
        ):
            cells = []
            for name in names:
                value = vals.get(name)
                if value and lines._fields[name].relational:
                    value = lines.env[lines._fields[name].comodel_name].browse(value)
                    value = value.display_name
                cells.append("" if value is None else value)
            preview.append((number, cells))
        return self.env["ir.qweb"]._render(
            "quality_resident.quality_claim_import_preview",
            {
                "labels": [
                    lines._fields[name]._description_string(self.env) for name in names
                ],
                "rows": preview,
            },
        )

    def _make_problem_file(self, rows, problems):
        """Return the .xlsx of all problems beside the rows that they are in.

        Everything is written as text: what a customer wrote is never a formula here.
        """
        if not problems:
            return False
        labels = self.env["quality.claim.import.problem"]._fields
        headings = ["row_number", "heading", "value", "message", "is_warning"]
        by_number = dict(rows)
        stream = io.BytesIO()
        book = xlsxwriter.Workbook(stream, {"in_memory": True})
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        titles = [labels[name]._description_string(self.env) for name in headings]
        first = len(titles)
        for column, title in enumerate(titles):
            sheet.write_string(0, column, title, bold)
        for column in self.column_ids:
            sheet.write_string(0, first + column.position, column.heading, bold)
        for line, (number, *texts, is_warning) in enumerate(problems, 1):
            sheet.write_number(line, 0, number)
            for column, text in enumerate(texts, 1):
                sheet.write_string(line, column, str(text))
            sheet.write_boolean(line, first - 1, is_warning)
            for column, cell in enumerate(by_number.get(number, ())):
                if cell is not None:
                    sheet.write_string(line, first + column, show(cell))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(problems), first - 1)
        sheet.set_column(1, 2, 20)
        sheet.set_column(3, 3, 60)
        book.close()
        return base64.b64encode(stream.getvalue())
