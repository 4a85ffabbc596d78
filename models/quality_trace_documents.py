from odoo import api, fields, models
from odoo.tools import SQL

OWN = ("id", "lot_id", "company_id", "site_id", "place_id")


class QualityTrace(models.Model):
    """Documents that name a lot: the vehicles it is on, the slips that set it apart."""

    _inherit = "quality.trace"
    _depends = {
        "quality.vehicle": ["vin", *OWN[1:], "complaint_id", "create_date"],
        "quality.suspect.slip": [
            "name",
            *OWN[1:],
            "product_id",
            "found_at",
            "quantity",
        ],
    }

    kind = fields.Selection(
        selection_add=[("vehicle", "Vehicle"), ("slip", "Suspect Slip")]
    )

    @api.model
    def _get_selects(self):
        own = {name: f"traced.{name}" for name in OWN}
        return {
            **super()._get_selects(),
            "vehicle": (
                {
                    **own,
                    "product_id": "complaint.product_id",
                    "date": "traced.create_date",
                    "quantity": "1",
                    "name": "traced.vin",
                    "res_model": "'quality.vehicle'",
                    "res_id": "traced.id",
                },
                SQL(
                    """FROM quality_vehicle traced
                    JOIN quality_complaint complaint
                        ON complaint.id = traced.complaint_id"""
                ),
            ),
            "slip": (
                {
                    **own,
                    "product_id": "traced.product_id",
                    "date": "traced.found_at",
                    "quantity": "traced.quantity",
                    "name": "traced.name",
                    "res_model": "'quality.suspect.slip'",
                    "res_id": "traced.id",
                },
                # The slips that it was split into stand for it.
                SQL("FROM quality_suspect_slip traced WHERE traced.state != 'split'"),
            ),
        }
