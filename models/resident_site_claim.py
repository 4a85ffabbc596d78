from odoo import fields, models

from .quality_claim_settlement import SETTLEMENTS


class ResidentSite(models.Model):
    _inherit = "resident.site"

    claim_quantity = fields.Float(
        string="Claims to Escalate Above (Quantity)",
        digits="Product Unit",
        help="When more than this many claimed parts are undecided, Sales and Quality "
        "are mailed to send somebody. 0: the quantity does not matter.",
    )
    claim_amount = fields.Monetary(
        string="Claims to Escalate Above (Amount)",
        currency_field="company_currency_id",
        help="The same by what the undecided parts come to, in company currency. "
        "0: the amount does not matter.",
    )
    claim_settlement = fields.Selection(
        SETTLEMENTS,
        string="Claims Settled by",
        default="refund",
        required=True,
        help="What agreed claims become in accounting; a claim may have another.",
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )

    _claim_limits_positive = models.Constraint(
        "CHECK (claim_quantity >= 0 AND claim_amount >= 0)",
        "The limits above which claims are escalated cannot be negative.",
    )
