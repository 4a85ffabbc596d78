from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    recurrence_days = fields.Integer(
        related="company_id.recurrence_days", readonly=False
    )
    trace_days = fields.Integer(related="company_id.trace_days", readonly=False)
    scorecard_freeze_days = fields.Integer(
        related="company_id.scorecard_freeze_days", readonly=False
    )
    scrap_gm_amount = fields.Monetary(
        related="company_id.scrap_gm_amount",
        readonly=False,
        currency_field="company_currency_id",
    )
    claim_allowance_account_id = fields.Many2one(
        related="company_id.claim_allowance_account_id", readonly=False
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
