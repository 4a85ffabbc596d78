from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class QualityReturnReceive(models.TransientModel):
    """What has come of a return: counted at home, on the phone or the desk."""

    _name = "quality.return.receive"
    _description = "Receive Returned Parts"

    return_id = fields.Many2one(
        comodel_name="quality.return",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    line_ids = fields.One2many(
        "quality.return.receive.line",
        "receive_id",
        string="What Came",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends("return_id")
    def _compute_line_ids(self):
        for dialogue in self:
            dialogue.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "product_id": line.product_id.id,
                            "lot_id": line.lot_id.id,
                            "qty_expected": line._get_pieces(line.qty_in_transit),
                            "qty_came": line._get_pieces(line.qty_in_transit),
                        }
                    )
                    for line in dialogue.return_id.line_ids
                    if line.qty_in_transit
                ),
            ]

    def action_apply(self):
        """Book what came; what differs shows on the return.

        :raise UserError: somebody else has received the same parts meanwhile
        """
        self.ensure_one()
        on_way = {}
        for line in self.return_id.line_ids:
            key = (line.product_id, line.lot_id)
            on_way[key] = on_way.get(key, 0) + line._get_pieces(line.qty_in_transit)
        expected = {}
        for line in self.line_ids:
            key = (line.product_id, line.lot_id)
            expected[key] = expected.get(key, 0) + line.qty_expected
        for (product, lot), pieces in expected.items():
            if product.uom_id.compare(pieces, on_way.get((product, lot), 0)) > 0:
                raise UserError(
                    self.env._(
                        "%(product)s %(lot)s has been received meanwhile. Open the "
                        "dialogue again.",
                        product=product.display_name,
                        lot=lot.name or "",
                    )
                )
        self.return_id._receive(
            [(line.product_id, line.lot_id, line.qty_came) for line in self.line_ids]
        )
        return {"type": "ir.actions.act_window_close"}


class QualityReturnReceiveLine(models.TransientModel):
    _name = "quality.return.receive.line"
    _description = "Received Lot"

    receive_id = fields.Many2one(
        comodel_name="quality.return.receive", required=True, ondelete="cascade"
    )
    product_id = fields.Many2one(
        comodel_name="product.product", required=True, ondelete="cascade"
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        domain="[('product_id', '=', product_id)]",
        ondelete="cascade",
    )
    uom_id = fields.Many2one(related="product_id.uom_id")
    qty_expected = fields.Float(string="Expected", readonly=True, digits="Product Unit")
    qty_came = fields.Float(string="Came", digits="Product Unit")

    _quantity_positive = models.Constraint(
        "CHECK (qty_came >= 0)", "“Came” cannot be negative."
    )
