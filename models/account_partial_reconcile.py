from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._get_moves()._follow_claims()
        return partials

    def unlink(self):
        moves = self._get_moves()
        result = super().unlink()
        moves.exists()._follow_claims()
        return result

    def _get_moves(self):
        """Return the documents on both sides."""
        return (self.debit_move_id | self.credit_move_id).move_id
