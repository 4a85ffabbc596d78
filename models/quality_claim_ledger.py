from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .quality_claim_entry import BALANCES

# What is undecided: claimed, neither accepted nor refused.
OPEN = {"claimed": 1, "accepted": -1, "refused": -1}
# {measure: {balance: sign}}; amounts in the company's currency, which add up.
MEASURES = {
    **{f"{balance}_company": {balance: 1} for balance, _label in BALANCES},
    "open_company": OPEN,
}
GROUPINGS = [
    ("claim_id", "Claim"),
    ("partner_id", "Customer"),
    ("product_id", "Part"),
    ("site_id", "Site"),
    ("date:month", "Month"),
]
FETCH = 2000


class QualityClaimEntry(models.Model):
    """What the ledger adds up to: after an entry, on a day, over its rows (L4)."""

    _inherit = "quality.claim.entry"

    balance_after = fields.Monetary(
        compute="_compute_after",
        help="The claim's balance that this entry changes, after it.",
    )
    open_after = fields.Monetary(
        string="Undecided after",
        compute="_compute_after",
        help="What of the claim is neither accepted nor refused after this entry.",
    )
    customer_open_after = fields.Monetary(
        string="Customer's Undecided after",
        compute="_compute_customer_open_after",
        compute_sudo=False,
        currency_field="company_currency_id",
        help="What is undecided of all claims of this customer that you may see, in "
        "the company's currency.",
    )
    # One for each balance, so that a list or pivot shows them side by side.
    claimed_company = fields.Monetary(
        string="Claimed",
        compute="_compute_measures",
        currency_field="company_currency_id",
    )
    accepted_company = fields.Monetary(
        string="Accepted",
        compute="_compute_measures",
        currency_field="company_currency_id",
    )
    refused_company = fields.Monetary(
        string="Refused",
        compute="_compute_measures",
        currency_field="company_currency_id",
    )
    credited_company = fields.Monetary(
        string="Credited",
        compute="_compute_measures",
        currency_field="company_currency_id",
    )
    paid_company = fields.Monetary(
        string="Paid",
        compute="_compute_measures",
        currency_field="company_currency_id",
    )
    open_company = fields.Monetary(
        string="Undecided",
        compute="_compute_measures",
        currency_field="company_currency_id",
    )

    # === COMPUTE METHODS === #

    def _compute_after(self):
        rows = self.env.execute_query(
            SQL(
                "SELECT id, balance_after, open_after FROM (%s) ledger WHERE id IN %s",
                self._get_running_sql(SQL("%s", tuple(self.claim_id.ids) or (0,))),
                tuple(self.ids) or (0,),
            )
        )
        after = {entry_id: amounts for entry_id, *amounts in rows}
        for entry in self:
            entry.balance_after, entry.open_after = after.get(entry.id, (0, 0))

    @api.model
    def _get_running_sql(self, claims):
        """Return the query of id, balance_after and open_after of whole claims.

        It runs over all entries of a claim: what a list or report leaves out counts.

        :param SQL claims: the claims' ids, as a list or as a query
        """
        return SQL(
            """SELECT id,
                SUM(amount) OVER (
                    PARTITION BY claim_id, balance ORDER BY sequence
                ) AS balance_after,
                SUM(%s) OVER (
                    PARTITION BY claim_id ORDER BY sequence
                ) AS open_after
            FROM quality_claim_entry WHERE claim_id IN %s""",
            self._get_signed_sql(OPEN, SQL("balance"), SQL("amount")),
            claims,
        )

    @api.model
    def _get_signed_sql(self, signs, balance, amount):
        """Return ``amount`` with the sign that its balance has in ``signs``, else 0."""
        return SQL(
            "CASE %s %s ELSE 0 END",
            balance,
            SQL(" ").join(
                SQL("WHEN %s THEN %s * %s", name, sign, amount)
                for name, sign in signs.items()
            ),
        )

    def _compute_customer_open_after(self):
        query = self._search([("partner_id", "in", self.partner_id.ids)])
        rows = self.env.execute_query(
            SQL(
                """SELECT id, open_after FROM (
                    SELECT entry.id, SUM(%s) OVER (
                        PARTITION BY entry.company_id, claim.partner_id
                        ORDER BY entry.sequence
                    ) AS open_after
                    FROM quality_claim_entry entry
                    JOIN quality_claim claim ON claim.id = entry.claim_id
                    WHERE entry.id IN %s
                ) ledger WHERE id IN %s""",
                self._get_signed_sql(
                    OPEN, SQL("entry.balance"), SQL("entry.amount_company")
                ),
                query.subselect(),
                tuple(self.ids) or (0,),
            )
        )
        after = dict(rows)
        for entry in self:
            entry.customer_open_after = after.get(entry.id, 0)

    @api.depends("balance", "amount_company")
    def _compute_measures(self):
        for entry in self:
            for name, signs in MEASURES.items():
                entry[name] = signs.get(entry.balance, 0) * entry.amount_company

    def _field_to_sql(self, alias, field_expr, query=None):
        # Sums of the measures come from the database: groups, pivots, graphs.
        if field_expr in MEASURES:
            return self._get_signed_sql(
                MEASURES[field_expr],
                super()._field_to_sql(alias, "balance", query),
                super()._field_to_sql(alias, "amount_company", query),
            )
        return super()._field_to_sql(alias, field_expr, query)

    # === BALANCES AT A DATE === #

    @api.model
    @api.readonly
    def get_balances_at(self, date, by="claim_id", domain=()):
        """Return the balances as they stood in the evening of ``date``.

        They are sums of the entries up to that day that the user may see: what was
        entered or corrected later has not happened yet. One query whatever the rows.

        :param date: a day, as date or ``YYYY-MM-DD``
        :param str by: claim_id, partner_id, product_id, site_id or date:month
        :param domain: further conditions on the entries
        :return: one dict for each group and company, in the order of the groups: ``by``
            (id, False, or first day of the month), ``name``, ``company_id``, and in the
            company's currency the measures claimed_company, accepted_company,
            refused_company, paid_company, open_company
        :rtype: list of dict
        :raise UserError: ``by`` is no such grouping
        """
        if by not in dict(GROUPINGS):
            raise UserError(
                self.env._(
                    "“%(by)s” is no grouping of the ledger: choose one of %(all)s.",
                    by=by,
                    all=", ".join(dict(GROUPINGS)),
                )
            )
        groups = self._read_group(
            Domain(list(domain)) & Domain("date", "<=", fields.Date.to_date(date)),
            [by, "company_id"],
            [f"{name}:sum" for name in MEASURES],
        )
        return [
            {
                "by": key.id if isinstance(key, models.BaseModel) else str(key),
                # The name of a customer or part may be said to who sees its entries.
                "name": key.sudo().display_name
                if isinstance(key, models.BaseModel)
                else str(key),
                "company_id": company.id,
                **dict(zip(MEASURES, sums, strict=True)),
            }
            for key, company, *sums in groups
        ]

    # === ROWS FOR DOCUMENTS === #

    @api.model
    def _iterate_rows(self, domain):
        """Yield the ledger's rows that the user may see, however many.

        They come from a cursor on the database's side: memory holds FETCH of them.

        :param domain: which entries
        :return: tuples as :meth:`_get_row_columns` names them, by company and number
        """
        cursor = SQL.identifier("quality_claim_ledger_rows")
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "DECLARE %s NO SCROLL CURSOR FOR %s", cursor, self._get_rows_sql(domain)
            )
        )
        try:
            while True:
                self.env.cr.execute(SQL("FETCH %s FROM %s", FETCH, cursor))
                rows = self.env.cr.fetchall()
                yield from rows
                if len(rows) < FETCH:
                    break
        finally:
            self.env.cr.execute(SQL("CLOSE %s", cursor))

    @api.model
    def _get_row_columns(self):
        """Return ``{name of a row's column: its SQL}``."""
        product, site = self.env["product.template"], self.env["resident.site"]
        return {
            "sequence": SQL("e.sequence"),
            "date": SQL("e.date"),
            "recorded_at": SQL("e.recorded_at"),
            "claim": SQL("claim.name"),
            "notice_ref": SQL("claim.notice_ref"),
            "site": site._field_to_sql("site", "name"),
            "partner": SQL("partner.complete_name"),
            "product": SQL(
                "CONCAT('[' || product.default_code || '] ', %s)",
                product._field_to_sql("template", "name"),
            ),
            "vin": SQL("line.vin"),
            "kind": SQL("e.kind"),
            "balance": SQL("e.balance"),
            "currency": SQL("e.currency_id"),
            "amount": SQL("e.amount"),
            "company_currency": SQL("company.currency_id"),
            "amount_company": SQL("e.amount_company"),
            "open_after": SQL("running.open_after"),
            "user": SQL("author.complete_name"),
            "reversed": SQL("taken.sequence"),
            "reason": SQL("e.reason"),
            "hash": SQL("e.hash"),
        }

    @api.model
    def _get_rows_sql(self, domain):
        # Within the user's own record rules.
        entries = self._search(domain).subselect()
        return SQL(
            """SELECT %(columns)s
            FROM quality_claim_entry e
            JOIN quality_claim claim ON claim.id = e.claim_id
            JOIN resident_site site ON site.id = e.site_id
            JOIN res_company company ON company.id = e.company_id
            JOIN res_partner partner ON partner.id = claim.partner_id
            JOIN res_users users ON users.id = e.user_id
            JOIN res_partner author ON author.id = users.partner_id
            JOIN (%(running)s) running ON running.id = e.id
            LEFT JOIN quality_claim_line line ON line.id = e.line_id
            LEFT JOIN product_product product ON product.id = line.product_id
            LEFT JOIN product_template template
                ON template.id = product.product_tmpl_id
            LEFT JOIN quality_claim_entry taken ON taken.id = e.reversal_of_id
            WHERE e.id IN %(entries)s
            ORDER BY e.company_id, e.sequence""",
            columns=SQL(", ").join(self._get_row_columns().values()),
            running=self._get_running_sql(
                SQL(
                    "(SELECT claim_id FROM quality_claim_entry WHERE id IN %s)",
                    entries,
                )
            ),
            entries=entries,
        )
