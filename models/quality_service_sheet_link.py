import secrets
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import consteq

LINK_DAYS = 7


class QualityServiceSheet(models.Model):
    """The sheet as a document, and the link through which an absent SQE signs it."""

    _inherit = "quality.service.sheet"

    # === DOCUMENTS AND MAIL === #

    def _format_moment(self, name):
        """Return a datetime field in the site's time zone."""
        self.ensure_one()
        return self.complaint_id._format_moment(name, self)

    def _get_document_lang(self):
        """Return the language of the sheet: the customer's, unless asked for."""
        return self.complaint_id._get_document_lang()

    def _get_document_name(self):
        """Return the file name of the sheet, without its ending."""
        self.ensure_one()
        return self.env._(
            "Service sheet %(number)s r%(revision)s",
            number=self.name.replace("/", "-"),
            revision=self.revision,
        )

    def _get_event_attachments(self, event):
        """Return the signed sheet, archived in the customer's language."""
        if event.kind != "sheet_signed":
            return super()._get_event_attachments(event)
        if not self.pdf_id:
            report = self.env.ref("quality_resident.action_report_service_sheet")
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
        for sheet in self:
            sheet.check_access("write")
            if sheet.state != "draft":
                raise UserError(
                    self.env._("%(name)s is not waiting to be signed.", name=sheet.name)
                )
            if not sheet.contact_id.email:
                raise UserError(
                    self.env._(
                        "%(name)s: choose the “Customer's SQE” and give him an e-mail "
                        "address.",
                        name=sheet.name,
                    )
                )
            # The token is the customer's key: residents send it without seeing it.
            sheet.sudo()._write_protected(
                {
                    "link_token": secrets.token_urlsafe(32),
                    "link_until": fields.Datetime.now() + timedelta(days=LINK_DAYS),
                }
            )
            template = self.env.ref("quality_resident.mail_template_sheet_link").sudo()
            template.with_context(lang=sheet.contact_id.partner_id.lang).send_mail(
                sheet.id,
                email_values={
                    "recipient_ids": [Command.link(sheet.contact_id.partner_id.id)],
                    # The key is for him alone: nobody reads this mail in the thread.
                    "message_type": "user_notification",
                    "author_id": self.env.ref("base.partner_root").id,
                },
            )
        self.env["resident.event"]._wake_job("mail.ir_cron_mail_scheduler_action")
        return True

    def _get_link_url(self):
        """Return the link for the mail; only the template calls it."""
        self.ensure_one()
        token = self.sudo().link_token
        return f"{self.get_base_url()}/quality_resident/sheet/{self.id}/{token}"

    def _is_link_valid(self, token):
        """Tell whether ``token`` opens this sheet now."""
        self.ensure_one()
        return bool(
            self.exists()
            and self.state == "draft"
            and self.link_token
            and consteq(self.link_token.encode(), token.encode())
            and self.link_until >= fields.Datetime.now()
        )
