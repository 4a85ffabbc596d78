from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .optional_float import OptionalFloat
from .quality_rating_rule import RATINGS, SPECIAL_STATUSES
from .resident_clock_mixin import Clock

GROUP = "quality_resident.group_"
WORKERS = tuple(GROUP + name for name in ("resident", "quality", "manager"))
HOME = tuple(GROUP + name for name in ("quality", "sales", "manager"))
SENDERS = tuple(GROUP + name for name in ("quality", "manager"))
# What the customer tells us, whenever it comes.
CUSTOMER_FIELDS = (
    "customer_rating",
    "customer_ppm",
    "customer_delivered_qty",
    "customer_bad_qty",
)
# Figures of the month, as quality.figure names them.
COUNTS = (
    "complaint_count",
    "critical_count",
    "major_count",
    "minor_count",
    "recurrence_count",
    "handled_count",
    "line_stop_minutes",
    "arrival_count",
    "arrival_on_time",
    "feedback_count",
    "feedback_on_time",
)
# Rates shown: {field: (part, whole)}
RATES = {
    "arrival_rate": ("arrival_on_time", "arrival_count"),
    "feedback_rate": ("feedback_on_time", "feedback_count"),
    "answer_rate": ("answer_on_time", "answer_count"),
    "handling_rate": ("handled_count", "complaint_count"),
}


