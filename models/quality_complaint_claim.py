from odoo import fields, models


class QualityComplaint(models.Model):
    _inherit = "quality.complaint"

    claim_ids = fields.One2many("quality.claim", "complaint_id", string="Claims")
    claim_count = fields.Integer(compute="_compute_claim_count")

    def _compute_claim_count(self):
        counts = dict(
            self.env["quality.claim"]._read_group(
                [("complaint_id", "in", self.ids)], ["complaint_id"], ["__count"]
            )
        )
        for complaint in self:
            complaint.claim_count = counts.get(complaint, 0)

    def action_view_claims(self):
        """Open the claims that came of this complaint."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_claim_action"
        )
        action["domain"] = [("complaint_id", "=", self.id)]
        action["context"] = {
            "default_site_id": self.site_id.id,
            "default_complaint_id": self.id,
        }
        return action

    def action_create_claim(self):
        """Open a new claim of what the customer wants for this complaint."""
        return {
            **self.action_view_claims(),
            "views": [(False, "form")],
        }
