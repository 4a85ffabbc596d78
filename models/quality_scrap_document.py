from odoo import fields, models
from odoo.tools import formatLang


class QualityScrapRequest(models.Model):
    """The request in mails, and the approval as a document."""

    _inherit = "quality.scrap.request"

    parts_text = fields.Text(string="Parts to Scrap", compute="_compute_parts_text")

    def _compute_parts_text(self):
        for request in self:
            request.parts_text = request._get_parts_text()

    def _format_moment(self, name, record=None):
        """Return a datetime field in the site's time zone and the reader's language."""
        record = self if record is None else record
        return self.site_id._format_moment(record[name])

    def _format_amount(self):
        return formatLang(self.env, self.amount_total, currency_obj=self.currency_id)

    def _get_digest_text(self):
        """Return what the morning's mail says of this request."""
        return "\n".join(
            (self.site_id.name, self._get_parts_text(), self._format_amount())
        )

    def _get_document_lang(self):
        """Return the language of the approval: the company's, unless asked for."""
        self.ensure_one()
        return self.env.context.get("document_lang") or self.company_id.partner_id.lang

    def _get_document_name(self):
        """Return the file name of the approval, without its ending."""
        self.ensure_one()
        return self.env._(
            "Scrap approval %(number)s", number=self.name.replace("/", "-")
        )

    def _get_record_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/scrap-requests/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the scrap request")

    def _get_mail_facts(self):
        """Return what the mails say about this request."""
        self.ensure_one()
        return [
            (self.env._("Parts"), self._get_parts_text()),
            (self.env._("Value"), self._format_amount()),
            (self.env._("Requested by"), self.requested_by_id.name or ""),
            (
                self.env._("Reason"),
                self.refusal_reason if self.state == "refused" else self.reason or "",
            ),
        ]

    def _get_event_attachments(self, event):
        """Return the approval with all names, archived when it is first sent."""
        if event.kind != "scrap_done":
            return super()._get_event_attachments(event)
        if not self.pdf_id:
            report = self.env.ref("quality_resident.action_report_scrap_request")
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
