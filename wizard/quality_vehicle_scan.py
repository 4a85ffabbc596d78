from odoo import fields, models

from ..models.quality_vehicle import FITTED


class QualityVehicleScan(models.TransientModel):
    """Enters many vehicles: scanned or pasted, one a line or with any separator."""

    _name = "quality.vehicle.scan"
    _description = "Scan Vehicles"
    _inherit = ["quality.scan.mixin"]

    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    site_id = fields.Many2one(related="complaint_id.site_id")
    fitted = fields.Selection(selection=FITTED, required=True, default="on_line")
    place_id = fields.Many2one(
        comodel_name="resident.place",
        domain="[('site_id', '=', site_id)]",
        ondelete="cascade",
    )
    with_body_numbers = fields.Boolean(
        string="Body Numbers",
        help="Some of the vehicles have no VIN yet: take the plant's own numbers too.",
    )
    vins = fields.Text(string="VINs", required=True)

    def action_apply(self):
        """Enter all vehicles, or none.

        :raise UserError: names what is no VIN, entered twice or on the complaint
        """
        self.ensure_one()
        vehicles = self.env["quality.vehicle"]
        vins = self._split(self.vins.upper())
        self._refuse(
            {v for v in vins if not vehicles._is_valid(v, self.with_body_numbers)},
            self.env._("Not a VIN (17 letters and digits, without I, O and Q)"),
        )
        known = vehicles.search(
            [("complaint_id", "=", self.complaint_id.id), ("vin", "in", vins)]
        )
        self._refuse(set(known.mapped("vin")), self.env._("On the complaint already"))
        vehicles.create(
            [
                {
                    "complaint_id": self.complaint_id.id,
                    "vin": vin,
                    "is_body_number": self.with_body_numbers,
                    "fitted": self.fitted,
                    "place_id": self.place_id.id,
                }
                for vin in vins
            ]
        )
        return {"type": "ir.actions.act_window_close"}
