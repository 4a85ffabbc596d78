from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

MANAGER = ("quality_resident.group_manager",)
DISPOSITIONS = [
    ("pending", "Pending"),
    ("sort", "Sort"),
    ("rework", "Rework"),
    ("return", "Return"),
    ("scrap", "Scrap"),
    ("use_as_is", "Use As Is"),
]
OPEN_STATES = ("suspect", "bad", "rework")


class QualitySuspectSlip(models.Model):
    """Parts in one box that are not fitted yet, set apart (可疑品单, spec.md C10).

    The state is the colour of the box: suspect yellow, bad red, rework blue, released
    green. The SQE signs what was set apart; what becomes of it is decided before or
    after that.
    """

    _name = "quality.suspect.slip"
    _description = "Suspect Slip"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "quality.label.mixin",
        "quality.signature.mixin",
    ]
    _order = "found_at desc, id desc"
    _same_site_fields = ("complaint_id", "contact_id", "place_id")
    _sequence_code = "quality.suspect.slip"
    _protected_fields = (
        "name",
        "site_id",
        "company_id",
        "disposition",
        "concession_no",
        "decided_by_id",
        "decided_at",
        "released_by_id",
        "released_at",
        "parent_id",
        "inspection_id",
        "found_as",
    )
    _fixed_fields = ("complaint_id",)
    _reason_actions = ("action_block",)
    _signed_fields = (
        "complaint_id",
        "contact_id",
        "product_id",
        "lot_id",
        "quantity",
        "defect_id",
        "place_id",
        "found_by_id",
        "found_at",
        "package_ref",
        "note",
    )
    _editable_states = {name: OPEN_STATES for name in _signed_fields}
    _hashed_fields = ("name", "parent_id", "signed_by", "signed_on")
    _signed_event = "slip_signed"
    _signed_report = "quality_resident.action_report_suspect_slip"
    _link_template = "quality_resident.mail_template_slip_link"
    _link_page = "quality_resident.slip_page"

    name = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
        index="trigram",
    )
    state = fields.Selection(
        selection=[
            ("suspect", "Suspect"),
            ("bad", "Bad"),
            ("rework", "To Rework"),
            ("released", "Released"),
            ("split", "Split"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="suspect",
        copy=False,
        index=True,
        tracking=True,
    )
    complaint_id = fields.Many2one(required=True)
    site_id = fields.Many2one(
        related="complaint_id.site_id", store=True, precompute=True, required=False
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        compute="_compute_from_complaint",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        check_company=True,
        ondelete="restrict",
    )
    uom_id = fields.Many2one(related="product_id.uom_id")
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot or Serial Number",
        domain="[('product_id', '=', product_id)]",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    quantity = fields.Float(digits="Product Unit", required=True, default=1)
    defect_id = fields.Many2one(
        comodel_name="quality.defect",
        compute="_compute_from_complaint",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
    )
    place_id = fields.Many2one(
        comodel_name="resident.place",
        string="Found At",
        compute="_compute_from_complaint",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
    )
    found_by_id = fields.Many2one(
        comodel_name="res.users",
        string="Found by",
        required=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        ondelete="restrict",
    )
    found_at = fields.Datetime(
        string="Found On", required=True, default=fields.Datetime.now
    )
    package_ref = fields.Char(string="Package Number", help="Box, pallet or rack.")
    note = fields.Text()

    # What becomes of the parts
    disposition = fields.Selection(
        selection=DISPOSITIONS,
        required=True,
        readonly=True,
        default="pending",
        copy=False,
        tracking=True,
    )
    concession_no = fields.Char(
        string="Concession Number",
        readonly=True,
        copy=False,
        help="The customer's leave to use the parts as they are.",
    )
    decided_by_id = fields.Many2one(
        comodel_name="res.users", string="Decided by", readonly=True, copy=False
    )
    decided_at = fields.Datetime(string="Decided On", readonly=True, copy=False)
    released_by_id = fields.Many2one(
        comodel_name="res.users", string="Released by", readonly=True, copy=False
    )
    released_at = fields.Datetime(string="Released On", readonly=True, copy=False)

    # Where the slip comes from
    parent_id = fields.Many2one(
        comodel_name="quality.suspect.slip",
        string="Split From",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    child_ids = fields.One2many(
        "quality.suspect.slip", "parent_id", string="Split Into"
    )
    inspection_id = fields.Many2one(
        comodel_name="qc.inspection",
        string="Sorting",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    found_as = fields.Selection(
        selection=[("suspect", "Suspect"), ("bad", "Bad")], readonly=True, copy=False
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "A slip is for at least one part: enter the “Quantity”."
    )

    @api.model
    def _get_transitions(self):
        return {
            "suspect": {"bad": (), "rework": (), "released": (), "split": ()},
            "bad": {"suspect": (), "rework": (), "split": ()},
            "rework": {"suspect": (), "bad": (), "released": (), "split": ()},
            # What was called good by mistake.
            "released": {"suspect": MANAGER},
        }

    # === COMPUTE METHODS === #

    @api.depends("complaint_id")
    def _compute_from_complaint(self):
        for slip in self:
            for name in ("product_id", "defect_id", "place_id"):
                slip[name] = slip[name] or slip.complaint_id[name]

    # === CONSTRAINTS === #

    @api.constrains("lot_id", "product_id", "quantity")
    def _check_lot_id(self):
        for slip in self:
            lot = slip.lot_id
            if lot and lot.product_id != slip.product_id:
                raise ValidationError(
                    self.env._(
                        "The lot %(lot)s is not of %(product)s.",
                        lot=lot.name,
                        product=slip.product_id.display_name,
                    )
                )
            serial = lot and slip.product_id.tracking == "serial"
            if serial and slip.uom_id.compare(slip.quantity, 1) != 0:
                raise ValidationError(
                    self.env._(
                        "%(lot)s is a serial number: the “Quantity” is 1.",
                        lot=lot.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for slip in self:
            used = slip.parent_id or slip.child_ids or slip.decided_at
            if used or slip._is_signed():
                raise UserError(
                    self.env._(
                        "%(name)s is signed, decided or split and stays on record.",
                        name=slip.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model
    def _get_vals_company(self, vals):
        complaint = self.env["quality.complaint"].browse(vals.get("complaint_id"))
        # Numbering must not fail before the right to use the complaint is checked.
        return complaint.sudo().company_id or self.env.company

    @api.model_create_multi
    def create(self, vals_list):
        slips = super().create(vals_list)
        for complaint in slips.complaint_id:
            complaint._ensure_open()
        return slips

    def _check_locked(self, names):
        for slip in self:
            # Quantities are shared out, and lots counted, elsewhere.
            given = {"product_id", "lot_id"} if slip.inspection_id else set()
            if slip.parent_id:
                given = {"product_id", "lot_id", "quantity"}
            if given & names:
                raise UserError(slip._get_locked_message(given & names))
        return super()._check_locked(names)

    def _get_locked_message(self, names):
        if self._is_signed():
            return self.env._(
                "%(name)s is signed and locked. Split it, or enter a new slip.",
                name=self.name,
            )
        return super()._get_locked_message(names)

    def _can_be_signed(self):
        return super()._can_be_signed() and self.state != "split"
