from odoo import api, fields, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    quality_return_id = fields.Many2one(
        comodel_name="quality.return",
        string="Return",
        compute="_compute_quality_return_id",
        search="_search_quality_return_id",
    )

    @api.depends("move_ids.quality_return_line_id")
    def _compute_quality_return_id(self):
        for picking in self:
            # The stock user sees the number; the return itself asks for its own right.
            lines_sudo = picking.sudo().move_ids.quality_return_line_id
            picking.quality_return_id = lines_sudo.return_id[:1]

    def _search_quality_return_id(self, operator, value):
        return [("move_ids.quality_return_line_id.return_id", operator, value)]

    def action_view_quality_return(self):
        """Open the return that this transfer belongs to."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "quality.return",
            "res_id": self.quality_return_id.id,
            "views": [(False, "form")],
        }
