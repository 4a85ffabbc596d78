import base64
import binascii
import hashlib
import io
import json

from PIL import Image

from odoo import api, fields, models
from odoo.exceptions import UserError

# What the signature itself leaves on the document; only signing sets it.
SIGNATURE_FIELDS = frozenset(
    (
        "signature",
        "signed_by",
        "signed_on",
        "signed_user_id",
        "signed_hash",
        "link_token",
        "link_until",
        "pdf_id",
    )
)


class QualitySignatureMixin(models.AbstractModel):
    """A document of a complaint or claim that the customer signs, which locks it.

    He signs with his finger on the resident's phone, or through a link that expires
    (quality_signature_link.py). The hash over all that he has signed shows a change
    that was made past the application.
    """

    _name = "quality.signature.mixin"
    _description = "Document Signed by the Customer"
    _inherit = ["resident.event.mixin", "quality.workflow.mixin"]

    # The document that it belongs to: its number is signed, its language printed.
    _parent_field = "complaint_id"
    # What the customer signs: locked by the signature and covered by the hash.
    _signed_fields = ()
    # What the hash covers besides: who signed what, and when.
    _hashed_fields = ("name", "signed_by", "signed_on")
    # Kind of the event that mails the signed document and archives it.
    _signed_event = None
    # Xml ids: the printed document, the mail with the link, what the link shows.
    _signed_report = None
    _link_template = None
    _link_page = None

    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        index=True,
        ondelete="restrict",
    )
    contact_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Customer's SQE",
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
    )
    signature = fields.Image(
        max_width=1024, max_height=512, readonly=True, copy=False, attachment=True
    )
    signed_by = fields.Char(readonly=True, copy=False)
    signed_on = fields.Datetime(readonly=True, copy=False)
    signed_user_id = fields.Many2one(
        comodel_name="res.users",
        string="Signed on the Phone of",
        readonly=True,
        copy=False,
        help="Empty: signed through the link.",
    )
    signed_hash = fields.Char(readonly=True, copy=False)
    is_intact = fields.Boolean(
        compute="_compute_is_intact",
        help="What is shown is what was signed.",
    )
    link_token = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    link_until = fields.Datetime(readonly=True, copy=False)
    pdf_id = fields.Many2one(
        comodel_name="ir.attachment",
        string="Signed Document",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    @api.model
    def _get_protected_fields(self):
        return super()._get_protected_fields() | SIGNATURE_FIELDS

    def _is_signed(self):
        """Tell whether the document has been signed, whatever became of it since."""
        self.ensure_one()
        return bool(self.signed_on or self.signed_hash)

    def _can_be_signed(self):
        """Tell whether the document waits for its signature."""
        self.ensure_one()
        return not self._is_signed()

    # === HASH === #

    @api.depends(
        lambda self: ("signed_hash", *self._hashed_fields, *self._signed_fields)
    )
    def _compute_is_intact(self):
        for document in self:
            document.is_intact = (
                not document._is_signed()
                or document.signed_hash == document._get_content_hash()
            )

    def _get_content_hash(self):
        """Return the SHA-256 of what the customer signs, his signature included."""
        text = json.dumps(self._get_signed_content(), sort_keys=True)
        image = self.with_context(bin_size=False).signature or b""
        return hashlib.sha256(text.encode() + image).hexdigest()

    def _get_signed_content(self):
        """Return ``{field: plain value}`` of what the hash covers."""
        self.ensure_one()
        content = {
            name: self._get_signed_value(name)
            for name in (*self._signed_fields, *self._hashed_fields)
        }
        # The number is printed; a complaint renumbered is another complaint.
        content[self._parent_field.removesuffix("_id")] = self[self._parent_field].name
        return content

    def _get_signed_value(self, name):
        value = self[name]
        field = self._fields[name]
        if field.relational:
            # Who leaves or is renamed was there all the same.
            records = self.sudo().with_context(active_test=False)[name]
            if field.comodel_name == "ir.attachment":
                # Files are told by what is in them.
                return sorted(file.checksum or "" for file in records)
            return sorted(records.ids)
        if field.type == "datetime":
            return fields.Datetime.to_string(value)
        return round(value, 6) if isinstance(value, float) else value

    # === LOCK === #

    def _check_locked(self, names):
        locked = [name for name in names if name in self._signed_fields]
        for document in self:
            if locked and document._is_signed():
                raise UserError(document._get_locked_message(locked))
        return super()._check_locked(names)

    def write(self, vals):
        result = super().write(vals)
        if "contact_id" in vals:
            # The link was for somebody else.
            self._drop_link()
        return result

    # === ACTIONS === #

    def action_sign(self, signature=None, signed_by=None):
        """Lock the document with the SQE's signature and archive its PDF.

        :param str signature: image, base64
        :param str signed_by: the name of who signs
        :raise UserError: signature or name is missing, or it is signed already
        """
        self.ensure_one()
        self._sign(signature, signed_by, self.env.user)
        return True

    def _sign(self, signature, signed_by, user):
        signed_by = signed_by.strip() if isinstance(signed_by, str) else ""
        if not signature:
            raise UserError(self.env._("The “Signature” is missing."))
        self._check_stroke(signature)
        if not signed_by:
            raise UserError(self.env._("Write the name of who signs in “Signed by”."))
        self._set_signed(
            {
                "signature": signature,
                "signed_by": signed_by[:120],
                "signed_on": fields.Datetime.now(),
                "signed_user_id": user.id if user else False,
            }
        )
        self._drop_link()
        # The stored image is what counts, core may have made it smaller.
        self.invalidate_recordset(["signature"])
        self._write_protected({"signed_hash": self._get_content_hash()})
        self._emit_event(self._signed_event, key=self._get_signing_key())

    def _set_signed(self, values):
        """Write the signature; a document whose state it moves extends this.

        :raise UserError: the document does not wait for a signature
        """
        self.check_access("write")
        if not self._can_be_signed():
            raise UserError(self._get_unsignable_message())
        self._write_protected(values)

    def _get_unsignable_message(self):
        return self.env._("%(name)s is not waiting to be signed.", name=self.name)

    def _get_signing_key(self):
        """Return what tells this signature from an earlier one of the document."""
        return ""

    def _check_stroke(self, signature):
        """Refuse as a signature what is no picture, or one without a stroke.

        :raise UserError: asks to draw again
        """
        try:
            content = base64.b64decode(signature)
            picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            picture = picture.convert("RGBA")
        except (OSError, TypeError, ValueError, binascii.Error) as error:
            raise UserError(
                self.env._("This is not a signature. Draw it again.")
            ) from error
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture)
        if all(low == high for low, high in paper.getextrema()):
            raise UserError(self.env._("The “Signature” is empty. Draw it again."))
