from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

# What a sheet takes over from the method.
METHOD_FIELDS = ("method_id", "method", "method_version", "method_file_ids")


class QualityServiceSheet(models.Model):
    """What was done at the customer, signed by his SQE (spec.md C9).

    Signed, it is locked: a correction is a new revision, which voids the old sheet.
    """

    _name = "quality.service.sheet"
    _description = "Service Confirmation Sheet"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "quality.label.mixin",
        "quality.signature.mixin",
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
        "method_id",
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
    _hashed_fields = ("name", "revision", "product_id", "signed_by", "signed_on")
    _signed_event = "sheet_signed"
    _signed_report = "quality_resident.action_report_service_sheet"
    _link_template = "quality_resident.mail_template_sheet_link"
    _link_page = "quality_resident.sheet_page"

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
    complaint_id = fields.Many2one(required=True)
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
    place_id = fields.Many2one(
        comodel_name="resident.place",
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
    )
    method_id = fields.Many2one(
        comodel_name="quality.method",
        string="Taken from Method",
        compute="_compute_method",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        ondelete="restrict",
        help="The version that was current when the sheet was written.",
    )
    method = fields.Text(
        compute="_compute_method",
        store=True,
        readonly=False,
        precompute=True,
        help="How the parts were sorted or reworked.",
    )
    method_version = fields.Char(
        compute="_compute_method",
        store=True,
        readonly=False,
        precompute=True,
        help="Version of the instruction that was used.",
    )
    method_file_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Instruction",
        compute="_compute_method",
        store=True,
        readonly=False,
        precompute=True,
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
        # Numbering must not fail before the right to use it is checked.
        return complaint.sudo().company_id or self.env.company

    # === COMPUTE METHODS === #

    @api.depends("complaint_id", "work")
    def _compute_method(self):
        """Copy the method's current version; what somebody wrote himself stays.

        What the customer asked for in this case goes before the general method.
        """
        keys = {sheet: (sheet.work, sheet.product_id, sheet.site_id) for sheet in self}
        current = self.env["quality.method"]._find_current(keys.values())
        for sheet in self:
            asked = sheet.complaint_id.rework_method
            if sheet.method and sheet.method not in (
                sheet.method_id.instruction,
                asked,
            ):
                for name in METHOD_FIELDS:
                    sheet[name] = sheet[name]
                continue
            asked = sheet.work == "rework" and asked
            method = current[keys[sheet]].filtered(lambda _m, asked=asked: not asked)
            sheet.method_id = method
            sheet.method = asked or method.instruction
            sheet.method_version = method.display_name if method else False
            sheet.method_file_ids = method.file_ids

    @api.depends("date_from", "date_to", "hours_break", "engineer_ids")
    def _compute_hours(self):
        for sheet in self:
            if not (sheet.date_from and sheet.date_to):
                sheet.hours = 0
                continue
            length = (sheet.date_to - sheet.date_from).total_seconds() / 3600
            # Who has left since worked all the same.
            people = sheet.with_context(active_test=False).engineer_ids
            sheet.hours = max(length - sheet.hours_break, 0) * len(people)

    @api.depends("qty_in", "qty_good", "qty_bad")
    def _compute_qty_open(self):
        for sheet in self:
            sheet.qty_open = sheet.qty_in - sheet.qty_good - sheet.qty_bad

    # === SIGNATURE === #

    def _is_signed(self):
        return self.state != "draft"

    def _set_signed(self, values):
        self._move_to("signed", values)

    def _get_signing_key(self):
        return f"r{self.revision}"

    def _get_document_name(self):
        self.ensure_one()
        return self.env._(
            "Service sheet %(number)s r%(revision)s",
            number=self.name.replace("/", "-"),
            revision=self.revision,
        )

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

    # === LABELS === #

    @api.model
    def _get_label_statuses(self):
        return ["reworked", "good"]

    def _get_label_values(self):
        return {
            **super()._get_label_values(),
            "status": "reworked" if self.work == "rework" else "good",
            "quantity": self.qty_good,
            "lots": self.lot_ids,
        }

    # === ACTIONS === #

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
                    "method_id": self.method_id.id,
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
