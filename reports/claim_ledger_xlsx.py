from datetime import timezone
from zoneinfo import ZoneInfo

from odoo import api, fields, models

# What a sheet holds below its heading.
MAX_ROWS = 1_048_575
MAX_TEXT = 32_767
# {column of a ledger row: (field that names it, width)}; None: see _get_labels.
COLUMNS = {
    "sequence": ("sequence", 8),
    "date": ("date", 11),
    "recorded_at": ("recorded_at", 17),
    "claim": ("claim_id", 16),
    "notice_ref": (None, 18),
    "site": ("site_id", 18),
    "partner": ("partner_id", 26),
    "product": ("product_id", 30),
    "vin": (None, 20),
    "kind": ("kind", 11),
    "balance": ("balance", 11),
    "currency": ("currency_id", 9),
    "amount": ("amount", 14),
    "amount_company": ("amount_company", 14),
    "open_after": ("open_after", 14),
    "user": ("user_id", 18),
    "reversed": ("reversal_of_id", 10),
    "reason": ("reason", 40),
    "hash": ("hash", 66),
}
# In which currency an amount is.
CURRENCIES = {
    "amount": "currency",
    "open_after": "currency",
    "amount_company": "company_currency",
}


class ReportClaimLedgerXlsx(models.AbstractModel):
    """The claim ledger as a spreadsheet of any length (spec.md L4).

    Rows go from a cursor of the database straight into the file: memory does not grow
    with them.
    """

    _name = "report.quality_resident.claim_ledger_xlsx"
    _description = "Claim Ledger Spreadsheet"
    _inherit = ["report.report_xlsx.abstract"]

    def get_workbook_options(self):
        return {
            **super().get_workbook_options(),
            "constant_memory": True,
            # What a customer typed is text, never a formula or a link.
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }

    def generate_xlsx_report(self, workbook, data, objs):
        """Write the entries chosen in the dialogue: totals first, then all rows.

        :param objs: one quality.claim.report
        """
        objs.ensure_one()
        self._write_summary(workbook, objs)
        self._write_ledger(workbook, objs)

    # === SUMMARY === #

    def _write_summary(self, workbook, wizard):
        sheet = workbook.add_worksheet(self.env._("Summary"))
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 4, 18)
        bold = workbook.add_format({"bold": True})
        lines = [
            *wizard._get_choices(),
            (self.env._("Printed on"), str(fields.Date.context_today(self))),
        ]
        sheet.write_string(0, 0, self.env._("Claim Ledger"), bold)
        row = 0
        for row, (label, text) in enumerate(lines, 1):
            sheet.write_string(row, 0, label)
            sheet.write_string(row, 1, text[:MAX_TEXT])
        labels = self._get_labels()
        row += 2
        for column, name in enumerate(("balance", "amount", "amount_company")):
            sheet.write_string(row, column, labels[name], bold)
        formats = {}
        for total in wizard._get_totals():
            row += 1
            sheet.write_string(row, 0, total["balance"])
            for column, name, currency in (
                (1, "amount", total["currency"]),
                (2, "amount_company", total["company_currency"]),
            ):
                style = self._get_amount_format(workbook, formats, currency)
                sheet.write_number(row, column, total[name], style)
        row += 1
        for entry in wizard._get_tails():
            row += 1
            sheet.write_string(row, 0, self.env._("Last entry and its hash"))
            sheet.write_number(row, 1, entry.sequence)
            sheet.write_string(row, 2, entry.hash)

    # === ROWS === #

    def _write_ledger(self, workbook, wizard):
        write = self._get_writers(workbook)
        sheet, line = None, MAX_ROWS
        for row in wizard._get_rows():
            if line == MAX_ROWS:
                self._close_sheet(sheet, line)
                sheet, line = self._add_sheet(workbook), 0
            line += 1
            for column, (name, writer) in enumerate(write):
                if (value := row[name]) is not None:
                    writer(sheet, line, column, value, row)
        self._close_sheet(sheet or self._add_sheet(workbook), line if sheet else 0)

    def _add_sheet(self, workbook):
        number = len(workbook.worksheets())
        name = self.env._("Ledger")
        sheet = workbook.add_worksheet(name if number == 1 else f"{name} {number}")
        labels = self._get_labels()
        bold = workbook.add_format({"bold": True, "bg_color": "#EEEEEE", "border": 1})
        for column, (name, (_field, width)) in enumerate(COLUMNS.items()):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, labels[name], bold)
        sheet.freeze_panes(1, 1)
        return sheet

    @api.model
    def _close_sheet(self, sheet, lines):
        if sheet:
            sheet.autofilter(0, 0, lines, len(COLUMNS) - 1)

    def _get_labels(self):
        entries = self.env["quality.claim.entry"]
        own = {
            "notice_ref": self.env["quality.claim"]._fields["notice_ref"],
            "vin": self.env["quality.claim.line"]._fields["vin"],
        }
        return {
            name: (entries._fields[field] if field else own[name])._description_string(
                self.env
            )
            for name, (field, _width) in COLUMNS.items()
        }

    def _get_writers(self, workbook):
        """Return ``[(column, function)]`` that write a value as what it is."""
        entries = self.env["quality.claim.entry"]
        zone = ZoneInfo(self.env.user.tz or "UTC")
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        formats = {}
        currencies = {c.id: c for c in self.env["res.currency"].search([])}

        def text(sheet, line, column, value, row):
            sheet.write_string(line, column, value[:MAX_TEXT])

        def number(sheet, line, column, value, row):
            sheet.write_number(line, column, value)

        def date(sheet, line, column, value, row):
            sheet.write_datetime(line, column, value, day)

        def datetime(sheet, line, column, value, row):
            local = value.replace(tzinfo=timezone.utc).astimezone(zone)
            sheet.write_datetime(line, column, local.replace(tzinfo=None), moment)

        def currency(sheet, line, column, value, row):
            sheet.write_string(line, column, currencies[value].name)

        def label(name):
            labels = dict(entries._fields[name]._description_selection(self.env))
            return lambda sheet, line, column, value, row: sheet.write_string(
                line, column, labels[value]
            )

        def amount(source):
            return lambda sheet, line, column, value, row: sheet.write_number(
                line,
                column,
                value,
                formats.get(row[source])
                or self._get_amount_format(workbook, formats, currencies[row[source]]),
            )

        special = {
            "sequence": number,
            "reversed": number,
            "date": date,
            "recorded_at": datetime,
            "currency": currency,
            "kind": label("kind"),
            "balance": label("balance"),
            **{name: amount(source) for name, source in CURRENCIES.items()},
        }
        return [(name, special.get(name, text)) for name in COLUMNS]

    @api.model
    def _get_amount_format(self, workbook, formats, currency):
        """Return the format of amounts in ``currency``, made once for a file."""
        if currency.id not in formats:
            digits = currency.decimal_places
            number = f"#,##0.{'0' * digits}" if digits else "#,##0"
            symbol = f'"{currency.symbol}"'
            pattern = (
                f"{symbol}{number}"
                if currency.position == "before"
                else f"{number} {symbol}"
            )
            formats[currency.id] = workbook.add_format({"num_format": pattern})
        return formats[currency.id]
