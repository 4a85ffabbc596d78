import re
from datetime import timedelta
from textwrap import shorten

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import escape_psql, html2plaintext
from odoo.tools.image import binary_to_image

# What a mail program leaves of an image where only text is wanted.
IMAGE_LEFTOVERS = re.compile(
    r"<img\b[^>]*>|\[(?:cid|image):[^\]]*\]", re.IGNORECASE | re.DOTALL
)
EMPTY_LINKS = re.compile(r"<a\b[^>]*>\s*</a>", re.IGNORECASE | re.DOTALL)
# Pixels: an image within a mail's text that is smaller is a logo or a smiley.
MIN_INLINE_PHOTO = 200


class QualityComplaint(models.Model):
    _inherit = "quality.complaint"

    calendar_title = fields.Char(compute="_compute_calendar_title")

    # === MAIL GATEWAY (C2) === #

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Make a complaint of a customer's mail to the site's address.

        ``custom_values`` are the alias's defaults: the site and the channel.
        """
        contact = self._find_contact(
            (custom_values or {}).get("site_id"), msg_dict.get("author_id")
        )
        body = self._get_mail_text(msg_dict.get("body") or "")
        subject = msg_dict.get("subject") or ""
        values = {
            "description": f"{subject}\n\n{body}".strip(),
            "contact_id": contact.id,
            # The number is ours to give; core would put the subject there.
            "name": self._get_initial_values()["name"],
            **(custom_values or {}),
        }
        return super().message_new(msg_dict, custom_values=values)

    @api.model
    def _get_mail_text(self, body):
        """Return the text of a mail, without what stands for its images."""
        body = EMPTY_LINKS.sub("", IMAGE_LEFTOVERS.sub("", body))
        return re.sub(r"\n{3,}", "\n\n", html2plaintext(body)).strip()

    @api.model
    def _find_contact(self, site_id, author_id):
        if not (site_id and author_id):
            return self.env["resident.contact"]
        # The gateway runs as whoever wrote the mail, mostly nobody we know.
        return (
            self.env["resident.contact"]
            .sudo()
            .search(
                [("site_id", "=", site_id), ("partner_id", "=", author_id)], limit=1
            )
        )

    def _message_post_after_hook(self, message, msg_values):
        """Photos that come by mail are photos of the complaint."""
        # The files came with his own mail.
        photos = message.sudo().attachment_ids.filtered(
            lambda a: (
                message.message_type == "email"
                and (a.mimetype or "").startswith("image/")
                and self._is_mailed_photo(a, message.body)
            )
        )
        if photos:
            # A customer may add photos to the thread he may write to.
            links = [Command.link(photo.id) for photo in photos]
            # What he sends is kept, also with a complaint that is finished.
            self.sudo()._write_protected({"photo_ids": links})
        return super()._message_post_after_hook(message, msg_values)

    @api.model
    def _is_mailed_photo(self, attachment, body):
        """Tell a photo from the logos of a signature, which stand within the text."""
        if f"/web/image/{attachment.id}?" not in (body or ""):
            return True
        try:
            return min(binary_to_image(attachment.raw).size) >= MIN_INLINE_PHOTO
        except UserError:
            # A phone's format that cannot be decoded here; drawings are no photos.
            return attachment.mimetype != "image/svg+xml"

    # === REPORT PAGE (C2) === #

    @api.model
    def _count_recent_portal(self, site):
        since = fields.Datetime.now() - timedelta(hours=1)
        return self.search_count(
            [
                ("site_id", "=", site.id),
                ("channel", "=", "portal"),
                ("called_at", ">=", since),
            ]
        )

    @api.model
    def _create_from_portal(self, site, values):
        """Make a complaint of the report page's entries.

        :param dict values: name, email, part and description, as typed
        """
        contact = self.env["resident.contact"]
        if values["email"]:
            contact = contact.search(
                [
                    ("site_id", "=", site.id),
                    "|",
                    ("partner_id.email", "=ilike", escape_psql(values["email"])),
                    ("partner_id.phone", "=", values["email"]),
                ],
                limit=1,
            )
        part = self.env["resident.part"]
        if values["part"]:
            part = part._find_by_customer_ref(site, values["part"])
        by = ", ".join(filter(None, (values["name"], values["email"])))
        lines = [values["description"]]
        if values["part"] and not part:
            lines.append(self.env._("Part number: %(part)s", part=values["part"]))
        if by and not contact:
            lines.append(self.env._("Reported by: %(who)s", who=by))
        return self.create(
            {
                "site_id": site.id,
                "channel": "portal",
                "contact_id": contact.id,
                "part_id": part.id,
                "description": "\n".join(lines),
            }
        )

    # === TEXT FOR MAILS AND DOCUMENTS === #

    def _format_moment(self, name, record=None):
        """Return a datetime field in the site's time zone and the user's language."""
        record = self if record is None else record
        return self.site_id.with_env(self.env)._format_moment(record[name])

    def _format_quantity(self):
        """Return the bad quantity with its unit."""
        return f"{self._format_number('quantity')} {self.uom_id.name or ''}".strip()

    def _format_number(self, name, record=None):
        """Return a quantity without needless zeros."""
        record = self if record is None else record
        return f"{record[name]:.12g}"

    def _get_excerpt(self, length=500):
        """Return the start of the description."""
        return shorten(self.description or "–", length, placeholder=" …")

    def _get_topic(self):
        """Return what the complaint is about, as short as a mail's subject needs."""
        self.ensure_one()
        return self.product_id.name or (self.description and self._get_excerpt(60))

    @api.depends("name", "product_id.name", "defect_id.name")
    @api.depends_context("lang")
    def _compute_calendar_title(self):
        # A day of the month view shows a dozen characters: the number comes last.
        for complaint in self:
            parts = (
                complaint.product_id.name,
                complaint.defect_id.name,
                complaint.name,
            )
            complaint.calendar_title = " · ".join(filter(None, parts))

    def _get_record_url(self):
        """Return the link that opens this record in the web client."""
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/complaints/{self.id}"

    # === DOCUMENTS === #

    def _get_event_attachments(self, event):
        """Return the feedback form, in the language of the mail, as it is sent."""
        if event.kind != "feedback":
            return super()._get_event_attachments(event)
        report = self.env.ref("quality_resident.action_report_feedback")
        content, _format = report.with_context(
            document_lang=self.env.context.get("lang")
        )._render_qweb_pdf(report.report_name, self.ids)
        return self.env["ir.attachment"].create(
            {
                "name": f"{self._get_document_name()}.pdf",
                "raw": content,
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
            }
        )

    def _get_late_text(self):
        """Return "late" with its explanation, for documents."""
        self.ensure_one()
        status = dict(self._fields["arrival_status"]._description_selection(self.env))
        reasons = (self.late_reason, self.customer_told)
        return "; ".join(filter(None, (status[self.arrival_status], *reasons)))

    def _get_document_name(self):
        """Return the file name of the feedback form, without its ending."""
        self.ensure_one()
        return self.env._(
            "Feedback form %(number)s r%(revision)s",
            number=self.name.replace("/", "-"),
            revision=max(self.feedback_revision, 1),
        )

    def _get_document_lang(self):
        """Return the language of the documents: the customer's, unless asked for."""
        self.ensure_one()
        return self.env.context.get("document_lang") or self.partner_id.lang
