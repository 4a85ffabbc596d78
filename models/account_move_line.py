from odoo import api, fields, models
from odoo.fields import Command

from .quality_claim_settlement import ensure_unlinked, spread

# What of a posted line changes what its document has credited.
AMOUNTS = {
    "amount_currency",
    "balance",
    "credit",
    "debit",
    "discount",
    "price_unit",
    "quantity",
}


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    claim_line_ids = fields.Many2many(
        comodel_name="quality.claim.line",
        string="Claimed Parts",
        readonly=True,
        copy=False,
        help="What this line settles: one part, or all of a kind in a price allowance.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        ensure_unlinked(self, "claim_line_ids", vals_list)
        links = [False] * len(vals_list)
        if not self.env.su and self.env["quality.workflow.mixin"]._is_gate_open():
            # Who reverses a document need not read the claim.
            vals_list = [dict(vals) for vals in vals_list]
            links = [vals.pop("claim_line_ids", False) for vals in vals_list]
        lines = super(AccountMoveLine, self._without_claim_default()).create(vals_list)
        for line, link in zip(lines, links, strict=True):
            if link:
                line.sudo().claim_line_ids = link
        lines.move_id.filtered(lambda move: move.state == "posted")._follow_claims()
        return lines

    def write(self, vals):
        ensure_unlinked(self, "claim_line_ids", [vals])
        result = super().write(vals)
        if not AMOUNTS.isdisjoint(vals):
            self.move_id.filtered(lambda move: move.state == "posted")._follow_claims()
        return result

    def _copy_data_extend_business_fields(self, values):
        # EXTENDS account
        result = super()._copy_data_extend_business_fields(values)
        if self.env["quality.workflow.mixin"]._is_gate_open():
            parts_sudo = self.sudo().claim_line_ids
            values["claim_line_ids"] = [Command.set(parts_sudo.ids)]
        return result

    @api.model
    def _without_claim_default(self):
        """Return self without a client's default_* key for the claimed parts."""
        name = "default_claim_line_ids"
        if name not in self.env.context:
            return self
        context = {k: v for k, v in self.env.context.items() if k != name}
        # A key is taken out, which keyword arguments cannot do.
        return self.with_context(context)  # pylint: disable=context-overridden

    # === CLAIMS === #

    def _eligible_for_stock_account(self):
        # OVERRIDE: money is given for a part, and no part moves, whoever posts it.
        if self.sudo().claim_line_ids:
            return False
        return super()._eligible_for_stock_account()

    def _spread_over_parts(self):
        """Return what of this line's amount belongs to each of its claimed parts.

        :rtype: list of float, in the order of ``claim_line_ids``; one amount for a
            line without
        """
        self.ensure_one()
        parts = self.claim_line_ids
        if len(parts) <= 1:
            return [self.amount_currency]
        weights = [part._get_accepted() for part in parts]
        if not sum(weights):
            weights = [1] * len(parts)
        return spread(self.currency_id, self.amount_currency / sum(weights), weights)
