from odoo import api, fields, models
from odoo.exceptions import UserError

SIGNATURE_ROLES = [
    ("quality", "Quality"),
    ("sales", "Sales"),
    ("gm", "General Manager"),
]


class QualityScrapSignature(models.Model):
    """One person's yes or no to one revision of a scrap request (S1, S2).

    Made by the request's actions alone; nobody changes or deletes one.
    """

    _name = "quality.scrap.signature"
    _description = "Scrap Signature"
    _inherit = ["quality.workflow.mixin"]
    _order = "date, id"
    _rec_name = "user_id"
    _state_field = "agree"
    _protected_fields = (
        "request_id",
        "revision",
        "role",
        "user_id",
        "date",
        "comment",
        "amount_total",
    )

    request_id = fields.Many2one(
        comodel_name="quality.scrap.request",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    site_id = fields.Many2one(related="request_id.site_id", store=True, index=True)
    company_id = fields.Many2one(
        related="request_id.company_id", store=True, index=True
    )
    revision = fields.Integer(required=True, readonly=True)
    role = fields.Selection(SIGNATURE_ROLES, required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Signed by",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    date = fields.Datetime(required=True, readonly=True)
    agree = fields.Boolean(readonly=True)
    comment = fields.Text(readonly=True)
    currency_id = fields.Many2one(related="request_id.currency_id")
    amount_total = fields.Monetary(
        string="Value Signed", readonly=True, help="What the list came to then."
    )
    is_valid = fields.Boolean(
        compute="_compute_is_valid", help="Given for the list as it is now."
    )

    _once_per_role = models.UniqueIndex(
        "(request_id, revision, role)", "This side has signed already."
    )
    _once_per_user = models.UniqueIndex(
        "(request_id, revision, user_id)", "Nobody signs for two sides."
    )

    def _compute_is_valid(self):
        for signature in self:
            signature.is_valid = signature.revision == signature.request_id.revision

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        if self:
            raise UserError(self.env._("Signatures stay on record."))
