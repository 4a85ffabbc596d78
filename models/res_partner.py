from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_open_resident_sites(self):
        """Open the customer's sites, or a new one when there is none."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.resident_site_action"
        )
        customer = self.commercial_partner_id
        sites = self.env["resident.site"].search(
            [("partner_id", "child_of", customer.id)]
        )
        action["domain"] = [("id", "in", sites.ids)]
        action["context"] = {
            "default_partner_id": self.id,
            "default_name": self.name,
        }
        if len(sites) <= 1:
            action["views"] = [(False, "form")]
            action["res_id"] = sites.id
        return action
