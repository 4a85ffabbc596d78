from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class QualityBreakpoint(models.Model):
    """From where on parts are good: first good lot, serial, time or vehicle (C7).

    Handed to the SQE on duty and watched for one full shift after it goes on line.
    """

    _name = "quality.breakpoint"
    _description = "Breakpoint"
    _inherit = ["resident.site.mixin", "mail.thread", "quality.workflow.mixin"]
    _order = "complaint_id desc, online_at desc, id desc"
    _rec_name = "value"
    _same_site_fields = ("complaint_id", "failed_place_id")
    _protected_fields = (
        "site_id",
        "company_id",
        "watch_until",
        "failed_place_id",
        "failed_reason",
        "decided_at",
    )
    _fixed_fields = ("complaint_id",)
    _editable_states = {
        name: ("watching",) for name in ("kind", "value", "online_at", "handed_to_id")
    }
    _reason_actions = ("action_fail",)

    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        required=True,
        index=True,
        ondelete="restrict",
    )
    site_id = fields.Many2one(
        related="complaint_id.site_id", store=True, precompute=True, required=False
    )
    state = fields.Selection(
        selection=[("watching", "Watching"), ("holds", "Holds"), ("failed", "Failed")],
        string="Status",
        required=True,
        readonly=True,
        default="watching",
        copy=False,
        index=True,
        tracking=True,
    )
    kind = fields.Selection(
        selection=[
            ("lot", "Lot"),
            ("serial", "Serial Number"),
            ("time", "Time"),
            ("vin", "VIN"),
        ],
        required=True,
        default="lot",
    )
    value = fields.Char(
        string="First Good", required=True, help="First good lot, number or time."
    )
    online_at = fields.Datetime(
        string="On Line Since",
        required=True,
        default=fields.Datetime.now,
        tracking=True,
        help="When the first good parts are fitted.",
    )
    handed_to_id = fields.Many2one(
        comodel_name="res.partner",
        string="Handed to",
        help="The customer's SQE on duty.",
    )
    watch_until = fields.Datetime(
        compute="_compute_watch_until", store=True, precompute=True
    )
    decided_at = fields.Datetime(readonly=True, copy=False)
    failed_place_id = fields.Many2one(
        comodel_name="resident.place", readonly=True, copy=False, ondelete="restrict"
    )
    failed_reason = fields.Text(readonly=True, copy=False)
    failed_sorter_ids = fields.Many2many(
        comodel_name="res.users",
        string="Sorted by",
        compute="_compute_failed_sorter_ids",
        help="Who sorted the place where bad parts were still found.",
    )

    @api.model
    def _get_transitions(self):
        return {"watching": {"holds": (), "failed": ()}, "holds": {"failed": ()}}

    @api.depends("online_at", "complaint_id")
    def _compute_watch_until(self):
        for mark in self:
            site = mark.complaint_id.site_id
            mark.watch_until = (
                mark.online_at
                and site
                # A site without shifts is watched for a day.
                and (
                    site._get_full_shift_end(mark.online_at)
                    or mark.online_at + timedelta(days=1)
                )
            )

    @api.depends("failed_place_id")
    def _compute_failed_sorter_ids(self):
        for mark in self:
            mark.failed_sorter_ids = mark.complaint_id.sorting_ids.filtered(
                lambda s, mark=mark: s.place_id == mark.failed_place_id and not s.undone
            ).user_id

    @api.constrains("online_at", "complaint_id")
    def _check_online_at(self):
        for mark in self:
            if mark.online_at < mark.complaint_id.called_at:
                raise ValidationError(
                    self.env._(
                        "“On Line Since” of the breakpoint %(value)s lies before the "
                        "call. Enter when the first good parts were fitted.",
                        value=mark.value,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        for mark in self:
            if mark.state != "watching":
                raise UserError(
                    self.env._(
                        "The breakpoint %(value)s is decided and stays on record.",
                        value=mark.value,
                    )
                )

    def action_hold(self):
        """The breakpoint held for one full shift after it went on line.

        :raise UserError: the shift is not over yet
        """
        now = fields.Datetime.now()
        for mark in self:
            if now < mark.watch_until:
                raise UserError(
                    self.env._(
                        "The breakpoint %(value)s is watched until %(until)s, one full "
                        "shift. Say that it holds after that.",
                        value=mark.value,
                        until=mark.complaint_id._format_moment("watch_until", mark),
                    )
                )
        self._move_to("holds", {"decided_at": now})
        return True

    def action_fail(self, reason=None, place_id=None):
        """Bad parts came after the breakpoint: the containment opens again (C7).

        :param str reason: what was found
        :param int place_id: the place that was missed; without it every place of the
            complaint is sorted again
        """
        reason = (reason or "").strip()
        if not reason:
            raise UserError(
                self.env._("Say what was found after the breakpoint: fill in “Reason”.")
            )
        self._move_to(
            "failed",
            {
                "decided_at": fields.Datetime.now(),
                "failed_reason": reason,
                "failed_place_id": place_id,
            },
        )
        for mark in self:
            mark.complaint_id._reopen_containment(mark)
        return True
