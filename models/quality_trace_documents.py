from odoo import api, fields, models
from odoo.tools import SQL

OWN = ("id", "lot_id", "company_id", "site_id", "place_id")
LINE = ("id", "lot_id", "product_id", "company_id", "site_id", "location_id")
# A trace counts in the product's unit, whatever unit the line was entered in.
IN_PRODUCT_UNIT = "* unit.factor / own_unit.factor"
UNITS = SQL(
    """JOIN uom_uom unit ON unit.id = traced.uom_id
    JOIN product_product product ON product.id = traced.product_id
    JOIN product_template template ON template.id = product.product_tmpl_id
    JOIN uom_uom own_unit ON own_unit.id = template.uom_id"""
)


class QualityTrace(models.Model):
    """Documents that name a lot: vehicles, slips, returns, scrap requests, claims."""

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
        "quality.scrap.line": [*LINE, "request_id", "state", "quantity", "uom_id"],
        "quality.scrap.request": ["name", "requested_at", "decided_at"],
        "quality.return.line": [
            *LINE,
            "return_id",
            "requested_at",
            "quantity",
            "qty_received",
            "uom_id",
        ],
        "quality.return": ["name", "state"],
        "quality.claim.line": [*LINE[:-1], "claim_id", "failed_on", "quantity"],
        "quality.claim": ["name", "notice_date", "state"],
        "uom.uom": ["factor"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["uom_id"],
    }

    kind = fields.Selection(
        selection_add=[
            ("vehicle", "Vehicle"),
            ("slip", "Suspect Slip"),
            ("return", "Return"),
            ("scrap", "Scrap"),
            ("claim", "Claim"),
        ]
    )

    @api.model
    def _get_selects(self):
        own = {name: f"traced.{name}" for name in OWN}
        line = {name: f"traced.{name}" for name in LINE}
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
            "return": (
                {
                    **line,
                    "date": "COALESCE(traced.requested_at, traced.create_date)",
                    # Without a planned quantity it came unasked.
                    "quantity": "COALESCE(NULLIF(traced.quantity, 0), "
                    f"traced.qty_received) {IN_PRODUCT_UNIT}",
                    "name": "document.name",
                    "res_model": "'quality.return'",
                    "res_id": "document.id",
                },
                SQL(
                    """FROM quality_return_line traced
                    JOIN quality_return document
                        ON document.id = traced.return_id
                        AND document.state != 'cancelled'
                    %s""",
                    UNITS,
                ),
            ),
            "scrap": (
                {
                    **line,
                    "date": "COALESCE(document.decided_at, document.requested_at, "
                    "traced.create_date)",
                    "quantity": f"traced.quantity {IN_PRODUCT_UNIT}",
                    "name": "document.name",
                    "res_model": "'quality.scrap.request'",
                    "res_id": "document.id",
                },
                SQL(
                    """FROM quality_scrap_line traced
                    JOIN quality_scrap_request document
                        ON document.id = traced.request_id
                        AND document.state != 'cancelled'
                    %s""",
                    UNITS,
                ),
            ),
            "claim": (
                {
                    **{name: line[name] for name in LINE[:-1]},
                    "date": "COALESCE(traced.failed_on, document.notice_date)",
                    "quantity": "traced.quantity",
                    "name": "document.name",
                    "res_model": "'quality.claim'",
                    "res_id": "document.id",
                },
                SQL(
                    """FROM quality_claim_line traced
                    JOIN quality_claim document
                        ON document.id = traced.claim_id
                        AND document.state != 'withdrawn'"""
                ),
            ),
        }
