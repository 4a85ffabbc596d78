from odoo import api, fields, models


class Quality8dRevision(models.Model):
    """An 8D report as the customer got it, and what he said (spec.md C11).

    Only the report's actions write it; nobody has the right to.
    """

    _name = "quality.8d.revision"
    _description = "Sent 8D Report"
    _inherit = "resident.site.mixin"
    _order = "eightd_id desc, number desc"

    eightd_id = fields.Many2one(
        comodel_name="quality.8d",
        string="8D Report",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    site_id = fields.Many2one(
        related="eightd_id.site_id", store=True, precompute=True, required=False
    )
    number = fields.Integer(string="Revision", required=True, readonly=True)
    sent_at = fields.Datetime(required=True, readonly=True)
    sent_by_id = fields.Many2one(
        comodel_name="res.users", required=True, readonly=True, ondelete="restrict"
    )
    progress = fields.Char(readonly=True)
    is_complete = fields.Boolean(string="Complete", readonly=True)
    pdf_id = fields.Many2one(
        comodel_name="ir.attachment",
        string="Document",
        readonly=True,
        ondelete="restrict",
    )
    data = fields.Json(string="Content", readonly=True)
    mailed_partner_ids = fields.Many2many(
        comodel_name="res.partner", string="Mailed to", readonly=True
    )
    answer = fields.Selection(
        selection=[("accepted", "Accepted"), ("refused", "Refused")], readonly=True
    )
    answered_by_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Answered by",
        readonly=True,
        ondelete="restrict",
    )
    answered_at = fields.Datetime(string="Answered On", readonly=True)
    remark = fields.Text(string="What the Customer Said", readonly=True)

    _eightd_number_uniq = models.UniqueIndex(
        "(eightd_id, number)", "This revision has been sent already."
    )

    @api.depends("eightd_id.name", "number")
    def _compute_display_name(self):
        for revision in self:
            revision.display_name = f"{revision.eightd_id.name} r{revision.number}"

    def action_open_pdf(self):
        """Open the document as it was sent."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self.pdf_id.id}",
            "target": "new",
        }
