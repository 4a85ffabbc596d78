from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .resident_clock_mixin import Clock

REPORT_KINDS = [
    ("daily", "Daily Report"),
    ("weekly", "Weekly Report"),
    ("month_quality", "Monthly Delivered Quality"),
    ("month_line_stop", "Monthly Line-stop Minutes"),
    ("month_end", "Month-end List"),
]
MONTHLY_KINDS = ("month_quality", "month_line_stop", "month_end")
OPEN_STATES = ("due", "missed")
REPORT = "quality_resident.action_report_resident_report"


class ResidentReport(models.Model):
    """What a resident tells home, compiled from the records (spec.md D1, Q2-Q4).

    Everything in it comes from other records; the resident changes the text, adds his
    remark and sends. Sent, it is kept as it was sent, document and data.
    """

    _name = "resident.report"
    _description = "Report"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.clock.mixin",
        "quality.workflow.mixin",
    ]
    _order = "date_from desc, id desc"
    _clocks = {"report": Clock("due_at", "due_at", "sent_at", "due_alert")}
    _protected_fields = (
        "due_at",
        "due_alert",
        "sent_at",
        "sent_by_id",
        "is_late",
        "covers_from",
        "covers_until",
        "data",
        "pdf_id",
    )
    _fixed_fields = ("site_id", "kind", "date_from")
    _editable_states = {
        name: OPEN_STATES for name in ("user_id", "lang", "content", "remark")
    }

    kind = fields.Selection(
        selection=REPORT_KINDS, required=True, default="daily", index=True
    )
    site_id = fields.Many2one(
        required=False,
        ondelete="restrict",
        default=lambda self: self.env["resident.site"]._get_default(),
        help="Empty, in the month-end list: all sites of the company.",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        related=None,
        compute="_compute_company_id",
        store=True,
        precompute=True,
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Responsible",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        domain="[('share', '=', False)]",
        tracking=True,
        help="Who sends it: the resident on duty, or who stands in for him.",
    )
    date_from = fields.Date(
        string="From",
        required=True,
        default=lambda self: self._default_date_from(),
        help="Any day of the period: a week begins on Monday, a month on its first.",
    )
    date_to = fields.Date(
        string="To", compute="_compute_date_to", store=True, precompute=True
    )
    state = fields.Selection(
        selection=[("due", "To Send"), ("missed", "Missed"), ("sent", "Sent")],
        string="Status",
        required=True,
        readonly=True,
        default="due",
        copy=False,
        index=True,
        tracking=True,
    )
    due_at = fields.Datetime(
        string="Due",
        readonly=True,
        copy=False,
        help="Empty: nobody waits for this report.",
    )
    due_alert = fields.Integer(readonly=True, copy=False)
    sent_at = fields.Datetime(string="Sent On", readonly=True, copy=False)
    sent_by_id = fields.Many2one(
        comodel_name="res.users", readonly=True, copy=False, ondelete="restrict"
    )
    is_late = fields.Boolean(string="Late", readonly=True, copy=False)

    # Content
    lang = fields.Selection(
        selection="_selection_lang",
        string="Language",
        compute="_compute_lang",
        store=True,
        readonly=False,
        precompute=True,
        help="“Compile Again” writes the report in another language.",
    )
    covers_from = fields.Datetime(readonly=True, copy=False)
    covers_until = fields.Datetime(
        string="Compiled Until",
        readonly=True,
        copy=False,
        help="Later records are in the next report.",
    )
    content = fields.Html(copy=False)
    remark = fields.Text(copy=False, help="Your own words: they come first.")
    data = fields.Json(readonly=True, copy=False)
    charts = fields.Html(compute="_compute_charts", sanitize=False)
    pdf_id = fields.Many2one(
        comodel_name="ir.attachment",
        string="Document",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )

    _site_once = models.UniqueIndex(
        "(site_id, kind, date_from) WHERE site_id IS NOT NULL",
        "There is a report of this kind for this site and period: open that one.",
    )
    _company_once = models.UniqueIndex(
        "(company_id, kind, date_from) WHERE site_id IS NULL",
        "There is a report of this kind for this company and period: open that one.",
    )
    _site_given = models.Constraint(
        "CHECK (site_id IS NOT NULL OR kind = 'month_end')",
        "Choose the “Site”: only the month-end list holds all sites of a company.",
    )
    _next_alert_idx = models.Index("(next_alert_at) WHERE next_alert_at IS NOT NULL")

    @api.model
    def _get_transitions(self):
        return {"due": {"sent": (), "missed": ()}, "missed": {"sent": ()}}

    @api.model
    def _selection_lang(self):
        return self.env["res.lang"].get_installed()

    @api.model
    def _default_date_from(self):
        """Return today, or the last month for what is made of a full month."""
        today = fields.Date.context_today(self)
        if self.env.context.get("default_kind") in MONTHLY_KINDS[:2]:
            return today.replace(day=1) - timedelta(days=1)
        return today

    @property
    def complaint_id(self):
        """No complaint: mails and events ask every document for its own."""
        return self.env["quality.complaint"]

    # === COMPUTE METHODS === #

    @api.depends("kind", "site_id", "date_from")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for report in self:
            day = report.date_from
            if day and report.kind in MONTHLY_KINDS:
                day = f"{day:%Y-%m}"
            name = report.site_id.name or report.company_id.name or ""
            report.display_name = f"{labels.get(report.kind)} {name} {day or ''}"

    @api.depends("site_id")
    def _compute_company_id(self):
        for report in self:
            report.company_id = report.site_id.company_id or self.env.company

    @api.depends("site_id", "kind")
    def _compute_user_id(self):
        for report in self:
            report.user_id = report._get_writer()

    @api.depends("kind", "date_from")
    def _compute_date_to(self):
        for report in self:
            report.date_to = self._get_period(report.kind, report.date_from)[1]

    @api.depends("kind", "site_id", "user_id")
    def _compute_lang(self):
        """Home reads it, so it is written as its author speaks.

        What is presented to the customer is in his language.
        """
        for report in self:
            customer = report.site_id.partner_id.lang
            report.lang = (
                (report.kind in MONTHLY_KINDS[:2] and customer)
                or report.user_id.lang
                or report.company_id.partner_id.lang
                or self.env.lang
            )

    @api.depends("data", "lang")
    def _compute_charts(self):
        for report in self:
            report.charts = report._draw_charts()

    @api.constrains("user_id")
    def _check_user(self):
        self.user_id._check_serves_sites("resident")

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        reports = super().create(vals_list)
        for report in reports:
            first = self._get_period(report.kind, report.date_from)[0]
            if report.date_from != first:
                report._write_protected({"date_from": first})
        reports._check_begun()
        reports._start_clock()
        reports._compile()
        return reports

    def _check_begun(self):
        """Refuse a report of days to come.

        :raise ValidationError: names the field
        """
        for report in self:
            if report.date_from > report._get_local_date():
                raise ValidationError(
                    self.env._(
                        "%(name)s: “From” lies in the future. Choose today or before.",
                        name=report.display_name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_awaited(self):
        for report in self:
            if report.state != "due" or report.due_at:
                raise UserError(
                    self.env._(
                        "%(name)s was due or has been sent: it stays on record.",
                        name=report.display_name,
                    )
                )

    def _get_locked_message(self, names):
        self.ensure_one()
        if self.state == "sent":
            return self.env._(
                "%(name)s has been sent and is kept as sent. Say what is new in the "
                "next report.",
                name=self.display_name,
            )
        return super()._get_locked_message(names)

    # === PERIOD === #

    @api.model
    def _get_period(self, kind, day):
        """Return first and last day of the period of ``kind`` that holds ``day``."""
        if not day or kind == "daily":
            return day, day
        if kind == "weekly":
            first = day - timedelta(days=day.weekday())
            return first, first + timedelta(days=6)
        first = day.replace(day=1)
        return first, first + relativedelta(months=1, days=-1)

    def _get_calendar(self):
        """Return the calendar that tells the report's time: the site's, or ours."""
        self.ensure_one()
        # Whoever compiles may read when his site works.
        return (self.site_id or self.company_id).sudo()[
            "calendar_id" if self.site_id else "resource_calendar_id"
        ]

    def _get_writer(self):
        """Return who is to send the report: posted at the site and not on leave.

        A daily report is of who was there on its day, all others of who is there now.
        """
        self.ensure_one()
        if not self.site_id:
            # The manager answers for the sites; the current one makes his own list.
            sites = self.env["resident.site"].sudo()
            managers = sites.search(
                [("company_id", "=", self.company_id.id)]
            ).manager_id
            own = managers.filtered(lambda user: user == self.env.user)
            return (own or managers[:1]).with_env(self.env)
        day = (self.kind == "daily" and self.date_from) or self._get_local_date()
        people = self.site_id._get_people(day)
        own = people.filtered(lambda user: user == self.env.user)
        return (own or people or self.site_id.manager_id)[:1]

    # === ACTIONS === #

    def action_compile(self):
        """Compile the content anew from the records; the remark stays.

        :raise UserError: a report has been sent
        """
        self.check_access("write")
        for report in self.filtered(lambda r: r.state not in OPEN_STATES):
            raise UserError(report._get_locked_message(["content"]))
        self._compile()
        return True

    def action_send(self):
        """Send the reports once, with their documents, and keep them as sent.

        One that is past its time has been missed first, and says that it is late.

        :raise UserError: a report has been sent before
        """
        self._ensure_can_move("sent")
        now = fields.Datetime.now()
        overdue = self.filtered(
            lambda r: r.state == "due" and r.due_at and now >= r._get_missed_at()
        )
        overdue._miss()
        late = self.filtered(lambda r: r.state == "missed")
        values = {"sent_at": now, "sent_by_id": self.env.uid}
        late._move_to("sent", {**values, "is_late": True})
        (self - late)._move_to("sent", values)
        for report in self:
            report._archive()
        self._clear_todo("report_due", "report_reminder", "report_missed")
        for kind, reports in self.grouped("kind").items():
            reports._emit_event(
                "report_month" if kind in MONTHLY_KINDS[:2] else f"report_{kind}"
            )
        return True
