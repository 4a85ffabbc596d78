from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

COMPLAINT_STATES = [
    ("new", "New"),
    ("reported", "Reported"),
    ("contained", "Contained"),
    ("analysed", "Analysed"),
    ("verifying", "Verifying"),
    ("closed", "Closed"),
    ("refused", "Refused"),
    ("cancelled", "Cancelled"),
]
OPEN_STATES = ("new", "reported", "contained", "analysed", "verifying")


class QualityComplaint(models.Model):
    """What a customer complains of, from the call to the proven correction.

    spec.md C1-C5 and C12.
    """

    _name = "quality.complaint"
    _description = "Customer Complaint"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.clock.mixin",
        "quality.workflow.mixin",
    ]
    _order = "called_at desc, id desc"
    _same_site_fields = ("part_id", "place_id", "contact_id")
    # Sales and Quality read the complaint and take part in its talk.
    _mail_post_access = "read"
    _sequence_code = "quality.complaint"
    # What is finished stays as it was, until the manager opens it again.
    _editable_states = {
        name: OPEN_STATES
        for name in (
            "site_id",
            "part_id",
            "product_id",
            "lot_ids",
            "defect_id",
            "problem_type",
            "severity",
            "place_id",
            "description",
            "suspect_area",
            "quantity",
            "interim_measure",
            "breakpoint_note",
            "talk_result",
            "photo_ids",
            "line_stop_minutes",
            "line_stop_reason",
            "called_at",
            "late_reason",
            "standin_id",
            "customer_told",
            "customer_due_date",
            "root_cause",
            "eightd_level",
            "resident_id",
            "channel",
        )
    }
    _protected_fields = (
        "name",
        "company_id",
        "partner_id",
        "arrived_at",
        "arrival_deadline",
        "arrival_status",
        "arrival_alert",
        "feedback_deadline",
        "feedback_sent_at",
        "feedback_status",
        "feedback_alert",
        "feedback_revision",
        "due_deadline",
        "due_alert",
        "closed_at",
        "closing_reason",
        "containment_opened_at",
        "containment_revision",
        "next_alert_at",
        "recurrence_of_id",
        "eightd_id",
        "origin_complaint_id",
    )

    # Identity
    name = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
        index="trigram",
    )
    state = fields.Selection(
        selection=COMPLAINT_STATES,
        string="Status",
        default="new",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
        group_expand="_group_expand_state",
    )
    next_states = fields.Char(compute="_compute_next_states")
    site_id = fields.Many2one(
        ondelete="restrict",
        default=lambda self: self.env["resident.site"]._get_default(),
        tracking=True,
    )
    partner_id = fields.Many2one(
        related="site_id.partner_id",
        string="Customer",
        store=True,
        index=True,
        precompute=True,
    )
    tz = fields.Selection(related="site_id.tz")
    channel = fields.Selection(
        selection=[
            ("phone", "Phone"),
            ("patrol", "Patrol"),
            ("email", "E-mail"),
            ("portal", "Portal"),
            ("recall", "Recall"),
        ],
        default="phone",
        required=True,
    )
    resident_id = fields.Many2one(
        comodel_name="res.users",
        compute="_compute_resident_id",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        index="btree_not_null",
        domain="[('share', '=', False)]",
        tracking=True,
    )
    contact_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Reported by",
        domain="[('site_id', '=', site_id)]",
        check_company=True,
        ondelete="restrict",
    )

    # The part and its defect
    part_id = fields.Many2one(
        comodel_name="resident.part",
        domain="[('site_id', '=', site_id)]",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        compute="_compute_product_id",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    customer_ref = fields.Char(related="part_id.customer_ref")
    drawing_no = fields.Char(related="part_id.drawing_no")
    uom_id = fields.Many2one(related="product_id.uom_id")
    lot_ids = fields.Many2many(
        comodel_name="stock.lot",
        string="Lots",
        domain="[('product_id', '=', product_id)]",
        check_company=True,
        copy=False,
    )
    defect_id = fields.Many2one(
        comodel_name="quality.defect",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    problem_type = fields.Selection(
        selection=[
            ("quality", "Quality Problem"),
            ("tracking", "Tracking"),
            ("dispute", "Dispute"),
        ],
        tracking=True,
        help="Quality: confirmed to be ours. Tracking: neither confirmed nor ruled "
        "out. Dispute: confirmed not to be ours.",
    )
    severity = fields.Selection(
        selection=[("minor", "Minor"), ("major", "Major"), ("critical", "Critical")],
        default="major",
        required=True,
        tracking=True,
    )

    # The report in one go (C1)
    place_id = fields.Many2one(
        comodel_name="resident.place",
        compute="_compute_place_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('site_id', '=', site_id)]",
        check_company=True,
        ondelete="restrict",
    )
    description = fields.Text()
    suspect_area = fields.Text(
        string="Suspected Area", help="Where other bad parts may lie."
    )
    quantity = fields.Float(string="Bad Quantity", digits="Product Unit", tracking=True)
    interim_measure = fields.Text(copy=False)
    breakpoint_note = fields.Text(
        string="Breakpoint", copy=False, help="First good lot, serial number or time."
    )
    talk_result = fields.Text(
        string="Result of the Talk",
        copy=False,
        help="What the customer said and agreed to.",
    )
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Photos",
        # Photos follow the complaint: who may read it may see them.
        bypass_search_access=True,
        copy=False,
    )
    line_stop_minutes = fields.Integer(
        string="Line Stop (min)", aggregator="sum", copy=False, tracking=True
    )
    line_stop_reason = fields.Char(copy=False)

    # What came of it
    root_cause = fields.Text(copy=False)
    closing_reason = fields.Text(
        readonly=True, copy=False, help="Why it was refused, cancelled or opened again."
    )
    talk_ids = fields.One2many("resident.talk", "complaint_id")
    talk_count = fields.Integer(compute="_compute_counts")
    history_count = fields.Integer(compute="_compute_counts")

    _quantity_positive = models.Constraint(
        "CHECK (quantity >= 0)", "The bad quantity cannot be negative."
    )
    _line_stop_positive = models.Constraint(
        "CHECK (line_stop_minutes >= 0)",
        "The minutes of a line stop cannot be negative.",
    )
    _order_idx = models.Index("(called_at DESC, id DESC)")
    _site_order_idx = models.Index("(site_id, called_at DESC, id DESC)")
    _next_alert_idx = models.Index("(next_alert_at) WHERE next_alert_at IS NOT NULL")
    _open_idx = models.Index(
        "(site_id, product_id, defect_id) "
        "WHERE state IN ('new', 'reported', 'contained', 'analysed', 'verifying')"
    )
    _closed_idx = models.Index(
        "(site_id, product_id, defect_id, closed_at) WHERE state = 'closed'"
    )

    # === COMPUTE METHODS === #

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_next_states(self):
        for complaint in self:
            complaint.next_states = ",".join(complaint._get_next_states())

    @api.depends("site_id")
    def _compute_resident_id(self):
        for site, complaints in self.grouped("site_id").items():
            on_duty = site._get_on_duty() if site else self.env["res.users"]
            resident = self.env.user if self.env.user in on_duty else on_duty[:1]
            for complaint in complaints:
                complaint.resident_id = resident

    @api.depends("part_id")
    def _compute_product_id(self):
        for complaint in self:
            complaint.product_id = complaint.part_id.product_id or complaint.product_id

    @api.depends("part_id")
    def _compute_place_id(self):
        for complaint in self:
            complaint.place_id = complaint.part_id.place_id or complaint.place_id

    @api.depends("product_id", "site_id", "talk_ids")
    def _compute_counts(self):
        history = {
            (site, product): count
            for site, product, count in self._read_group(
                [
                    ("site_id", "in", self.site_id.ids),
                    ("product_id", "in", self.product_id.ids),
                ],
                ["site_id", "product_id"],
                ["__count"],
            )
        }
        talks = dict(
            self.env["resident.talk"]._read_group(
                [("complaint_id", "in", self.ids)], ["complaint_id"], ["__count"]
            )
        )
        for complaint in self:
            complaint.talk_count = talks.get(complaint._origin, 0)
            complaint.history_count = history.get(
                (complaint.site_id, complaint.product_id), 0
            )

    @api.model
    def _group_expand_state(self, states, domain):
        """Show every open state as a column, in the order of the work."""
        return [
            state
            for state, _label in COMPLAINT_STATES
            if state in OPEN_STATES or state in states
        ]

    @api.model
    def _get_open_domain(self):
        # "in" and not "not in": the partial indexes only match this form.
        return Domain("state", "in", OPEN_STATES)

    # === CONSTRAINTS === #

    @api.constrains("part_id", "product_id")
    def _check_product_id(self):
        for complaint in self:
            part = complaint.part_id
            if part and part.product_id != complaint.product_id:
                raise ValidationError(
                    self.env._(
                        "The part %(part)s is the product %(right)s, not %(wrong)s. "
                        "Change the part or the product.",
                        part=part.display_name,
                        right=part.product_id.display_name,
                        wrong=complaint.product_id.display_name,
                    )
                )

    @api.constrains("lot_ids", "product_id")
    def _check_lot_ids(self):
        for complaint in self:
            foreign = complaint.lot_ids.filtered(
                lambda lot, complaint=complaint: lot.product_id != complaint.product_id
            )
            if foreign:
                raise ValidationError(
                    self.env._(
                        "The lots %(lots)s are not of %(product)s: take them out of "
                        "“Lots”.",
                        lots=", ".join(foreign.mapped("name")),
                        product=complaint.product_id.display_name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_reported(self):
        for complaint in self:
            if complaint.state != "new":
                raise UserError(
                    self.env._(
                        "%(name)s has been reported and stays on record. "
                        "Cancel it instead.",
                        name=complaint.name,
                    )
                )

    def _get_locked_message(self, names):
        if self.state in OPEN_STATES:
            return super()._get_locked_message(names)
        return self.env._(
            "%(name)s is finished and stays as it is. Have the manager open it again.",
            name=self.name,
        )
