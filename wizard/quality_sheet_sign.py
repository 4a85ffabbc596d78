from odoo import api, fields, models
from odoo.exceptions import UserError


class QualitySheetSign(models.TransientModel):
    """The SQE signs any document of his with his finger on the resident's phone."""

    _name = "quality.sheet.sign"
    _description = "Sign"

    res_model = fields.Char(
        string="Document Model",
        required=True,
        default=lambda self: self.env.context.get("active_model"),
    )
    res_id = fields.Many2oneReference(
        string="Document ID",
        model_field="res_model",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
    )
    signed_by = fields.Char(
        required=True,
        compute="_compute_signed_by",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    signature = fields.Binary(required=True, attachment=False)
    shown = fields.Char(
        compute="_compute_shown",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        help="What the document said when the dialogue was opened.",
    )

    @api.depends("res_model", "res_id")
    def _compute_signed_by(self):
        for wizard in self:
            contact = wizard._get_document().contact_id
            wizard.signed_by = wizard.signed_by or contact.partner_id.name

    @api.depends("res_model", "res_id")
    def _compute_shown(self):
        for wizard in self:
            wizard.shown = wizard._get_document()._get_content_hash()

    def _get_document(self):
        """Return the document to sign.

        :raise UserError: customers do not sign documents of that model
        """
        self.ensure_one()
        signed_models = self.env["quality.signature.mixin"]._get_signed_models()
        if self.res_model not in signed_models:
            raise UserError(self.env._("Open this dialogue from a document's button."))
        return self.env[self.res_model].browse(self.res_id)

    def action_apply(self):
        """Sign and lock the document."""
        document = self._get_document()
        if document._get_content_hash() != self.shown:
            raise UserError(
                self.env._(
                    "%(name)s was changed while it was being signed. Close this, read "
                    "it again, then sign.",
                    name=document.name,
                )
            )
        document.action_sign(signature=self.signature, signed_by=self.signed_by)
        return {"type": "ir.actions.act_window_close"}
