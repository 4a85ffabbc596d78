from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .resident_clock_mixin import Clock


class QualityMeasure(models.Model):
    """What is done about a complaint, at once or for good (C8)."""

    _name = "quality.measure"
    _description = "Measure"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.clock.mixin",
        "quality.workflow.mixin",
    ]
    _order = "complaint_id desc, kind, date_due, id"
    _same_site_fields = ("complaint_id",)
    _mail_post_access = "read"
    _clocks = {
        "measure": Clock("create_date", "due_deadline", "date_done", "due_alert")
    }
    _clock_restarts = {"date_due": "due_alert"}
    _fixed_fields = ("complaint_id",)
    _editable_states = {
        name: ("open", "done")
        for name in (
            "name",
            "kind",
            "cause_id",
            "user_id",
            "date_due",
            "verification",
            "evidence",
            "evidence_ids",
        )
    }
    _protected_fields = (
        "site_id",
        "company_id",
        "date_done",
        "verified_at",
        "verified_by_id",
        "due_deadline",
        "due_alert",
        "next_alert_at",
    )

    name = fields.Char(string="Measure", required=True)
    state = fields.Selection(
        selection=[("open", "Not Done"), ("done", "Done"), ("verified", "Verified")],
        string="Status",
        required=True,
        readonly=True,
        default="open",
        copy=False,
        index=True,
        tracking=True,
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
    kind = fields.Selection(
        selection=[("interim", "Interim"), ("permanent", "Permanent")],
        required=True,
        default="interim",
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Owner",
        required=True,
        index=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        tracking=True,
    )
    date_due = fields.Date(string="Due", tracking=True)
    due_deadline = fields.Datetime(
        string="Measure Until",
        compute="_compute_due_deadline",
        store=True,
        precompute=True,
    )
    due_alert = fields.Integer(readonly=True, copy=False)
    date_done = fields.Datetime(string="Done On", readonly=True, copy=False)
    eightd_id = fields.Many2one(related="complaint_id.eightd_id")
    cause_id = fields.Many2one(
        comodel_name="quality.cause",
        domain="[('eightd_id', '=', eightd_id)]",
        index="btree_not_null",
        ondelete="set null",
        help="The cause in the 8D report that it removes.",
    )
    verification = fields.Text(
        help="How it was tried before it was chosen, and with what result."
    )
    evidence = fields.Text(help="What shows that it is done.")
    evidence_ids = fields.Many2many(
        comodel_name="ir.attachment", string="Evidence Files", copy=False
    )
    verified_at = fields.Datetime(string="Verified On", readonly=True, copy=False)
    verified_by_id = fields.Many2one(
        comodel_name="res.users", string="Verified by", readonly=True, copy=False
    )

    @api.model
    def _get_transitions(self):
        return {
            "open": {"done": ()},
            # Proven where it has to work: at the customer, by who is there (C8).
            "done": {
                "verified": (
                    "quality_resident.group_resident",
                    "quality_resident.group_manager",
                ),
                "open": (),
            },
            "verified": {"open": ("quality_resident.group_manager",)},
        }

    @api.depends("date_due", "complaint_id")
    def _compute_due_deadline(self):
        for measure in self:
            site = measure.complaint_id.site_id
            measure.due_deadline = (
                measure.date_due and site and site._get_end_of_day(measure.date_due)
            )

    @api.constrains("cause_id", "complaint_id")
    def _check_cause_id(self):
        for measure in self:
            # The cause of a site that the user may not see is refused as well.
            cause_sudo = measure.sudo().cause_id
            if cause_sudo and cause_sudo.eightd_id != measure.sudo().eightd_id:
                raise ValidationError(
                    self.env._(
                        "%(name)s: choose a “Cause” of the 8D report of %(complaint)s.",
                        name=measure.name,
                        complaint=measure.complaint_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        for measure in self:
            if measure.state != "open":
                raise UserError(
                    self.env._(
                        "%(name)s is done and stays on record.", name=measure.name
                    )
                )

    def action_done(self):
        """The measure is in place; its evidence is on the record.

        :raise UserError: there is no evidence
        """
        for measure in self:
            if not (measure.evidence or "").strip() and not measure.evidence_ids:
                raise UserError(
                    self.env._(
                        "%(name)s: fill in “Evidence” or add a file that shows it is "
                        "done.",
                        name=measure.name,
                    )
                )
        now = fields.Datetime.now()
        self._move_to("done", {"date_done": now})
        self._settle_clock("measure", now)
        return True

    def action_verify(self):
        """The resident has seen at the customer that the measure works."""
        self._move_to(
            "verified",
            {"verified_at": fields.Datetime.now(), "verified_by_id": self.env.uid},
        )
        return True

    def action_reopen(self):
        """It does not work after all."""
        self._move_to(
            "open",
            {
                "date_done": False,
                "verified_at": False,
                "verified_by_id": False,
                "due_alert": 0,
            },
        )
        return True

    def _has_running_clocks(self):
        return self.state == "open" and self.complaint_id._has_running_clocks()

    @api.model
    def _get_clock_state_depends(self):
        return ["state", "complaint_id.state"]

    def _get_event_users(self, role):
        if role == "resident":
            return self.user_id
        return super()._get_event_users(role)
