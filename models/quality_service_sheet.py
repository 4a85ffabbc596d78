import base64
import binascii
import hashlib
import io
import json

from PIL import Image

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class QualityServiceSheet(models.Model):
    """What was done at the customer, signed by his SQE (spec.md C9).

    Signed, it is locked: a correction is a new revision, which voids the old sheet.
    """

    _name = "quality.service.sheet"
    _description = "Service Confirmation Sheet"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "resident.event.mixin",
        "quality.workflow.mixin",
    ]
    _order = "date_from desc, id desc"
    _same_site_fields = ("complaint_id", "contact_id", "place_id")
    _sequence_code = "quality.service.sheet"
    _protected_fields = (
        "name",
        "site_id",
        "company_id",
        "revision",
        "previous_id",
        "signature",
        "signed_by",
        "signed_on",
        "signed_user_id",
        "signed_hash",
        "link_token",
        "link_until",
        "pdf_id",
    )
    _fixed_fields = ("complaint_id",)
    _reason_actions = ("action_revise",)
    # What the customer has signed.
    _signed_fields = (
        "complaint_id",
        "work",
        "contact_id",
        "place_id",
        "method",
        "method_version",
        "method_file_ids",
        "date_from",
        "date_to",
        "hours_break",
        "engineer_ids",
        "lot_ids",
        "qty_in",
        "qty_good",
        "qty_bad",
        "marking",
        "remarks",
        "remarks_customer",
    )
    _editable_states = {name: ("draft",) for name in _signed_fields}

    name = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
        index="trigram",
    )
    state = fields.Selection(
        selection=[("draft", "Draft"), ("signed", "Signed"), ("void", "Void")],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    revision = fields.Integer(readonly=True, default=1, copy=False)
    previous_id = fields.Many2one(
        comodel_name="quality.service.sheet",
        string="Replaces",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        required=True,
        index=True,
        ondelete="restrict",
    )
    site_id = fields.Many2one(
        related="complaint_id.site_id", store=True, precompute=True, required=False
    )
    product_id = fields.Many2one(related="complaint_id.product_id")
    uom_id = fields.Many2one(related="complaint_id.uom_id")
    work = fields.Selection(
        selection=[
            ("sort", "Sorting"),
            ("rework", "Rework"),
            ("line_support", "Line-side Support"),
            ("other", "Other"),
        ],
        required=True,
        default="sort",
        tracking=True,
    )
    contact_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Customer's SQE",
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
    )
    place_id = fields.Many2one(
        comodel_name="resident.place",
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
    )
    method = fields.Text(
        compute="_compute_method",
        store=True,
        readonly=False,
        precompute=True,
        help="How the parts were sorted or reworked.",
    )
    method_version = fields.Char(help="Version of the instruction that was used.")
    method_file_ids = fields.Many2many(
        comodel_name="ir.attachment", string="Instruction"
    )
    engineer_ids = fields.Many2many(
        comodel_name="res.users",
        string="Engineers",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
    )
    date_from = fields.Datetime(
        string="From", required=True, default=fields.Datetime.now
    )
    date_to = fields.Datetime(string="To")
    hours_break = fields.Float(string="Break (h)")
    hours = fields.Float(
        compute="_compute_hours",
        store=True,
        help="(To − from − break) × engineers.",
    )
    lot_ids = fields.Many2many(
        comodel_name="stock.lot",
        string="Lots",
        domain="[('product_id', '=', product_id)]",
    )
    qty_in = fields.Float(string="Received", digits="Product Unit")
    qty_good = fields.Float(string="Good", digits="Product Unit")
    qty_bad = fields.Float(string="Bad", digits="Product Unit")
    qty_open = fields.Float(
        string="Still Open", compute="_compute_qty_open", digits="Product Unit"
    )
    marking = fields.Char(help="How good or reworked parts are marked.")
    remarks = fields.Text()
    remarks_customer = fields.Text(string="Customer's Remarks")

    # The signature
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
        ondelete="restrict",
    )

    _quantities = models.Constraint(
        "CHECK (qty_in >= 0 AND qty_good >= 0 AND qty_bad >= 0 "
        "AND qty_good + qty_bad <= qty_in)",
        "Good and bad parts together cannot be more than the parts received.",
    )
    _break = models.Constraint(
        "CHECK (hours_break >= 0)", "The break cannot be negative."
    )
    _times = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "“To” lies before “From”.",
    )

    @api.model
    def _get_transitions(self):
        return {"draft": {"signed": (), "void": ()}, "signed": {"void": ()}}

    @api.model
    def _get_vals_company(self, vals):
        complaint = self.env["quality.complaint"].browse(vals.get("complaint_id"))
        return complaint.sudo().company_id or self.env.company

    # === COMPUTE METHODS === #

    @api.depends("complaint_id", "work")
    def _compute_method(self):
        for sheet in self:
            wanted = sheet.work == "rework" and sheet.complaint_id.rework_method
            sheet.method = sheet.method or wanted

    @api.depends("date_from", "date_to", "hours_break", "engineer_ids")
    def _compute_hours(self):
        for sheet in self:
            if not (sheet.date_from and sheet.date_to):
                sheet.hours = 0
                continue
            length = (sheet.date_to - sheet.date_from).total_seconds() / 3600
            sheet.hours = max(length - sheet.hours_break, 0) * len(sheet.engineer_ids)

    @api.depends("qty_in", "qty_good", "qty_bad")
    def _compute_qty_open(self):
        for sheet in self:
            sheet.qty_open = sheet.qty_in - sheet.qty_good - sheet.qty_bad

    @api.depends(lambda self: ("signed_hash", *self._signed_fields))
    def _compute_is_intact(self):
        for sheet in self:
            sheet.is_intact = (
                sheet.state == "draft" or sheet.signed_hash == sheet._get_content_hash()
            )

    def _get_content_hash(self):
        """Return the SHA-256 of what the customer signs, his signature included."""
        self.ensure_one()
        content = {}
        for name in self._signed_fields:
            value = self[name]
            if self._fields[name].relational:
                # Who leaves or is renamed was there all the same.
                value = sorted(self.sudo().with_context(active_test=False)[name].ids)
            elif isinstance(value, float):
                value = round(value, 6)
            content[name] = (
                fields.Datetime.to_string(value)
                if name
                in (
                    "date_from",
                    "date_to",
                )
                else value
            )
        content["signed_by"] = self.signed_by
        content["product_id"] = self.product_id.id
        content["files"] = sorted(
            self.sudo().method_file_ids.mapped(lambda f: f.checksum or "")
        )
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        image = self.with_context(bin_size=False).signature or b""
        return hashlib.sha256(text.encode() + image).hexdigest()

    # === CONSTRAINTS === #

    @api.constrains("contact_id", "complaint_id", "lot_ids")
    def _check_lot_ids(self):
        for sheet in self:
            if sheet.lot_ids.product_id - sheet.product_id:
                raise ValidationError(
                    self.env._(
                        "A lot of %(name)s is not of %(product)s: choose its lots.",
                        name=sheet.name,
                        product=sheet.product_id.display_name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed(self):
        for sheet in self:
            if sheet.state != "draft" or sheet.previous_id:
                raise UserError(
                    self.env._(
                        "%(name)s has been signed and stays on record.", name=sheet.name
                    )
                )

    def _get_locked_message(self, names):
        return self.env._(
            "%(name)s is signed and locked. “Correct” makes a new revision of it.",
            name=self.name,
        )

    def write(self, vals):
        result = super().write(vals)
        if "contact_id" in vals:
            # The link was for somebody else.
            self.sudo()._write_protected({"link_token": False, "link_until": False})
        return result

    # === ACTIONS === #

    def action_sign(self, signature=None, signed_by=None):
        """Lock the sheet with the SQE's signature and archive its PDF.

        :param str signature: image, base64
        :param str signed_by: the name of who signs
        :raise UserError: signature or name is missing, or the sheet is not a draft
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
        self._move_to(
            "signed",
            {
                "signature": signature,
                "signed_by": signed_by[:120],
                "signed_on": fields.Datetime.now(),
                "signed_user_id": user.id if user else False,
            },
        )
        # The customer's key is hidden from residents; signed, it opens nothing more.
        self.sudo()._write_protected({"link_token": False, "link_until": False})
        # The stored image is what counts, core may have made it smaller.
        self.invalidate_recordset(["signature"])
        self._write_protected({"signed_hash": self._get_content_hash()})
        self._emit_event("sheet_signed", key=f"r{self.revision}")

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

    def action_revise(self, reason=None):
        """Make a new revision to correct a signed sheet, which becomes void.

        :param str reason: why, kept in the history of both
        :return: action that opens the new sheet
        """
        self.ensure_one()
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why the sheet is corrected."))
        if self.state != "signed":
            raise UserError(
                self.env._("%(name)s is not signed: just change it.", name=self.name)
            )
        self._move_to("void")
        sheet = self._create_protected(
            [
                {
                    **self.copy_data()[0],
                    "state": "draft",
                    "revision": self.revision + 1,
                    "previous_id": self.id,
                }
            ]
        )
        (self + sheet)._message_log_batch({self.id: reason, sheet.id: reason})
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": sheet.id,
            "views": [(False, "form")],
        }
