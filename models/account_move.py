from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .quality_claim_settlement import TYPES, ensure_unlinked

# What of a document changes what it has credited, or whether it stands at all.
FOLLOWED = {"state", "line_ids", "invoice_line_ids", "matched_payment_ids"}
REVERSING_TYPES = ("out_invoice", "in_refund")


class AccountMove(models.Model):
    """Documents that settle claims; the claims follow what happens to them (L5).

    Whoever posts, pays, cancels or reverses them needs no right on claims.
    """

    _inherit = "account.move"

    claim_id = fields.Many2one(
        comodel_name="quality.claim",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The claim that this document settles, or whose settlement it takes back.",
    )

    # === CONSTRAINTS === #

    @api.constrains("claim_id", "company_id", "currency_id", "move_type")
    def _check_claim_id(self):
        # Accountants need not read claims.
        for move in self.sudo().filtered("claim_id"):
            claim = move.claim_id
            if move.reversed_entry_id.claim_id == claim:
                types = {*TYPES.values(), *REVERSING_TYPES}
            else:
                types = {*TYPES.values()}
            if (
                move.company_id != claim.company_id
                or move.currency_id != claim.currency_id
                or move.move_type not in types
            ):
                raise ValidationError(
                    self.env._(
                        "This document settles %(claim)s: it stays a credit note or "
                        "a vendor bill of %(company)s in %(currency)s. Delete it to "
                        "have the claim settled in another way.",
                        claim=claim.name,
                        company=claim.company_id.name,
                        currency=claim.currency_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        ensure_unlinked(self, "claim_id", vals_list)
        # Nor by a client's default_* key or a default of the user's own.
        moves = super().create([{"claim_id": False, **vals} for vals in vals_list])
        moves._follow_claims()
        return moves

    def write(self, vals):
        ensure_unlinked(self, "claim_id", [vals])
        result = super().write(vals)
        if not FOLLOWED.isdisjoint(vals):
            self._follow_claims()
        if vals.get("state") == "posted":
            self._tell_settled()
        return result

    def unlink(self):
        # Claims are followed whoever deletes the document.
        claims = self.sudo().claim_id
        result = super().unlink()
        claims._follow_accounting()
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if self.env["quality.workflow.mixin"]._is_gate_open():
            # What reverses a document, or replaces the reversed one, is the claim's.
            for move, vals in zip(self, vals_list, strict=True):
                vals["claim_id"] = move.claim_id.id
        return vals_list

    def _reverse_moves(self, default_values_list=None, cancel=False):
        if not self.sudo().claim_id:
            return super()._reverse_moves(default_values_list, cancel)
        moves = super(AccountMove, self._with_claim_gate())._reverse_moves(
            default_values_list, cancel
        )
        return moves.with_env(self.env)

    def _with_claim_gate(self):
        """Return self with the right to tie new documents to claims."""
        return self.with_env(self.env["quality.workflow.mixin"]._with_gate().env)

    # === ACTIONS === #

    def action_view_claim(self):
        """Open the claim that this document settles."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "quality.claim",
            "res_id": self.claim_id.id,
            "view_mode": "form",
        }

    # === CLAIMS === #

    def _follow_claims(self):
        """Have the claims of these documents say what accounting says."""
        # Accountants have no right on claims; the ledger is written all the same.
        self.sudo().claim_id._follow_accounting()

    def _tell_settled(self):
        """Tell the people of the site that a claim's document is posted, once."""
        # Whoever posts it need not read claims.
        for move in self.sudo().filtered("claim_id"):
            if not move.reversed_entry_id:
                move.claim_id._emit_event("claim_settled", key=str(move.id))

    def _get_claim_document(self):
        """Return the document that this one takes back, at whatever remove, or self."""
        self.ensure_one()
        document = self
        while document.reversed_entry_id.claim_id == self.claim_id:
            document = document.reversed_entry_id
        return document

    def _get_claim_shares(self):
        """Return what this document credits for each part of its claim.

        :return: ``{quality.claim.line: amount}`` without taxes, in the claim's
            currency, less than 0 for what takes a document back; what accounting has
            added besides is under the empty record
        """
        self.ensure_one()
        shares = {}
        for line in self.line_ids.filtered(lambda li: li.display_type == "product"):
            parts = line.claim_line_ids or line.claim_line_ids.browse()
            amounts = line._spread_over_parts()
            for part, amount in zip(parts or [parts], amounts, strict=True):
                shares[part] = shares.get(part, 0) + amount
        return shares

    def _get_settled_ratio(self):
        """Return how much of this document is reconciled or paid, between 0 and 1."""
        self.ensure_one()
        if self.currency_id.is_zero(self.amount_total):
            return 0
        done = self.amount_total - self.amount_residual
        # Payments without a journal entry of their own reconcile nothing, until the
        # bank's statement does so in their place.
        states = ("in_process",) if done else ("in_process", "paid")
        payments = self.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment.state in states
        )
        done += sum(payment._get_share_of(self) for payment in payments)
        return min(done / self.amount_total, 1)
