from odoo import fields, models
from odoo.exceptions import UserError


class QualityTraceLookup(models.TransientModel):
    """Asks for the lot, or the product without lots, that is to be traced."""

    _name = "quality.trace.lookup"
    _description = "Trace a Lot"

    lot_id = fields.Many2one(
        comodel_name="stock.lot", string="Lot/Serial Number", ondelete="cascade"
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        ondelete="cascade",
        help="Where parts carry no lot: all of the product is traced.",
    )

    def action_trace(self):
        """Open what is known of it."""
        self.ensure_one()
        if not (self.lot_id or self.product_id):
            raise UserError(
                self.env._(
                    "Enter or scan a “Lot/Serial Number”, or choose a “Product”."
                )
            )
        return self.env["quality.trace"]._get_trace_action(self.lot_id, self.product_id)
