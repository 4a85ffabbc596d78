from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        result = super().write(vals)
        if not {"state", "amount", "currency_id", "invoice_ids"}.isdisjoint(vals):
            self.invoice_ids._follow_claims()
        return result

    def unlink(self):
        moves = self.invoice_ids
        result = super().unlink()
        moves._follow_claims()
        return result

    def _get_share_of(self, move):
        """Return what of this payment is for ``move``, in its currency.

        A payment without a journal entry does not say it: its invoices share it by
        what is open of them. Whoever pays the difference between invoices and credit
        notes pays both.
        """
        self.ensure_one()
        amount = self.currency_id._convert(
            self.amount, move.currency_id, self.company_id, self.date
        )
        open_amount = sum(self.invoice_ids.mapped("amount_residual_signed"))
        if not open_amount:
            return 0
        return abs(amount * move.amount_residual_signed / open_amount)
