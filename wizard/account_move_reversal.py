from odoo import models


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    def reverse_moves(self, is_modify=False):
        # What is made in place of a reversed document settles the same claim.
        moves = self.move_ids._with_claim_gate()
        wizard = self.with_env(moves.env) if moves.sudo().claim_id else self
        return super(AccountMoveReversal, wizard).reverse_moves(is_modify=is_modify)
