from odoo import api, fields, models
from odoo.tools import SQL

from .quality_claim_entry import BALANCES
from .quality_figure import PRODUCT


class QualityFigure(models.Model):
    """Entries of the claim ledger (L4), in the company's currency at their own date."""

    _inherit = "quality.figure"
    _depends = {
        "quality.claim.entry": [
            "claim_id",
            "line_id",
            "site_id",
            "company_id",
            "date",
            "balance",
            "amount_company",
        ],
        "quality.claim": ["name", "partner_id", "complaint_id"],
        "quality.claim.line": ["product_id", "vehicle_model", "failed_on"],
        "quality.complaint": ["defect_id", "problem_type", "severity"],
    }

    kind = fields.Selection(selection_add=[("claim", "Claim")])

    @api.model
    def _get_selects(self):
        return {
            **super()._get_selects(),
            "claim": (
                {
                    "id": "fact.id",
                    # A date without a time: noon is that day nearly everywhere.
                    "date": "fact.date + time '12:00'",
                    "day": "fact.date",
                    "month": "date_trunc('month', fact.date)",
                    "company_id": "fact.company_id",
                    "site_id": "fact.site_id",
                    "partner_id": "fact.partner_id",
                    "product_id": "fact.product_id",
                    "product_categ_id": "template.categ_id",
                    "defect_id": "complaint.defect_id",
                    "problem_type": "complaint.problem_type",
                    "severity": "complaint.severity",
                    "complaint_id": "fact.complaint_id",
                    "claim_id": "fact.claim_id",
                    "vehicle_model": "fact.vehicle_model",
                    "failure_month": "date_trunc('month', fact.failed_on)",
                    "name": "fact.name",
                    "res_model": "'quality.claim'",
                    "res_id": "fact.claim_id",
                    **{
                        f"amount_{balance}": f"""CASE WHEN fact.balance = '{balance}'
                            THEN fact.amount_company END"""
                        for balance, _label in BALANCES
                    },
                    "amount_open": """CASE
                        WHEN fact.balance = 'claimed' THEN fact.amount_company
                        WHEN fact.balance IN ('accepted', 'refused')
                        THEN -fact.amount_company END""",
                },
                SQL(
                    """FROM (
                        SELECT entry.*, claim.name, claim.partner_id,
                            claim.complaint_id, line.product_id, line.vehicle_model,
                            line.failed_on
                        FROM quality_claim_entry entry
                        JOIN quality_claim claim ON claim.id = entry.claim_id
                        LEFT JOIN quality_claim_line line ON line.id = entry.line_id
                    ) fact
                    LEFT JOIN quality_complaint complaint
                        ON complaint.id = fact.complaint_id
                    %s""",
                    PRODUCT,
                ),
            ),
        }
