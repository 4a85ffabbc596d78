import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import consteq

LINK_DAYS = 7


class QualitySignatureMixin(models.AbstractModel):
    """The signed document in print, and the link through which an absent SQE signs."""

    _inherit = "quality.signature.mixin"

    @api.model
    def _get_signed_models(self):
        """Return the names of the models whose documents customers sign."""
        return [
            name
            for name in self.env.registry.descendants([self._name], "_inherit")
            if not self.env[name]._abstract
        ]

    # === DOCUMENTS AND MAIL === #

    def _format_moment(self, name):
        """Return a datetime field in the site's time zone."""
        self.ensure_one()
        return self.site_id.with_env(self.env)._format_moment(self[name])

    def _get_document_lang(self):
        """Return the language of the document: the customer's, unless asked for."""
        return self[self._parent_field]._get_document_lang()

    def _get_document_name(self):
        """Return the file name of the document, without its ending."""
        raise NotImplementedError

    def _get_event_attachments(self, event):
        """Return the signed document, archived in the customer's language."""
        if event.kind != self._signed_event:
            return super()._get_event_attachments(event)
        if not self.pdf_id:
            report = self.env.ref(self._signed_report)
            content, _format = report._render_qweb_pdf(report.report_name, self.ids)
            pdf = self.env["ir.attachment"].create(
                {
                    "name": f"{self._get_document_name()}.pdf",
                    "raw": content,
                    "mimetype": "application/pdf",
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
            self._write_protected({"pdf_id": pdf.id})
        return self.pdf_id

    # === SIGNING LINK === #

    def action_send_link(self):
        """Mail the SQE a link to read and sign; it works for LINK_DAYS days.

        :raise UserError: the SQE or his e-mail address is missing
        """
        for document in self:
            document.check_access("write")
            if not document._can_be_signed():
                raise UserError(document._get_unsignable_message())
            if not document.contact_id.email:
                raise UserError(
                    self.env._(
                        "%(name)s: choose the “Customer's SQE” and give him an e-mail "
                        "address.",
                        name=document.name,
                    )
                )
            # The token is the customer's key: residents send it without seeing it.
            document.sudo()._write_protected(
                {
                    "link_token": secrets.token_urlsafe(32),
                    "link_until": fields.Datetime.now() + timedelta(days=LINK_DAYS),
                }
            )
            template = self.env.ref(self._link_template).sudo()
            template.with_context(lang=document.contact_id.partner_id.lang).send_mail(
                document.id,
                email_values={
                    "recipient_ids": [Command.link(document.contact_id.partner_id.id)],
                    # The key is for him alone: nobody reads this mail in the thread.
                    "message_type": "user_notification",
                    "author_id": self.env.ref("base.partner_root").id,
                },
            )
        self.env["resident.event"]._wake_job("mail.ir_cron_mail_scheduler_action")
        return True

    def _drop_link(self):
        """Make the link useless."""
        # The customer's key is hidden from residents.
        self.sudo()._write_protected({"link_token": False, "link_until": False})

    def _get_link_path(self, token):
        """Return the path of the page to read and sign."""
        self.ensure_one()
        return f"/quality_resident/sign/{self._name}/{self.id}/{token}"

    def _get_link_url(self):
        """Return the link for the mail; only the template calls it."""
        # The key is hidden from all users; only the mail carries it.
        return f"{self.get_base_url()}{self._get_link_path(self.sudo().link_token)}"

    def _is_link_valid(self, token):
        """Tell whether ``token`` opens this document now."""
        self.ensure_one()
        return bool(
            self.exists()
            and self._can_be_signed()
            and self.link_token
            and consteq(self.link_token.encode(), token.encode())
            and self.link_until >= fields.Datetime.now()
        )
