from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .resident_clock_mixin import ALERT_LATE, Clock

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
CLOCK_SKEW = timedelta(minutes=5)


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
    _clocks = {
        "arrival": Clock(
            "called_at", "arrival_deadline", "arrived_at", "arrival_alert"
        ),
        "feedback": Clock(
            "arrived_at", "feedback_deadline", "feedback_sent_at", "feedback_alert"
        ),
        "due": Clock("called_at", "due_deadline", "closed_at", "due_alert"),
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
    interim_measure = fields.Text()
    breakpoint_note = fields.Text(
        string="Breakpoint", help="First good lot, serial number or time."
    )
    talk_result = fields.Text(
        string="Result of the Talk", help="What the customer said and agreed to."
    )
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Photos",
        # Photos follow the complaint: who may read it may see them.
        bypass_search_access=True,
        copy=False,
    )
    line_stop_minutes = fields.Integer(
        string="Line Stop (min)", aggregator="sum", tracking=True
    )
    line_stop_reason = fields.Char()

    # Clocks (C3-C5)
    called_at = fields.Datetime(
        string="Called",
        default=fields.Datetime.now,
        required=True,
        copy=False,
        tracking=True,
    )
    arrived_at = fields.Datetime(string="On Site", readonly=True, copy=False)
    arrival_deadline = fields.Datetime(
        string="On Site Until",
        compute="_compute_arrival_deadline",
        store=True,
        precompute=True,
    )
    arrival_status = fields.Selection(
        selection=[
            ("pending", "Pending"),
            ("on_time", "On Time"),
            ("late", "Late"),
            ("excused", "Late, Explained"),
        ],
        compute="_compute_arrival_status",
        store=True,
        precompute=True,
        index=True,
        tracking=True,
    )
    arrival_alert = fields.Integer(readonly=True, copy=False)
    late_reason = fields.Char(copy=False, tracking=True)
    standin_id = fields.Many2one(
        comodel_name="res.users",
        string="Stand-in",
        domain="[('share', '=', False)]",
        copy=False,
        tracking=True,
        help="Who went in place of the resident.",
    )
    customer_told = fields.Char(
        string="Customer Was Told", copy=False, help="What the customer was told."
    )
    feedback_deadline = fields.Datetime(
        string="Feedback Until",
        compute="_compute_feedback_deadline",
        store=True,
        precompute=True,
    )
    feedback_sent_at = fields.Datetime(
        string="Feedback Sent", readonly=True, copy=False
    )
    feedback_status = fields.Selection(
        selection=[("pending", "Pending"), ("on_time", "On Time"), ("late", "Late")],
        compute="_compute_feedback_status",
        store=True,
        precompute=True,
        index=True,
        tracking=True,
    )
    feedback_alert = fields.Integer(readonly=True, copy=False)
    feedback_revision = fields.Integer(readonly=True, copy=False)
    customer_due_date = fields.Date(
        copy=False,
        tracking=True,
        help="When the customer expects the permanent measure.",
    )
    due_deadline = fields.Datetime(
        string="Permanent Measure Until",
        compute="_compute_due_deadline",
        store=True,
        precompute=True,
    )
    due_alert = fields.Integer(readonly=True, copy=False)
    closed_at = fields.Datetime(string="Closed On", readonly=True, copy=False)
    is_overdue = fields.Boolean(
        compute="_compute_is_overdue", search="_search_is_overdue"
    )

    # What came of it
    root_cause = fields.Text(copy=False)
    closing_reason = fields.Text(
        readonly=True, copy=False, help="Why it was refused, cancelled or opened again."
    )
    recurrence_of_id = fields.Many2one(
        comodel_name="quality.complaint",
        string="Recurrence of",
        compute="_compute_recurrence_of_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        copy=False,
        help="The closed complaint with the same site, product and defect.",
    )
    twin_ids = fields.Many2many(
        comodel_name="quality.complaint",
        string="Also Open",
        compute="_compute_twin_ids",
        help="Open complaints with the same site, product and defect.",
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

    @api.depends("called_at", "site_id")
    def _compute_arrival_deadline(self):
        for site, complaints in self.grouped("site_id").items():
            calls = [c.called_at for c in complaints if c.called_at]
            on_shift = site._get_on_shift(calls) if site else set()
            for complaint in complaints:
                if not (site and complaint.called_at):
                    complaint.arrival_deadline = False
                    continue
                minutes = (
                    site.arrival_minutes_on_shift
                    if complaint.called_at in on_shift
                    else site.arrival_minutes_off_shift
                )
                complaint.arrival_deadline = complaint.called_at + timedelta(
                    minutes=minutes
                )

    @api.depends(
        "arrived_at",
        "arrival_deadline",
        "arrival_alert",
        "late_reason",
        "standin_id",
        "customer_told",
    )
    def _compute_arrival_status(self):
        for complaint in self:
            arrived, deadline = complaint.arrived_at, complaint.arrival_deadline
            if arrived and deadline and arrived <= deadline:
                complaint.arrival_status = "on_time"
            elif arrived or complaint.arrival_alert >= ALERT_LATE:
                complaint.arrival_status = (
                    "excused" if complaint._is_late_explained() else "late"
                )
            else:
                complaint.arrival_status = "pending"

    def _is_late_explained(self):
        """Late needs a reason, the stand-in, or what the customer was told (C3)."""
        return bool(self.late_reason or self.standin_id or self.customer_told)

    @api.depends("arrived_at")
    def _compute_feedback_deadline(self):
        for complaint in self:
            complaint.feedback_deadline = complaint.arrived_at and (
                complaint.arrived_at
                + timedelta(minutes=complaint.site_id.feedback_minutes)
            )

    @api.depends("feedback_sent_at", "feedback_deadline", "feedback_alert")
    def _compute_feedback_status(self):
        for complaint in self:
            sent, deadline = complaint.feedback_sent_at, complaint.feedback_deadline
            if sent:
                on_time = deadline and sent <= deadline
                complaint.feedback_status = "on_time" if on_time else "late"
            else:
                late = complaint.feedback_alert >= ALERT_LATE
                complaint.feedback_status = "late" if late else "pending"

    @api.depends("customer_due_date", "site_id")
    def _compute_due_deadline(self):
        for complaint in self:
            complaint.due_deadline = (
                complaint.customer_due_date
                and complaint.site_id
                and complaint.site_id._get_end_of_day(complaint.customer_due_date)
            )

    @api.depends("due_deadline", "state")
    def _compute_is_overdue(self):
        now = fields.Datetime.now()
        for complaint in self:
            complaint.is_overdue = bool(
                complaint.state in OPEN_STATES
                and complaint.due_deadline
                and complaint.due_deadline < now
            )

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._get_open_domain() & Domain(
            "due_deadline", "<", fields.Datetime.now()
        )

    @api.depends("site_id", "product_id", "defect_id")
    def _compute_recurrence_of_id(self):
        """Find the last complaint closed within the company's period, in one query."""
        keyed = self.filtered(lambda c: c.site_id and c.product_id and c.defect_id)
        self.recurrence_of_id = False
        if not keyed:
            return
        # A recurrence counts whoever wrote the earlier complaint.
        closed = self.sudo().search(
            Domain("site_id", "in", keyed.site_id.ids)
            & Domain("product_id", "in", keyed.product_id.ids)
            & Domain("defect_id", "in", keyed.defect_id.ids)
            & Domain("state", "=", "closed"),
            order="closed_at desc, id desc",
        )
        by_key = closed.grouped(lambda c: (c.site_id, c.product_id, c.defect_id))
        for complaint in keyed:
            called_at = complaint.called_at or fields.Datetime.now()
            since = called_at - timedelta(days=complaint.company_id.recurrence_days)
            key = (complaint.site_id, complaint.product_id, complaint.defect_id)
            complaint.recurrence_of_id = next(
                (
                    earlier
                    for earlier in by_key.get(key, self.browse())
                    if earlier.id != complaint._origin.id
                    and since <= earlier.closed_at <= called_at
                ),
                False,
            )

    @api.depends("site_id", "product_id", "defect_id")
    def _compute_twin_ids(self):
        keyed = self.filtered(lambda c: c.site_id and c.product_id and c.defect_id)
        self.twin_ids = False
        if not keyed:
            return
        twins = self.search(
            self._get_open_domain()
            & Domain("site_id", "in", keyed.site_id.ids)
            & Domain("product_id", "in", keyed.product_id.ids)
            & Domain("defect_id", "in", keyed.defect_id.ids)
        ).grouped(lambda c: (c.site_id, c.product_id, c.defect_id))
        for complaint in keyed:
            key = (complaint.site_id, complaint.product_id, complaint.defect_id)
            complaint.twin_ids = twins.get(key, self.browse()) - complaint._origin

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

    @api.constrains("called_at")
    def _check_called_at(self):
        limit = fields.Datetime.now() + CLOCK_SKEW
        for complaint in self:
            if complaint.called_at > limit:
                raise ValidationError(
                    self.env._(
                        "%(name)s: “Called” lies in the future. Enter when the "
                        "customer called.",
                        name=complaint.name,
                    )
                )

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

    # === CRUD METHODS === #

    @api.model
    def _get_vals_company(self, vals):
        site = self.env["resident.site"].browse(vals.get("site_id"))
        # Numbering must not fail before the right to use the site is checked.
        return site.sudo().company_id or self.env.company

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._fill_sites_and_parts(vals_list)
        complaints = super().create(vals_list)
        complaints._adopt_photos()
        if not self._is_gate_open():
            # A patrol finds the defect where the resident stands.
            for called_at, found in (
                complaints.filtered(lambda c: c.channel == "patrol")
                .grouped("called_at")
                .items()
            ):
                found._write_protected({"arrived_at": called_at})
            complaints._emit_event("new")
            complaints._emit_findings()
        return complaints

    def write(self, vals):
        if "called_at" in vals or "site_id" in vals:
            self._check_clock_basis(vals)
        if "customer_due_date" in vals and not self._is_gate_open():
            # A new date is a new promise, its clock may warn again.
            self._write_protected({"due_alert": 0})
        result = super().write(vals)
        if "photo_ids" in vals:
            self._adopt_photos()
        if {"line_stop_minutes", "site_id", "product_id", "part_id", "defect_id"} & set(
            vals
        ):
            self._emit_findings()
        return result

    def _check_clock_basis(self, vals):
        """The clocks rest on these fields: fixed once the resident has arrived."""
        for complaint in self.filtered("arrived_at"):
            for name in {"called_at", "site_id"} & set(vals):
                field = self._fields[name]
                new = field.convert_to_cache(vals[name], complaint)
                if new != field.convert_to_cache(complaint[name], complaint):
                    raise UserError(
                        self.env._(
                            "%(name)s: “%(field)s” is fixed since the arrival, the "
                            "clocks count from it. Cancel the complaint and enter "
                            "it again if it is wrong.",
                            name=complaint.name,
                            field=field._description_string(self.env),
                        )
                    )

    @api.model
    def _fill_sites_and_parts(self, vals_list):
        """Complete the site, and the part of who names only site and product.

        Once for the whole batch: the ORM would ask for the default per record.
        """
        default = {}
        if any("site_id" not in vals for vals in vals_list):
            default = self.default_get(["site_id"])
        vals_list = [{**default, **vals} for vals in vals_list]
        for vals in vals_list:
            if vals.get("part_id") and not vals.get("product_id"):
                # An empty product leaves it to the part.
                vals.pop("product_id", None)
            # The site decides; who names its company says nothing new.
            site = self.env["resident.site"].browse(vals.get("site_id"))
            if vals.get("company_id") and vals["company_id"] == site.company_id.id:
                del vals["company_id"]
        lacking = [v for v in vals_list if v.get("product_id") and not v.get("part_id")]
        parts = self.env["resident.part"]._search_for(
            (v.get("site_id"), v["product_id"]) for v in lacking
        )
        for vals in lacking:
            if part := parts.get((vals.get("site_id"), vals["product_id"])):
                vals["part_id"] = part.id
        return vals_list

    def _adopt_photos(self):
        """Tie photos uploaded before the first save to their complaint."""
        for complaint in self:
            photos = complaint.photo_ids
            if not photos:
                continue
            # The uploader may tie his own file to the record, though it is not his to
            # write; that he may read what he links, the ORM has checked.
            loose = photos.sudo().filtered(
                lambda a: not a.res_id and a.create_uid == self.env.user
            )
            loose.write({"res_model": self._name, "res_id": complaint.id})

    def copy_data(self, default=None):
        """A duplicate is a new call: today's clocks, no photos, no results."""
        vals_list = super().copy_data(default)
        for vals in vals_list:
            vals.pop("lot_ids", None)
        return vals_list

    # === EVENTS === #

    def _emit_findings(self):
        """Say that a defect recurs or that the line stands, once each."""
        self.filtered("recurrence_of_id")._emit_event("recurring")
        self.filtered("line_stop_minutes")._emit_event("line_stop")

    @api.model
    def _get_clock_state_depends(self):
        return ["state"]

    def _has_running_clocks(self):
        return self.state in OPEN_STATES

    def _get_event_users(self, role):
        users = super()._get_event_users(role)
        if role == "resident" and self.resident_id:
            return self.resident_id
        if role == "standin":
            return (users | self.standin_id) - self.resident_id
        return users
