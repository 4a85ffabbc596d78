from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .quality_complaint import OPEN_STATES
from .resident_clock_mixin import ALERT_LATE, Clock

CLOCK_SKEW = timedelta(minutes=5)


class QualityComplaint(models.Model):
    """The clocks of a complaint: on site, feedback, permanent measure (C3-C5)."""

    _inherit = "quality.complaint"

    _clock_restarts = {"customer_due_date": "due_alert"}
    _clocks = {
        "arrival": Clock(
            "called_at", "arrival_deadline", "arrived_at", "arrival_alert"
        ),
        "feedback": Clock(
            "arrived_at", "feedback_deadline", "feedback_sent_at", "feedback_alert"
        ),
        "due": Clock("called_at", "due_deadline", "closed_at", "due_alert"),
    }

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

    # === COMPUTE METHODS === #

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

    @api.model
    def _get_clock_state_depends(self):
        return ["state"]

    def _has_running_clocks(self):
        return self.state in OPEN_STATES

    # === CONSTRAINTS === #

    @api.constrains("called_at")
    def _check_called_at(self):
        limit = fields.Datetime.now() + CLOCK_SKEW
        for complaint in self:
            if complaint.called_at and complaint.called_at > limit:
                raise ValidationError(
                    self.env._(
                        "%(name)s: “Called” lies in the future. Enter when the "
                        "customer called.",
                        name=complaint.name,
                    )
                )

    @api.constrains("customer_due_date", "called_at", "site_id")
    def _check_customer_due_date(self):
        for complaint in self.filtered("customer_due_date"):
            called = complaint.site_id._get_local_date(complaint.called_at)
            if complaint.customer_due_date < called:
                raise ValidationError(
                    self.env._(
                        "%(name)s: “%(field)s” lies before the call. Enter the day by "
                        "which the customer expects the permanent measure.",
                        name=complaint.name,
                        field=self._fields["customer_due_date"]._description_string(
                            self.env
                        ),
                    )
                )

    def _check_clock_basis(self, vals):
        """The clocks count from these fields, so nobody turns them back.

        Fixed once the resident has arrived; before, he may only say that the call came
        earlier. A wrong entry is the manager's to correct.
        """
        is_manager = self.env.user.has_group("quality_resident.group_manager")
        for complaint in self:
            for name in {"called_at", "site_id"} & set(vals):
                field = self._fields[name]
                new = field.convert_to_cache(vals[name], complaint)
                turned_back = name == "called_at" and new and new > complaint[name]
                if not complaint._is_changed(name, vals[name]) or not (
                    complaint.arrived_at or (turned_back and not is_manager)
                ):
                    continue
                raise UserError(
                    self.env._(
                        "%(name)s: “%(field)s” is fixed, the clocks count from it. "
                        "Have the manager cancel the complaint and enter it again if "
                        "it is wrong.",
                        name=complaint.name,
                        field=field._description_string(self.env),
                    )
                )
