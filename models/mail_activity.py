from odoo import fields, models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    resident_clock = fields.Char(
        readonly=True, help="The clock that this to-do is about; it ends with it."
    )
