from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    recurrence_days = fields.Integer(
        related="company_id.recurrence_days", readonly=False
    )
    trace_days = fields.Integer(related="company_id.trace_days", readonly=False)
