from odoo import fields, models


class QualityRequesterMixin(models.AbstractModel):
    """A list of parts that colleagues decide on: never who wrote any of it."""

    _name = "quality.requester.mixin"
    _description = "Document Decided by Others"
    _inherit = ["quality.workflow.mixin"]

    requester_ids = fields.Many2many(
        comodel_name="res.users",
        string="Requested by",
        readonly=True,
        copy=False,
        help="Everybody who wrote the list: none of them decides on it.",
    )

    def _get_protected_fields(self):
        return super()._get_protected_fields() | {"requester_ids"}

    def _add_requester(self):
        """Note that the current user wrote part of these lists."""
        others = self.filtered(lambda r: self.env.user not in r.requester_ids)
        others._write_protected({"requester_ids": [(4, self.env.uid)]})
