from odoo import api, fields, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    quality_alert = fields.Text(
        compute="_compute_quality_alert",
        help="Lots of this transfer with an open complaint.",
    )

    @api.depends("move_line_ids.lot_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_quality_alert(self):
        alerts = self.move_line_ids.lot_id._get_quality_alerts()
        for picking in self:
            picking.quality_alert = "\n".join(
                f"{lot.name}: {', '.join(alerts[lot.id])}"
                for lot in picking.move_line_ids.lot_id
                if lot.id in alerts
            )
