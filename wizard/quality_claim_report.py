from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..models.quality_claim_ledger import GROUPINGS
from ..reports.pages import Pages

# More pages than anybody reads; the spreadsheet has no such end.
MAX_PRINTED = 5000


class QualityClaimReport(models.TransientModel):
    """Asks which part of the claim ledger to print, export or add up."""

    _name = "quality.claim.report"
    _description = "Ledger Report"

    output = fields.Selection(
        selection=[
            ("pdf", "Ledger as PDF"),
            ("xlsx", "Ledger as spreadsheet"),
            ("balances", "Balances at a date, on the screen"),
            ("statement", "Customer's statement"),
        ],
        string="Format",
        required=True,
        default="pdf",
    )
    claim_ids = fields.Many2many(comodel_name="quality.claim", string="Claims")
    partner_id = fields.Many2one(comodel_name="res.partner", string="Customer")
    date_from = fields.Date(string="From")
    date_to = fields.Date(
        string="To",
        help="Balances are those of this day's evening.",
    )
    group_by = fields.Selection(GROUPINGS, required=True, default="claim_id")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        records = self.env.context.get("active_ids") or []
        model = self.env.context.get("active_model")
        if model == "quality.claim":
            values["claim_ids"] = records
        elif model == "res.partner":
            values["partner_id"] = records[0] if len(records) == 1 else False
        return values

    def action_apply(self):
        """Print, export or open what was asked for.

        :raise UserError: the dates are the wrong way round, or a field is missing
        """
        self.ensure_one()
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(self.env._("“From” is after “To”: exchange the two dates."))
        return getattr(self, f"_apply_{self.output}")()

    def _apply_pdf(self):
        count = self.env["quality.claim.entry"].search_count(
            self._get_domain(), limit=MAX_PRINTED + 1
        )
        if count > MAX_PRINTED:
            raise UserError(
                self.env._(
                    "More than %(max)s entries: narrow “From”, “To” or “Customer”, or "
                    "choose the spreadsheet as “Format”.",
                    max=MAX_PRINTED,
                )
            )
        report = self.env.ref("quality_resident.action_report_claim_ledger")
        return report.report_action(self)

    def _apply_xlsx(self):
        report = self.env.ref("quality_resident.action_report_claim_ledger_xlsx")
        return report.report_action(self)

    def _apply_balances(self):
        day = self.date_to or fields.Date.context_today(self)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_claim_entry_action_balances"
        )
        return {
            **action,
            "name": self.env._(
                "Balances as of %(day)s",
                day=fields.Date.to_string(day),
            ),
            "domain": list(self._get_domain() & Domain("date", "<=", day)),
            "context": {"group_by": [self.group_by]},
        }

    def _apply_statement(self):
        if not self.partner_id:
            raise UserError(
                self.env._("Choose the “Customer” whose statement it is to be.")
            )
        statements = self.env["quality.claim.statement"]
        values = {
            name: value
            for name, value in (
                ("date_from", self.date_from),
                ("date_to", self.date_to),
            )
            if value
        }
        statement = statements.create({"partner_id": self.partner_id.id, **values})
        return statement.get_formview_action()

    # === CONTENT === #

    def _get_domain(self):
        """Return which entries are asked for; record rules narrow it further."""
        self.ensure_one()
        domain = Domain("company_id", "in", self.env.companies.ids)
        if self.claim_ids:
            domain &= Domain("claim_id", "in", self.claim_ids.ids)
        if self.partner_id:
            domain &= Domain("partner_id", "child_of", self.partner_id.ids)
        # Balances count from the beginning.
        if self.date_from and self.output != "balances":
            domain &= Domain("date", ">=", self.date_from)
        if self.date_to:
            domain &= Domain("date", "<=", self.date_to)
        return domain

    def _get_choices(self):
        """Return ``[(label, text)]``: what the report is of."""
        self.ensure_one()
        everything = self.env._("All")
        texts = {
            "partner_id": self.partner_id.display_name or everything,
            "claim_ids": ", ".join(self.claim_ids.mapped("name")) or everything,
            "date_from": self._format_day(self.date_from),
            "date_to": self._format_day(self.date_to),
        }
        return [
            (self._fields[name]._description_string(self.env), text)
            for name, text in texts.items()
        ]

    def _format_day(self, day):
        return fields.Date.to_string(day) if day else "…"

    def _get_rows(self):
        """Yield the chosen entries as dicts: see ``quality.claim.entry``."""
        entries = self.env["quality.claim.entry"]
        names = list(entries._get_row_columns())
        for row in entries._iterate_rows(self._get_domain()):
            yield dict(zip(names, row, strict=True))

    def _get_totals(self):
        """Return the sums of the chosen entries.

        :return: dicts with balance (its label), currency, amount, company_currency and
            amount_company, in the order of currencies and balances
        """
        entries = self.env["quality.claim.entry"]
        labels = dict(entries._fields["balance"]._description_selection(self.env))
        order = list(labels)
        groups = entries._read_group(
            self._get_domain(),
            ["currency_id", "company_id", "balance"],
            ["amount:sum", "amount_company:sum"],
        )
        groups.sort(key=lambda g: (g[0].name, g[1].id, order.index(g[2])))
        return [
            {
                "balance": labels[balance],
                "currency": currency,
                "amount": amount,
                # Whoever sees the entries sees which currency they are kept in.
                "company_currency": company.sudo().currency_id,
                "amount_company": amount_company,
            }
            for currency, company, balance, amount, amount_company in groups
        ]

    def _get_tails(self):
        """Return the last chosen entry of each company: its hash stands for all before.

        :rtype: list of quality.claim.entry
        """
        entries = self.env["quality.claim.entry"]
        return [
            entries.search(
                self._get_domain() & Domain("company_id", "=", company.id),
                order="sequence desc",
                limit=1,
            )
            for (company,) in entries._read_group(self._get_domain(), ["company_id"])
        ]

    def _get_pages(self):
        """Return the printed report, cut into pages.

        :return: dict with ``parts`` of the table (see :class:`Pages`), ``totals``,
            ``tails``, and ``new_page``: whether the latter two begin a page
        """
        pages = Pages(44, 54)
        parts = pages.cut(
            self._get_rows(),
            lambda row: [
                [(row["claim"], 13), (row["notice_ref"], 12)],
                [(row["partner"], 24), (row["site"], 24)],
                [(row["product"], 21)],
                [(row["kind"], 12), (row["reversed"] and "x" * 30, 12)],
                [(row["user"], 9)],
                [(row["reason"], 11)],
            ],
        )
        totals, tails = self._get_totals(), self._get_tails()
        new_page = pages.needs_break(4 + 1.4 * len(totals) + 2 * len(tails))
        return {"parts": parts, "totals": totals, "tails": tails, "new_page": new_page}

    def _get_document_lang(self):
        """Return the language of the report: the reader's, unless asked for."""
        return self.env.context.get("document_lang") or self.env.lang

    def _get_document_name(self):
        """Return the file name of the report, without its ending."""
        self.ensure_one()
        return self.env._("Claim ledger %(day)s", day=fields.Date.context_today(self))

    def _compute_display_name(self):
        for wizard in self:
            wizard.display_name = wizard._get_document_name()
