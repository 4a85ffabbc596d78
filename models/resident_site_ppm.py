from odoo import fields, models


class ResidentSite(models.Model):
    _inherit = "resident.site"

    ppm_target = fields.Float(
        string="PPM Target",
        digits=(16, 1),
        tracking=True,
        help="Bad parts in a million delivered that the customer accepts. 0: no "
        "target is agreed.",
    )

    _ppm_target_positive = models.Constraint(
        "CHECK (ppm_target >= 0)", "The PPM target cannot be negative."
    )
