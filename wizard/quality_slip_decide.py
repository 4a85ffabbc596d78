from odoo import fields, models

from ..models.quality_suspect_slip import DISPOSITIONS


class QualitySlipDecide(models.TransientModel):
    """Asks what becomes of the parts on one or several suspect slips."""

    _name = "quality.slip.decide"
    _description = "Decide"

    slip_ids = fields.Many2many(
        comodel_name="quality.suspect.slip",
        required=True,
        default=lambda self: self.env.context.get("active_ids"),
    )
    disposition = fields.Selection(selection=DISPOSITIONS, required=True)
    concession_no = fields.Char(string="Concession Number")

    def action_apply(self):
        """Note the decision on the slips."""
        self.ensure_one()
        self.slip_ids.action_decide(
            disposition=self.disposition, concession_no=self.concession_no
        )
        return {"type": "ir.actions.act_window_close"}
