from odoo import api, fields, models


class ResidentTalk(models.Model):
    """A call or talk with the customer and what was agreed (P5)."""

    _name = "resident.talk"
    _description = "Talk with the Customer"
    _inherit = ["resident.site.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "date desc, id desc"
    _rec_name = "subject"
    _same_site_fields = ("complaint_id", "contact_id")

    site_id = fields.Many2one(
        compute="_compute_site_id", store=True, readonly=False, precompute=True
    )
    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
    )
    contact_id = fields.Many2one(
        comodel_name="resident.contact",
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="By",
        required=True,
        default=lambda self: self.env.user,
    )
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    way = fields.Selection(
        selection=[
            ("phone", "Phone"),
            ("meeting", "Face to Face"),
            ("chat", "Chat"),
            ("email", "E-mail"),
        ],
        required=True,
        default="phone",
    )
    subject = fields.Char(required=True)
    agreed = fields.Text(help="What was agreed, by whom, until when.")

    @api.depends("complaint_id")
    def _compute_site_id(self):
        for talk in self:
            talk.site_id = (
                talk.complaint_id.site_id
                or talk.site_id
                or (self.env["resident.site"]._get_default())
            )
