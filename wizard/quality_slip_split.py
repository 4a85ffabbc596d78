from odoo import api, fields, models


class QualitySlipSplit(models.TransientModel):
    """Asks into which boxes the parts of a suspect slip are divided."""

    _name = "quality.slip.split"
    _description = "Split a Suspect Slip"

    slip_id = fields.Many2one(
        comodel_name="quality.suspect.slip",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    uom_id = fields.Many2one(related="slip_id.uom_id")
    quantity = fields.Float(related="slip_id.quantity")
    line_ids = fields.One2many("quality.slip.split.line", "wizard_id", string="Boxes")
    quantity_left = fields.Float(
        string="Left to Divide", compute="_compute_quantity_left", digits="Product Unit"
    )

    @api.depends("quantity", "line_ids.quantity")
    def _compute_quantity_left(self):
        for wizard in self:
            divided = sum(wizard.line_ids.mapped("quantity"))
            wizard.quantity_left = wizard.quantity - divided

    def action_apply(self):
        """Split the slip; the quantities have to make up its own."""
        self.ensure_one()
        return self.slip_id.action_split(
            parts=[
                {"quantity": line.quantity, "package_ref": line.package_ref}
                for line in self.line_ids
            ]
        )


class QualitySlipSplitLine(models.TransientModel):
    """One box of the split."""

    _name = "quality.slip.split.line"
    _description = "Box of a Split Slip"

    wizard_id = fields.Many2one(
        comodel_name="quality.slip.split", required=True, ondelete="cascade"
    )
    quantity = fields.Float(digits="Product Unit", required=True)
    package_ref = fields.Char(string="Package Number")
