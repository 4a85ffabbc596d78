from odoo import fields, models


class QualitySortingScan(models.TransientModel):
    """Counts many serial numbers with one verdict: scanned or pasted, one a line."""

    _name = "quality.sorting.scan"
    _description = "Scan Serial Numbers"
    _inherit = ["quality.scan.mixin"]

    inspection_id = fields.Many2one(
        comodel_name="qc.inspection",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    verdict = fields.Selection(
        selection=[("good", "Good"), ("bad", "Bad"), ("suspect", "Suspect")],
        required=True,
        default="good",
    )
    defect_id = fields.Many2one(comodel_name="quality.defect", ondelete="cascade")
    serials = fields.Text(string="Serial Numbers", required=True)

    def action_apply(self):
        """Make a tranche of each serial number; all or none.

        :raise UserError: names what is unknown, entered twice or counted before
        """
        self.ensure_one()
        names = self._split(self.serials)
        product = self.inspection_id.product_id
        lots = self.env["stock.lot"].search(
            [("product_id", "=", product.id), ("name", "in", names)]
        )
        # After a failed breakpoint each number is scanned anew.
        counted = self.inspection_id._get_counted()
        self._refuse(
            set(names) - set(lots.mapped("name")),
            self.env._(
                "Not a serial number of %(product)s", product=product.display_name
            ),
        )
        self._refuse(
            set((lots & counted.lot_id).mapped("name")), self.env._("Counted before")
        )
        self.env["quality.sorting"].create(
            [
                {
                    "inspection_id": self.inspection_id.id,
                    "lot_id": lot.id,
                    f"qty_{self.verdict}": 1,
                    "defect_id": self.defect_id.id,
                }
                for lot in lots
            ]
        )
        return {"type": "ir.actions.act_window_close"}
