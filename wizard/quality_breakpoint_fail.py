from odoo import fields, models


class QualityBreakpointFail(models.TransientModel):
    """Asks what came after the breakpoint, and which place had been missed."""

    _name = "quality.breakpoint.fail"
    _description = "Breakpoint Failed"

    breakpoint_id = fields.Many2one(
        comodel_name="quality.breakpoint",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    site_id = fields.Many2one(related="breakpoint_id.site_id")
    place_id = fields.Many2one(
        comodel_name="resident.place",
        string="Missed Place",
        domain="[('site_id', '=', site_id)]",
        ondelete="cascade",
    )
    reason = fields.Text(required=True)

    def action_apply(self):
        """Fail the breakpoint, which opens the containment again."""
        self.ensure_one()
        self.breakpoint_id.action_fail(
            reason=self.reason, place_id=self.place_id.id or False
        )
        return {"type": "ir.actions.act_window_close"}
