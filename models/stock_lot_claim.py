from odoo import api, fields, models

from .stock_lot import TRACERS


class StockLot(models.Model):
    _inherit = "stock.lot"

    claim_count = fields.Integer(
        string="Claims",
        compute="_compute_claim_count",
        # Whoever may not read claims still reads the lot.
        groups=TRACERS,
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_claim_count(self):
        counts = dict(
            self.env["quality.claim.line"]._read_group(
                [("lot_id", "in", self.ids), ("state", "!=", "withdrawn")],
                ["lot_id"],
                ["claim_id:count_distinct"],
            )
        )
        for lot in self:
            lot.claim_count = counts.get(lot._origin, 0)

    @api.readonly
    def action_view_claims(self):
        """Open the claimed parts of these lots."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_claim_line_action"
        )
        return {**action, "domain": [("lot_id", "in", self.ids)]}
