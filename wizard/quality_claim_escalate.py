from odoo import fields, models
from odoo.exceptions import UserError


class QualityClaimEscalate(models.TransientModel):
    """Who goes to the customer for what cannot be decided, and when (L2)."""

    _name = "quality.claim.escalate"
    _description = "Escalate a Claim"

    claim_id = fields.Many2one(
        comodel_name="quality.claim",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    specialist_id = fields.Many2one(
        comodel_name="res.users",
        domain="[('share', '=', False)]",
        help="Empty: Sales and Quality are asked to name somebody.",
    )
    specialist_date = fields.Date(string="Goes on")

    def action_apply(self):
        """Escalate, and name the specialist if he is known.

        :raise UserError: a specialist without a day, or a day without one
        """
        self.ensure_one()
        if bool(self.specialist_id) != bool(self.specialist_date):
            raise UserError(
                self.env._(
                    "Fill in both “Specialist” and “Goes on”, or neither: then Sales "
                    "and Quality are asked to name somebody."
                )
            )
        self.claim_id.action_escalate()
        if self.specialist_id:
            self.claim_id.write(
                {
                    "specialist_id": self.specialist_id.id,
                    "specialist_date": self.specialist_date,
                }
            )
        return {"type": "ir.actions.act_window_close"}
