from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

BALANCES = [
    ("claimed", "Claimed"),
    ("accepted", "Accepted"),
    ("refused", "Refused"),
    ("credited", "Credited"),
    ("paid", "Paid"),
]
# These follow the documents in accounting.
DOCUMENT_BALANCES = ("credited", "paid")
KINDS = [*BALANCES, ("reversal", "Reversal")]
# First half of the advisory lock's key, the company being the other; any constant.
LOCK = 0x51524C45
GENESIS = "0" * 64
# From here on rounding and storing an amount changes it: its hash would not hold.
TOO_LARGE = 10**11


class QualityClaimEntry(models.Model):
    """One change of what is claimed, accepted, credited or paid (spec.md L4).

    Appended by the claim's actions alone, chained by hash within its company, and
    neither changed nor deleted by anybody: the database refuses it as well. It holds
    nothing that is computed or related, since no row is ever updated.
    """

    _name = "quality.claim.entry"
    _description = "Claim Ledger Entry"
    _inherit = ["quality.append.only.mixin"]
    _order = "company_id, sequence desc"
    _rec_name = "sequence"
    _state_field = "kind"
    _reason_actions = ("action_reverse",)
    # Core would empty create_uid when its user is deleted: an update.
    _log_access = False

    claim_id = fields.Many2one(
        comodel_name="quality.claim",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    line_id = fields.Many2one(
        comodel_name="quality.claim.line",
        string="Claim Line",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    site_id = fields.Many2one(
        comodel_name="resident.site",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company", required=True, readonly=True, ondelete="restrict"
    )
    partner_id = fields.Many2one(related="claim_id.partner_id")
    product_id = fields.Many2one(related="line_id.product_id")
    sequence = fields.Integer(
        string="No.",
        required=True,
        readonly=True,
        aggregator=None,
        help="Without gaps within the company.",
    )
    date = fields.Date(required=True, readonly=True, index=True)
    recorded_at = fields.Datetime(string="Recorded", required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Entered by",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    kind = fields.Selection(KINDS, required=True, readonly=True)
    balance = fields.Selection(
        BALANCES,
        required=True,
        readonly=True,
        help="The balance that this entry changes: a reversal changes the same one as "
        "the entry that it takes back.",
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", required=True, readonly=True, ondelete="restrict"
    )
    amount = fields.Monetary(required=True, readonly=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        string="Amount in Company Currency",
        required=True,
        readonly=True,
        currency_field="company_currency_id",
        help="At the rate of the entry's date.",
    )
    reversal_of_id = fields.Many2one(
        comodel_name="quality.claim.entry",
        string="Takes Back",
        readonly=True,
        ondelete="restrict",
    )
    reversal_ids = fields.One2many(
        "quality.claim.entry", "reversal_of_id", string="Taken Back by"
    )
    reason = fields.Text(readonly=True)
    version = fields.Integer(
        required=True, readonly=True, aggregator=None, help="Of the canonical form."
    )
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)

    _sequence_uniq = models.UniqueIndex(
        "(company_id, sequence)", "This number of the ledger is taken."
    )
    _previous_hash_uniq = models.UniqueIndex(
        "(company_id, previous_hash)", "The ledger cannot fork."
    )
    _reversal_uniq = models.UniqueIndex(
        "(reversal_of_id) WHERE reversal_of_id IS NOT NULL",
        "An entry is taken back once.",
    )

    @api.model
    def _get_append_only_message(self):
        return self.env._(
            "Only the actions of a claim write entries of the ledger, and none is "
            "ever changed or deleted. Take one back with “Reverse”."
        )

    # === APPEND === #

    @api.model
    def _append(self, vals_list):
        """Append entries to the ledgers of their companies, chained in this order.

        :param vals_list: dicts with claim_id, line_id, site_id, company_id, kind,
            balance, currency_id, amount, amount_company, and for a correction
            reversal_of_id and reason
        :rtype: quality.claim.entry
        :raise UserError: an amount is too large to be kept to the cent
        """
        self._ensure_exact(vals_list)
        common = {
            "date": fields.Date.context_today(self),
            "recorded_at": fields.Datetime.now(),
            "user_id": self.env.uid,
            "version": self._canonical_version,
        }
        by_company = {}
        for vals in vals_list:
            by_company.setdefault(vals["company_id"], []).append(vals)
        rows = []
        # In one order for everybody, or two transactions wait for each other.
        for company_id, company_vals in sorted(by_company.items()):
            sequence, tail = self._lock_tail(company_id)
            for number, vals in enumerate(company_vals, sequence + 1):
                row = {**common, **vals, "sequence": number, "previous_hash": tail}
                tail = row["hash"] = self._get_digest(row)
                rows.append(row)
        # The caller has the claim's right; on entries nobody has any but to read.
        return self.sudo()._create_protected(rows).sudo(self.env.su)

    @api.model
    def _ensure_exact(self, vals_list):
        for vals in vals_list:
            largest = max(abs(vals["amount"]), abs(vals["amount_company"]))
            if largest >= TOO_LARGE:
                raise UserError(
                    self.env._(
                        "%(claim)s: the ledger keeps amounts below %(limit)s. Correct "
                        "“Quantity”, “Unit Price” or “Amount” of the part, or enter "
                        "it as several lines.",
                        claim=self.env["quality.claim"].browse(vals["claim_id"]).name,
                        limit=f"{TOO_LARGE:,}",
                    )
                )

    @api.model
    def _lock_tail(self, company_id):
        """Wait for the company's other writers; return number and hash of the last.

        Odoo's transactions see the database as it was when they began, so whoever had
        to wait cannot see what he waited for. He looks through a second connection:
        the lock is let go after the commit, so what he needs is there. A lock on a row
        would send him back to start instead, and ten writers would starve.
        """
        self.env.cr.execute(
            SQL("SELECT pg_advisory_xact_lock(%s, %s)", LOCK, company_id)
        )
        query = SQL(
            """SELECT sequence, hash FROM quality_claim_entry
            WHERE company_id = %s ORDER BY sequence DESC LIMIT 1""",
            company_id,
        )
        tails = self.env.execute_query(query)
        # While modules load nobody else writes, and the table may be locked by us.
        if self.env.registry.ready:
            with self.env.registry.cursor() as cr:
                cr.execute(query)
                tails += cr.fetchall()
        return max(tails, default=(0, GENESIS))

    # === CORRECTION === #

    def action_reverse(self, reason=None):
        """Take these entries back by counter-entries of today.

        :param str reason: why; needed
        :raise UserError: no reason, taken back before, itself a reversal, or of a
            claim that is withdrawn
        :raise AccessError: the user may not work on the claim
        """
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why you take it back: fill in “Reason”."))
        self.check_access("read")
        self.claim_id._ensure_can_correct()
        self.claim_id._lock()
        self.invalidate_recordset(["reversal_ids"])
        for entry in self:
            if entry.balance in DOCUMENT_BALANCES:
                raise UserError(
                    self.env._(
                        "No. %(number)s follows the claim's document: have Accounting "
                        "cancel or reverse that, or its payment.",
                        number=entry.sequence,
                    )
                )
            if entry.claim_id.state == "withdrawn":
                raise UserError(
                    self.env._(
                        "%(claim)s is withdrawn, and its balances stay at nothing. "
                        "Enter the notice anew if the customer claims it again.",
                        claim=entry.claim_id.name,
                    )
                )
            if entry.kind == "reversal":
                raise UserError(
                    self.env._(
                        "No. %(number)s takes an entry back and stays. Have the claim "
                        "write the amount anew: reopen it.",
                        number=entry.sequence,
                    )
                )
            if entry.reversal_ids:
                raise UserError(
                    self.env._(
                        "No. %(number)s has been taken back already by No. %(other)s.",
                        number=entry.sequence,
                        other=entry.reversal_ids.sequence,
                    )
                )
        return self._append(
            [entry._get_reversal_values(reason) for entry in self.sorted("sequence")]
        )

    def _get_reversal_values(self, reason):
        self.ensure_one()
        return {
            "claim_id": self.claim_id.id,
            "line_id": self.line_id.id,
            "site_id": self.site_id.id,
            "company_id": self.company_id.id,
            "kind": "reversal",
            "balance": self.balance,
            "currency_id": self.currency_id.id,
            "amount": -self.amount,
            # What was booked is taken back, not what it would be worth today.
            "amount_company": -self.amount_company,
            "reversal_of_id": self.id,
            "reason": reason,
        }
