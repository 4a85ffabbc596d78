from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..reports.pages import Pages
from .quality_claim_entry import BALANCES
from .quality_claim_ledger import OPEN

TEMPLATE = "quality_resident.mail_template_claim_statement"


class QualityClaimStatement(models.Model):
    """What a customer is told of his claims in a month (spec.md L4).

    Only says whose and when: no entry of the past ever changes, so that it prints the
    same figures at any time.
    """

    _name = "quality.claim.statement"
    _description = "Claim Statement"
    _inherit = ["mail.thread"]
    _order = "date_from desc, id desc"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    date_from = fields.Date(
        string="From",
        required=True,
        default=lambda self: self._get_last_month()[0],
    )
    date_to = fields.Date(
        string="To", required=True, default=lambda self: self._get_last_month()[1]
    )

    @api.model
    def _get_last_month(self):
        first = fields.Date.context_today(self) + relativedelta(day=1, months=-1)
        return first, first + relativedelta(day=31)

    @api.depends("partner_id", "date_from", "date_to")
    def _compute_display_name(self):
        for statement in self:
            statement.display_name = self.env._(
                "Statement %(customer)s %(first)s to %(last)s",
                customer=statement.partner_id.name or "",
                first=statement.date_from or "",
                last=statement.date_to or "",
            )

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for statement in self:
            if statement.date_from > statement.date_to:
                raise ValidationError(
                    self.env._("“From” is after “To”: exchange the two dates.")
                )

    # === ACTIONS === #

    def action_mail(self):
        """Open the mail to the customer with the statement attached."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Mail the Statement"),
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_composition_mode": "comment",
                "default_template_id": self.env.ref(TEMPLATE).id,
                "force_email": True,
            },
        }

    def action_print(self):
        """Print the statement."""
        report = self.env.ref("quality_resident.action_report_claim_statement")
        return report.report_action(self)

    # === CONTENT === #

    def _get_domain(self):
        self.ensure_one()
        return Domain("company_id", "=", self.company_id.id) & Domain(
            "partner_id", "child_of", self.partner_id.ids
        )

    def _get_period_domain(self):
        return (
            self._get_domain()
            & Domain("date", ">=", self.date_from)
            & Domain("date", "<=", self.date_to)
        )

    def _get_sites(self):
        """Return the sites that it is about: those whose entries the reader sees."""
        groups = self.env["quality.claim.entry"]._read_group(
            self._get_domain(), ["site_id"]
        )
        return self.env["resident.site"].union(*(site for (site,) in groups))

    def _get_accounts(self):
        """Return the statement's figures, one account for each currency.

        :return: dicts with currency, total and claims, the latter two dicts of
            ``opening``, ``closing`` (what is undecided), ``unpaid`` (accepted, not yet
            paid, at the end) and the movement of each balance; claims without movement
            and balance are left out
        """
        self.ensure_one()
        opening = self._get_sums(
            self._get_domain() & Domain("date", "<", self.date_from)
        )
        movement = self._get_sums(self._get_period_domain())
        accounts = {}
        for claim, currency in sorted(
            opening.keys() | movement.keys(), key=lambda key: key[0].id
        ):
            row = self._prepare_row(
                opening.get((claim, currency), {}), movement.get((claim, currency), {})
            )
            account = accounts.setdefault(
                currency, {"currency": currency, "total": {}, "claims": []}
            )
            for name, amount in row.items():
                account["total"][name] = account["total"].get(name, 0) + amount
            if any(not currency.is_zero(amount) for amount in row.values()):
                account["claims"].append({"claim": claim, **row})
        return list(accounts.values())

    def _get_sums(self, domain):
        """Return ``{(claim, currency): {balance: amount}}``."""
        sums = {}
        for claim, currency, balance, amount in self.env[
            "quality.claim.entry"
        ]._read_group(domain, ["claim_id", "currency_id", "balance"], ["amount:sum"]):
            sums.setdefault((claim, currency), {})[balance] = amount
        return sums

    @api.model
    def _prepare_row(self, opening, movement):
        def add(signs, *sums):
            return sum(
                sign * amounts.get(balance, 0)
                for amounts in sums
                for balance, sign in signs.items()
            )

        return {
            "opening": add(OPEN, opening),
            **{balance: movement.get(balance, 0) for balance, _label in BALANCES},
            "closing": add(OPEN, opening, movement),
            "unpaid": add({"accepted": 1, "paid": -1}, opening, movement),
        }

    def _get_entries(self):
        """Return the entries of the period, by currency and number."""
        return self.env["quality.claim.entry"].search(
            self._get_period_domain(), order="currency_id, sequence"
        )

    def _get_pages(self):
        """Return the accounts and the entries, cut into pages.

        :return: dict with ``accounts``, each with the ``parts`` of its table, and with
            the ``parts`` of the entries' table (see :class:`Pages`)
        """
        pages = Pages(44, 54)
        accounts = self._get_accounts()
        for account in accounts:
            account["parts"] = pages.cut(
                [*account["claims"], {**account["total"], "claim": False}],
                lambda row: [[(row["claim"] and row["claim"].notice_ref or "x", 20)]],
            )
        parts = pages.cut(
            self._get_entries(),
            lambda entry: [
                [(entry.claim_id.notice_ref or "x", 22)],
                [(entry.product_id.display_name, 34)],
            ],
        )
        return {"accounts": accounts, "parts": parts}

    def _get_document_lang(self):
        """Return the language of the statement: the customer's, unless asked for."""
        return self.env.context.get("document_lang") or self.partner_id.lang

    def _get_document_name(self):
        """Return the file name of the statement, without its ending."""
        self.ensure_one()
        return self.env._(
            "Statement of claims %(customer)s %(last)s",
            customer=self.partner_id.name,
            last=self.date_to,
        )