class QualityScorecard(models.Model):
    """A site's month: our figures and the rating they let us expect (spec.md Q1).

    Figures are stored with the rule that rated them. Once sent they stay, whatever
    happens to moves and complaints; only what the customer tells is still added.
    """

    _name = "quality.scorecard"
    _description = "Scorecard"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.clock.mixin",
        "quality.workflow.mixin",
    ]
    _order = "month desc, site_id, id"
    _mail_post_access = "read"
    _clocks = {"sending": Clock("opened_at", "deadline", "sent_at", "send_alert")}
    _fixed_fields = ("site_id", "month")
    _editable_states = {"comment": ("draft",), "special_status": ("draft",)}
    _protected_fields = (
        "company_id",
        "delivered_qty",
        "bad_qty",
        "suspect_qty",
        *COUNTS,
        "critical_repeat_count",
        "major_repeat_count",
        "minor_repeat_count",
        "answer_count",
        "answer_on_time",
        "claim_amount",
        "claim_accepted",
        "rule_id",
        "score",
        "forecast_rating",
        "composition",
        "computed_at",
        "customer_recorded_by_id",
        "customer_recorded_at",
        "opened_at",
        "send_alert",
        "sent_at",
        "sent_by_id",
        "frozen_at",
        "pdf_id",
    )
    # {field: groups that fill it in}
    _field_groups = {
        "comment": WORKERS,
        "special_status": SENDERS,
        "gap_reason": HOME,
        **dict.fromkeys(CUSTOMER_FIELDS, HOME),
    }

    # Identity
    name = fields.Char(compute="_compute_name")
    site_id = fields.Many2one(
        ondelete="restrict",
        default=lambda self: self.env["resident.site"]._get_default(),
    )
    # As it was when the month was made: a frozen card keeps its customer.
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        compute="_compute_partner_id",
        store=True,
        precompute=True,
        index=True,
    )
    month = fields.Date(
        required=True,
        index=True,
        default=lambda self: (
            fields.Date.context_today(self) - relativedelta(months=1, day=1)
        ),
        help="Its first day; months are those of the site's time zone.",
    )
    state = fields.Selection(
        selection=[("draft", "To Send"), ("sent", "Sent"), ("frozen", "Frozen")],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )

    # Figures
    delivered_qty = fields.Float(
        string="Delivered", readonly=True, copy=False, digits="Product Unit"
    )
    bad_qty = fields.Float(
        string="Bad", readonly=True, copy=False, digits="Product Unit"
    )
    suspect_qty = fields.Float(
        string="Suspect", readonly=True, copy=False, digits="Product Unit"
    )
    ppm = OptionalFloat(
        string="PPM",
        compute="_compute_ppm",
        store=True,
        precompute=True,
        digits=(16, 1),
        aggregator="avg",
        help="Confirmed: bad ÷ delivered × 1,000,000. Empty if nothing was delivered.",
    )
    ppm_provisional = OptionalFloat(
        string="Provisional PPM",
        compute="_compute_ppm",
        store=True,
        precompute=True,
        digits=(16, 1),
        aggregator="avg",
        help="The same with suspect parts counted as bad, until they are sorted.",
    )
    complaint_count = fields.Integer(string="Complaints", readonly=True, copy=False)
    critical_count = fields.Integer(string="Critical", readonly=True, copy=False)
    major_count = fields.Integer(string="Major", readonly=True, copy=False)
    minor_count = fields.Integer(string="Minor", readonly=True, copy=False)
    recurrence_count = fields.Integer(string="Recurring", readonly=True, copy=False)
    critical_repeat_count = fields.Integer(
        string="Recurring, Critical", readonly=True, copy=False
    )
    major_repeat_count = fields.Integer(
        string="Recurring, Major", readonly=True, copy=False
    )
    minor_repeat_count = fields.Integer(
        string="Recurring, Minor", readonly=True, copy=False
    )
    handled_count = fields.Integer(string="Handled", readonly=True, copy=False)
    line_stop_minutes = fields.Integer(
        string="Line Stop (min)", readonly=True, copy=False
    )
    arrival_count = fields.Integer(string="Calls", readonly=True, copy=False)
    arrival_on_time = fields.Integer(
        string="On Site in Time", readonly=True, copy=False
    )
    feedback_count = fields.Integer(string="Feedback Due", readonly=True, copy=False)
    feedback_on_time = fields.Integer(
        string="Feedback in Time", readonly=True, copy=False
    )
    answer_count = fields.Integer(string="3D and 8D Due", readonly=True, copy=False)
    answer_on_time = fields.Integer(
        string="3D and 8D in Time", readonly=True, copy=False
    )
    arrival_rate = OptionalFloat(
        string="On Site in Time (%)", compute="_compute_rates", digits=(16, 1)
    )
    feedback_rate = OptionalFloat(
        string="Feedback in Time (%)", compute="_compute_rates", digits=(16, 1)
    )
    answer_rate = OptionalFloat(
        string="3D and 8D in Time (%)", compute="_compute_rates", digits=(16, 1)
    )
    handling_rate = OptionalFloat(
        string="Handled (%)", compute="_compute_rates", digits=(16, 1)
    )
    claim_amount = fields.Monetary(
        string="Claimed", currency_field="currency_id", readonly=True, copy=False
    )
    claim_accepted = fields.Monetary(
        string="Accepted", currency_field="currency_id", readonly=True, copy=False
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    special_status = fields.Selection(
        SPECIAL_STATUSES,
        copy=False,
        tracking=True,
        help="What the customer put us under in this month, if anything.",
    )

    # Forecast
    rule_id = fields.Many2one(
        comodel_name="quality.rating.rule",
        string="Rated by",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    score = OptionalFloat(
        readonly=True,
        copy=False,
        digits=(16, 1),
        aggregator="avg",
        help="Empty when nothing happened that a customer could rate.",
    )
    forecast_rating = fields.Selection(
        RATINGS, string="Forecast", readonly=True, copy=False
    )
    # What each cause took off the score, as _rate of the rule returns it.
    composition = fields.Json(readonly=True, copy=False)
    computed_at = fields.Datetime(string="Computed", readonly=True, copy=False)
    comment = fields.Text(
        string="Resident's Comment", copy=False, help="What the figures do not tell."
    )

    # The customer's verdict
    customer_rating = fields.Selection(
        RATINGS, string="Customer's Rating", copy=False, tracking=True
    )
    customer_ppm = OptionalFloat(
        string="Customer's PPM",
        copy=False,
        digits=(16, 1),
        aggregator=None,
        tracking=True,
    )
    customer_delivered_qty = OptionalFloat(
        string="Delivered, by the Customer",
        copy=False,
        digits="Product Unit",
        aggregator=None,
        tracking=True,
    )
    customer_bad_qty = OptionalFloat(
        string="Bad, by the Customer",
        copy=False,
        digits="Product Unit",
        aggregator=None,
        tracking=True,
    )
    customer_recorded_by_id = fields.Many2one(
        comodel_name="res.users", string="Recorded by", readonly=True, copy=False
    )
    customer_recorded_at = fields.Datetime(string="Recorded", readonly=True, copy=False)
    gap_reason = fields.Text(
        string="Why His Figures Differ",
        copy=False,
        tracking=True,
        help="What the customer counts that we do not, or the other way round.",
    )
    rating = fields.Selection(
        RATINGS,
        compute="_compute_rating",
        store=True,
        precompute=True,
        help="The customer's own, or the forecast where none has come.",
    )
    previous_rating = fields.Selection(RATINGS, compute="_compute_previous_rating")

    can_comment = fields.Boolean(compute="_compute_can_fill_in")
    can_tell_verdict = fields.Boolean(compute="_compute_can_fill_in")

    # Sending
    opened_at = fields.Datetime(
        string="Made", readonly=True, copy=False, default=fields.Datetime.now
    )
    date_due = fields.Date(compute="_compute_date_due", store=True, precompute=True)
    deadline = fields.Datetime(
        string="Send Until", compute="_compute_deadline", store=True, precompute=True
    )
    send_alert = fields.Integer(readonly=True, copy=False)
    sent_at = fields.Datetime(string="Sent On", readonly=True, copy=False)
    sent_by_id = fields.Many2one(
        comodel_name="res.users", string="Sent by", readonly=True, copy=False
    )
    frozen_at = fields.Datetime(string="Frozen On", readonly=True, copy=False)

    _site_month_uniq = models.UniqueIndex(
        "(site_id, month)", "This site has a scorecard of this month already."
    )
    _month_starts = models.Constraint(
        "CHECK (EXTRACT(DAY FROM month) = 1)", "A month is named by its first day."
    )
    _customer_positive = models.Constraint(
        "CHECK (customer_ppm >= 0 AND customer_delivered_qty >= 0 "
        "AND customer_bad_qty >= 0)",
        "The customer's figures cannot be negative.",
    )
    _next_alert_idx = models.Index("(next_alert_at) WHERE next_alert_at IS NOT NULL")

    @api.model
    def _get_transitions(self):
        return {"draft": {"sent": SENDERS}, "sent": {"frozen": (f"{GROUP}manager",)}}

    # === COMPUTE METHODS === #

    @api.depends("site_id")
    def _compute_partner_id(self):
        for card in self:
            card.partner_id = card.site_id.partner_id

    @api.depends("site_id", "month")
    def _compute_name(self):
        for card in self:
            month = card.month and fields.Date.to_string(card.month)[:7]
            card.name = f"{card.site_id.name or ''} {month or ''}".strip()

    @api.depends("delivered_qty", "bad_qty", "suspect_qty")
    def _compute_ppm(self):
        for card in self:
            delivered = card.delivered_qty
            bad, suspect = card.bad_qty, card.suspect_qty
            known = delivered > 0
            card.ppm = known and bad / delivered * 1e6
            card.ppm_provisional = known and (bad + suspect) / delivered * 1e6

    @api.depends(lambda self: [name for pair in RATES.values() for name in pair])
    def _compute_rates(self):
        for card in self:
            for name, (part, whole) in RATES.items():
                card[name] = bool(card[whole]) and card[part] / card[whole] * 100

    @api.depends("customer_rating", "forecast_rating")
    def _compute_rating(self):
        for card in self:
            card.rating = card.customer_rating or card.forecast_rating

    @api.depends("site_id", "month")
    def _compute_previous_rating(self):
        before = self.search_fetch(
            [
                ("site_id", "in", self.site_id.ids),
                (
                    "month",
                    "in",
                    [c.month - relativedelta(months=1) for c in self if c.month],
                ),
            ],
            ["site_id", "month", "rating"],
        )
        ratings = {(card.site_id, card.month): card.rating for card in before}
        for card in self:
            month = card.month and card.month - relativedelta(months=1)
            card.previous_rating = ratings.get((card.site_id, month))

    def _compute_can_fill_in(self):
        self.can_comment = self._may_fill_in("comment")
        self.can_tell_verdict = self._may_fill_in("customer_rating")

    @api.depends("month")
    def _compute_date_due(self):
        for card in self:
            card.date_due = card.month and card.month + relativedelta(months=1, day=2)

    @api.depends("date_due", "opened_at")
    def _compute_deadline(self):
        for card in self:
            if not (card.site_id and card.date_due):
                card.deadline = False
                continue
            # Whoever gets it late, because the server was down, has a day all the same.
            made = card.site_id._get_local_date(card.opened_at)
            last_day = max(card.date_due, made + relativedelta(days=1))
            card.deadline = card.site_id._get_end_of_day(last_day)

    @api.model
    def _get_clock_state_depends(self):
        return ["state"]

    def _has_running_clocks(self):
        return self.state == "draft"

    @api.constrains("month", "site_id")
    def _check_month_is_over(self):
        for card in self:
            if card.month + relativedelta(months=1) > card.site_id._get_local_date():
                raise ValidationError(
                    self.env._(
                        "%(name)s: the “%(field)s” is not over yet. Make the scorecard "
                        "from the first of the next one on.",
                        name=card.name,
                        field=self._fields["month"]._description_string(self.env),
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_field_groups(name for name in vals if vals[name])
            if vals.get("month"):
                vals["month"] = fields.Date.to_date(vals["month"]).replace(day=1)
        cards = super().create(vals_list)
        cards.filtered(lambda card: not card.computed_at)._refresh()
        cards.filtered(lambda card: not card.customer_recorded_at)._stamp_customer()
        cards.site_id._update_streaks()
        return cards

    def write(self, vals):
        if not self._is_gate_open():
            self._check_field_groups(vals)
        result = super().write(vals)
        if not self._is_gate_open():
            if "special_status" in vals:
                self._rate()
            if set(CUSTOMER_FIELDS) & set(vals):
                self._stamp_customer()
            if {"special_status", "customer_rating"} & set(vals):
                self.site_id._update_streaks()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on_record(self):
        now = fields.Datetime.now()
        for card in self:
            # Made anew by the job it would not be late any more.
            is_late = card.deadline and card.deadline < now
            if card.state != "draft" or is_late or card.customer_recorded_at:
                raise UserError(
                    self.env._(
                        "%(name)s was sent, is late or holds the customer's figures: "
                        "it stays on record.",
                        name=card.name,
                    )
                )

    def unlink(self):
        sites = self.site_id
        result = super().unlink()
        sites._update_streaks()
        return result

    @api.model
    def _check_field_groups(self, names):
        """Raise unless the user fills in only what is his.

        :raise AccessError: names the field and who fills it in
        """
        for name in names:
            if not self._may_fill_in(name):
                raise AccessError(
                    self.env._(
                        "Only %(groups)s fill in “%(field)s”.",
                        groups=", ".join(
                            # Only administrators read groups; names are no secret.
                            self.env.ref(group).sudo().name
                            for group in self._field_groups[name]
                        ),
                        field=self._fields[name]._description_string(self.env),
                    )
                )

    @api.model
    def _may_fill_in(self, name):
        groups = self._field_groups.get(name)
        return not groups or self.env.su or self._has_one_group(groups)

    def _get_locked_message(self, names):
        labels = sorted(self._fields[n]._description_string(self.env) for n in names)
        return self.env._(
            "%(name)s: “%(fields)s” can no longer be changed. Write a message below "
            "instead.",
            name=self.name,
            fields="”, “".join(labels),
        )

    def _stamp_customer(self):
        """Keep who recorded the customer's verdict, and when."""
        told = self.filtered(
            # A PPM of 0 was told as well.
            lambda card: any(card[name] is not False for name in CUSTOMER_FIELDS)
        )
        told._write_protected(
            {
                "customer_recorded_by_id": self.env.uid,
                "customer_recorded_at": fields.Datetime.now(),
            }
        )

    def _read_group_select(self, aggregate_spec, query):
        """Group PPM as Σbad ÷ Σdelivered, never as a mean of means (design.md)."""
        name, _colon, _func = aggregate_spec.partition(":")
        if name not in ("ppm", "ppm_provisional"):
            return super()._read_group_select(aggregate_spec, query)
        bad = self._field_to_sql(self._table, "bad_qty", query)
        if name == "ppm_provisional":
            suspect = self._field_to_sql(self._table, "suspect_qty", query)
            bad = SQL("%s + %s", bad, suspect)
        return SQL(
            # As in quality.figure: more may have come back than went out.
            "SUM(%s) / NULLIF(GREATEST(SUM(%s), 0), 0) * 1000000",
            bad,
            self._field_to_sql(self._table, "delivered_qty", query),
        )
