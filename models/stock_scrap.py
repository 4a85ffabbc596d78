from odoo import models
from odoo.exceptions import UserError


class StockScrap(models.Model):
    _inherit = "stock.scrap"

    def action_validate(self):
        """Offer to ask for signatures where core would scrap held parts."""
        self.ensure_one()
        if not self.location_id.is_held:
            return super().action_validate()
        requests = self.env["quality.scrap.request"]
        if not requests.has_access("create"):
            raise UserError(
                self.product_id._get_held_message(self.location_id, self.lot_id)
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_scrap_request_action"
        )
        site = self.env["resident.site"]._find_by_location(self.location_id)
        line = {
            "product_id": self.product_id.id,
            "lot_id": self.lot_id.id,
            "quantity": self.scrap_qty,
            "uom_id": self.product_uom_id.id,
            "location_id": self.location_id.id,
        }
        return {
            **action,
            "views": [(False, "form")],
            "context": {
                "default_site_id": site.id,
                "default_line_ids": [(0, 0, line)],
            },
        }
