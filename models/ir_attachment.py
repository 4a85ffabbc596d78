from base64 import b64encode

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.image import image_data_uri, image_process

MAX_PHOTOS = 12
# Pixels: sharp at half a page's width, 60 kB or so each.
PHOTO_SIZE = (900, 700)
# What the customer has seen or somebody signed is kept in their field pdf_id.
ARCHIVING_MODELS = (
    "quality.service.sheet",
    "quality.suspect.slip",
    "quality.8d.revision",
    "quality.scrap.request",
    "quality.claim.sheet",
    "quality.scorecard",
    "resident.report",
)


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def write(self, vals):
        if {"raw", "datas", "db_datas", "store_fname", "name", "res_id"} & set(vals):
            self._check_kept_documents()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_kept_documents(self):
        self._check_kept_documents()

    def _check_kept_documents(self):
        """Refuse to change what a signature or a released method rests on.

        :raise UserError: names the document
        """
        if not self.ids:
            return
        # Whoever asks, these files stay.
        env = self.sudo().with_context(active_test=False).env
        for model in ARCHIVING_MODELS:
            if document := env[model].search([("pdf_id", "in", self.ids)], limit=1):
                raise UserError(
                    self.env._(
                        "This is the archived document of %(name)s: it stays as it is.",
                        name=document.display_name,
                    )
                )
        if sheet := env["quality.claim.sheet"].search(
            [("photo_ids", "in", self.ids), ("state", "!=", "draft")], limit=1
        ):
            raise UserError(
                self.env._(
                    "This is evidence on %(name)s, which the customer has signed: it "
                    "stays as it is.",
                    name=sheet.name,
                )
            )
        if method := env["quality.method"].search(
            [("file_ids", "in", self.ids), ("state", "!=", "draft")], limit=1
        ):
            raise UserError(
                self.env._(
                    "This document belongs to %(name)s, which is released: it stays as "
                    "it is. Make a new version of the method.",
                    name=method.display_name,
                )
            )

    def _tie_to(self, record):
        """Tie the files that the user uploaded before the first save to ``record``.

        Who may read the record may then read them.
        """
        # The uploader may tie his own file to the record, though it is not his to
        # write; that he may read what he links, the ORM has checked.
        loose = self.sudo().filtered(
            lambda a: not a.res_id and a.create_uid == self.env.user
        )
        if loose:
            loose.write({"res_model": record._name, "res_id": record.id})

    def _get_printable_photos(self):
        """Return ``(name, data URI)`` of those that can be printed.

        Every photo is decoded and encoded anew: what a customer sends is never put
        into the document as it came, and a mail stays small.
        """
        printable = []
        for photo in self.sorted("id"):
            if len(printable) == MAX_PHOTOS:
                break
            try:
                content = image_process(
                    photo.raw, size=PHOTO_SIZE, quality=75, output_format="JPEG"
                )
            except (UserError, ValueError, OSError):
                # Not every phone's format can be decoded here; it stays attached.
                continue
            source = image_data_uri(b64encode(content))
            printable.append({"name": photo.name, "src": source})
        return printable
