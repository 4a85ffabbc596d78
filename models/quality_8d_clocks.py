from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .quality_8d import OPEN_STATES
from .resident_clock_mixin import Clock


class Quality8d(models.Model):
    """The clocks of an 8D report: 3D and 8D, from the first call on."""

    _inherit = "quality.8d"

    _clocks = {
        "three_d": Clock("started_at", "due_3d", "sent_3d_at", "alert_3d"),
        "full": Clock("started_at", "due_8d", "sent_8d_at", "alert_8d"),
    }

    started_at = fields.Datetime(
        string="Called",
        required=True,
        readonly=True,
        copy=False,
        default=fields.Datetime.now,
        help="When the customer called first.",
    )
    due_3d = fields.Datetime(
        string="3D Until", compute="_compute_due_3d", store=True, precompute=True
    )
    due_8d = fields.Datetime(
        string="8D Until", compute="_compute_due_8d", store=True, precompute=True
    )
    sent_3d_at = fields.Datetime(string="3D Sent", readonly=True, copy=False)
    sent_8d_at = fields.Datetime(string="8D Sent", readonly=True, copy=False)
    alert_3d = fields.Integer(readonly=True, copy=False)
    alert_8d = fields.Integer(readonly=True, copy=False)
    is_overdue = fields.Boolean(
        compute="_compute_is_overdue", search="_search_is_overdue"
    )

    _next_alert_idx = models.Index("(next_alert_at) WHERE next_alert_at IS NOT NULL")

    # === COMPUTE METHODS === #

    # Not on the settings of the site: a promise once made does not move.
    @api.depends("started_at", "site_id")
    def _compute_due_3d(self):
        for eightd in self:
            eightd.due_3d = eightd.started_at + timedelta(hours=eightd.site_id.hours_3d)

    @api.depends("started_at", "site_id")
    def _compute_due_8d(self):
        for eightd in self:
            eightd.due_8d = eightd.site_id._get_working_day_end(
                eightd.started_at, eightd.site_id.days_8d
            )

    def _compute_is_overdue(self):
        now = fields.Datetime.now()
        for eightd in self:
            eightd.is_overdue = eightd.state in OPEN_STATES and any(
                deadline and deadline < now and not sent
                for deadline, sent in (
                    (eightd.due_3d, eightd.sent_3d_at),
                    (eightd.level == "full" and eightd.due_8d, eightd.sent_8d_at),
                )
            )

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        return Domain("state", "in", OPEN_STATES) & (
            Domain("due_3d", "<", now) & Domain("sent_3d_at", "=", False)
            | Domain("level", "=", "full")
            & Domain("due_8d", "<", now)
            & Domain("sent_8d_at", "=", False)
        )

    # === CLOCKS === #

    def _has_running_clocks(self):
        return self.state in OPEN_STATES

    def _get_clock_moments(self, name):
        if name == "full" and self.level != "full":
            return {}
        return super()._get_clock_moments(name)

    @api.model
    def _get_clock_state_depends(self):
        return ["state", "level"]

    def _get_event_users(self, role):
        if role == "resident":
            return self.leader_id
        if role == "standin":
            # Stands in at the line, not for the leader.
            return self.env["res.users"]
        if role == "manager":
            # Late, the leader is reminded along with his manager.
            return super()._get_event_users(role) | self.leader_id
        return super()._get_event_users(role)
