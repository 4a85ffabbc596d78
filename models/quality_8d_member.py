from odoo import fields, models


class Quality8dMember(models.Model):
    """Who works on an 8D, and in which function (D1)."""

    _name = "quality.8d.member"
    _description = "8D Team Member"
    _inherit = "quality.8d.line"
    _order = "eightd_id desc, role, id"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        comodel_name="res.partner", required=True, index=True, ondelete="restrict"
    )
    role = fields.Selection(
        selection=[
            ("quality", "Quality"),
            ("resident", "Resident Engineer"),
            ("sales", "Sales"),
            ("production", "Production"),
            ("process", "Process Engineering"),
            ("design", "Product Design"),
            ("logistics", "Logistics"),
            ("purchasing", "Purchasing"),
            ("supplier", "Sub-supplier"),
            ("customer", "Customer"),
        ],
        string="Role in the Team",
        required=True,
    )
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")

    _eightd_partner_uniq = models.UniqueIndex(
        "(eightd_id, partner_id)", "This person is in the team already."
    )
