from odoo import api, fields, models

# So many are named; the rest is a number.
SHOWN = 5


class QualityComplaint(models.Model):
    """What came of the parts: on vehicles, or in boxes with a slip (C10)."""

    _inherit = "quality.complaint"

    vehicle_ids = fields.One2many("quality.vehicle", "complaint_id", string="Vehicles")
    vehicle_count = fields.Integer(compute="_compute_vehicle_count")
    vehicles_open = fields.Integer(
        string="Vehicles Not Verified", compute="_compute_vehicle_count"
    )
    slip_ids = fields.One2many(
        "quality.suspect.slip", "complaint_id", string="Suspect Slips"
    )

    @api.depends("vehicle_ids.state")
    def _compute_vehicle_count(self):
        counts = {}
        for complaint, state, count in self.env["quality.vehicle"]._read_group(
            [("complaint_id", "in", self.ids)], ["complaint_id", "state"], ["__count"]
        ):
            counts.setdefault(complaint, {})[state] = count
        for complaint in self:
            by_state = counts.get(complaint._origin, {})
            complaint.vehicle_count = sum(by_state.values())
            complaint.vehicles_open = complaint.vehicle_count - by_state.get(
                "verified", 0
            )

    def _get_vehicle_gaps(self):
        """Return the vehicles whose repair is not proven, as one line or none."""
        self.ensure_one()
        waiting = self.vehicle_ids.filtered(lambda v: v.state != "verified")
        if not waiting:
            return []
        names = ", ".join(waiting[:SHOWN].mapped("vin"))
        more = len(waiting) - SHOWN
        return [
            self.env._(
                "Vehicles not verified (%(count)s): %(vins)s",
                count=len(waiting),
                vins=f"{names} … (+{more})" if more > 0 else names,
            )
        ]

    def action_view_vehicles(self):
        """Open the vehicles, to note many of them as repaired or verified at once."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_vehicle_action"
        )
        return {
            **action,
            "domain": [("complaint_id", "=", self.id)],
            "context": {"default_complaint_id": self.id},
        }
