from odoo import api, fields, models


class QualitySheetSign(models.TransientModel):
    """The SQE signs with his finger on the resident's phone."""

    _name = "quality.sheet.sign"
    _description = "Sign the Service Sheet"

    sheet_id = fields.Many2one(
        comodel_name="quality.service.sheet",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    signed_by = fields.Char(
        required=True,
        compute="_compute_signed_by",
        store=True,
        readonly=False,
        precompute=True,
    )
    signature = fields.Binary(required=True, attachment=False)

    @api.depends("sheet_id")
    def _compute_signed_by(self):
        for wizard in self:
            wizard.signed_by = (
                wizard.signed_by or wizard.sheet_id.contact_id.partner_id.name
            )

    def action_apply(self):
        """Sign and lock the sheet."""
        self.ensure_one()
        self.sheet_id.action_sign(signature=self.signature, signed_by=self.signed_by)
        return {"type": "ir.actions.act_window_close"}
