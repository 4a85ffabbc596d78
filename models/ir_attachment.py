from odoo import api, models
from odoo.exceptions import UserError


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def write(self, vals):
        if {"raw", "datas", "db_datas", "store_fname", "name", "res_id"} & set(vals):
            self._check_signed_documents()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed_documents(self):
        self._check_signed_documents()

    def _check_signed_documents(self):
        """Refuse to change the archived PDF of a signed sheet.

        :raise UserError: names the sheet
        """
        # Whoever asks, a signed document stays.
        sheet = (
            self.env["quality.service.sheet"]
            .sudo()
            .search([("pdf_id", "in", self.ids)], limit=1)
            if self.ids
            else None
        )
        if sheet:
            raise UserError(
                self.env._(
                    "This is the signed document of %(name)s: it stays as it is.",
                    name=sheet.name,
                )
            )
