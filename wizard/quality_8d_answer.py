from odoo import fields, models


class Quality8dAnswer(models.TransientModel):
    """Asks what the customer said about the 8D report that was sent."""

    _name = "quality.8d.answer"
    _description = "Customer's Answer to an 8D Report"

    eightd_id = fields.Many2one(
        comodel_name="quality.8d",
        string="8D Report",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    site_id = fields.Many2one(related="eightd_id.site_id")
    answer = fields.Selection(
        selection=[("accepted", "Accepted"), ("refused", "Refused")],
        required=True,
        default="accepted",
    )
    contact_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Answered by",
        domain="[('site_id', '=', site_id)]",
        required=True,
        ondelete="cascade",
    )
    answered_at = fields.Datetime(
        string="Answered On", required=True, default=fields.Datetime.now
    )
    remark = fields.Text(string="What the Customer Said")

    def action_apply(self):
        """Record the answer on the report."""
        self.ensure_one()
        who = {"contact_id": self.contact_id.id, "answered_at": self.answered_at}
        if self.answer == "accepted":
            self.eightd_id.action_accept(remark=self.remark, **who)
        else:
            self.eightd_id.action_refuse(reason=self.remark, **who)
        return {"type": "ir.actions.act_window_close"}
