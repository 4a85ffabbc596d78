from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.models import parse_read_group_spec
from odoo.tools import SQL

DIMENSIONS = {
    "date": "timestamp",
    "day": "date",
    "month": "date",
    "company_id": "int4",
    "site_id": "int4",
    "partner_id": "int4",
    "product_id": "int4",
    "product_categ_id": "int4",
    "defect_id": "int4",
    "problem_type": "varchar",
    "severity": "varchar",
    "place_id": "int4",
    "shift": "varchar",
    "cause": "text",
    "complaint_id": "int4",
    "claim_id": "int4",
    "vehicle_model": "varchar",
    "failure_month": "date",
    "name": "varchar",
    "res_model": "varchar",
    "res_id": "int4",
}
# {sum: type}
SUMS = {
    "delivered_qty": "numeric",
    "bad_qty": "numeric",
    "suspect_qty": "numeric",
    "sorted_qty": "numeric",
    "complaint_count": "int4",
    "minor_count": "int4",
    "major_count": "int4",
    "critical_count": "int4",
    "recurrence_count": "int4",
    "line_stop_minutes": "int4",
    "handled_count": "int4",
    "handling_hours": "numeric",
    "arrival_count": "int4",
    "arrival_on_time_count": "int4",
    "feedback_count": "int4",
    "feedback_on_time_count": "int4",
    "field_returned_qty": "numeric",
    "scrap_value": "numeric",
    "amount_claimed": "numeric",
    "amount_accepted": "numeric",
    "amount_refused": "numeric",
    "amount_paid": "numeric",
    "amount_open": "numeric",
}
# {ratio: (factor, sums above the line, sums below it)}
RATIOS = {
    "ppm_provisional": (1000000, ("bad_qty", "suspect_qty"), ("delivered_qty",)),
    "ppm": (1000000, ("bad_qty",), ("delivered_qty",)),
    "arrival_rate": (100, ("arrival_on_time_count",), ("arrival_count",)),
    "feedback_rate": (100, ("feedback_on_time_count",), ("feedback_count",)),
    "handling_rate": (100, ("handled_count",), ("complaint_count",)),
    "handling_time": (1, ("handling_hours",), ("handled_count",)),
    "acceptance_rate": (
        100,
        ("amount_accepted",),
        ("amount_accepted", "amount_refused"),
    ),
    "cost_per_thousand": (1000, ("amount_accepted",), ("delivered_qty",)),
}
# No place on Earth is further from UTC than a day.
DAY, MONTH = relativedelta(days=1), relativedelta(months=1)
# Joined to the fact of each select, which is ``fact`` and has a ``site_id``.
SITE = SQL(
    """LEFT JOIN resident_site site ON site.id = fact.site_id
    LEFT JOIN resource_calendar calendar ON calendar.id = site.calendar_id"""
)
PRODUCT = SQL(
    """LEFT JOIN product_product product ON product.id = fact.product_id
    LEFT JOIN product_template template ON template.id = product.product_tmpl_id"""
)


def get_local(moment):
    """Return the SQL of ``moment`` (naive UTC) in the site's time."""
    return f"({moment} AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(calendar.tz, 'UTC'))"


def get_period(moment):
    """Return the columns of a fact that happened at ``moment`` (SQL, naive UTC)."""
    local = get_local(moment)
    return {
        "date": moment,
        "day": local,
        "month": f"date_trunc('month', {local})",
    }


class QualityFigure(models.Model):
    """One fact at one moment: the only source of figures (spec.md Q1, Q3, Q5, L4).

    Every count, sum and rate of scorecards, reports, dashboard and analysis is a sum
    over these rows, or a sum divided by a sum. Days and months are the site's own.

    A union of one select for each kind: what is counted, and when, is told in
    quality_figure_complaint.py, quality_figure_stock.py, quality_figure_parts.py and
    quality_figure_claim.py.
    """

    _name = "quality.figure"
    _description = "Quality Figures"
    _inherit = "quality.union.mixin"
    _auto = False
    _union_columns = DIMENSIONS | SUMS | dict.fromkeys(RATIOS, "float8")
    _order = "date desc, id desc"
    _depends = {
        "resident.site": ["calendar_id", "partner_id"],
        "resource.calendar": ["tz"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
    }

    # What, when and where
    kind = fields.Selection(selection=[], readonly=True)
    name = fields.Char(string="Document", readonly=True)
    date = fields.Datetime(readonly=True)
    day = fields.Date(readonly=True, help="In the site's time zone.")
    month = fields.Date(readonly=True, help="In the site's time zone.")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    site_id = fields.Many2one("resident.site", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    product_categ_id = fields.Many2one(
        "product.category", string="Product Category", readonly=True
    )
    defect_id = fields.Many2one("quality.defect", readonly=True)
    problem_type = fields.Selection(
        selection=lambda self: self._get_options("quality.complaint", "problem_type"),
        readonly=True,
    )
    severity = fields.Selection(
        selection=lambda self: self._get_options("quality.complaint", "severity"),
        readonly=True,
    )
    place_id = fields.Many2one("resident.place", readonly=True)
    shift = fields.Char(readonly=True, help="The customer's shift at that moment.")
    cause = fields.Text(
        readonly=True, help="Of the 8D why it happened, else the complaint's."
    )
    complaint_id = fields.Many2one("quality.complaint", readonly=True)
    claim_id = fields.Many2one("quality.claim", readonly=True)
    vehicle_model = fields.Char(readonly=True)
    failure_month = fields.Date(readonly=True, help="In which the claimed part failed.")

    # Parts
    delivered_qty = fields.Float(
        string="Delivered",
        readonly=True,
        digits="Product Unit",
        help="Less what came back.",
    )
    bad_qty = fields.Float(string="Bad", readonly=True, digits="Product Unit")
    suspect_qty = fields.Float(string="Suspect", readonly=True, digits="Product Unit")
    sorted_qty = fields.Float(string="Sorted", readonly=True, digits="Product Unit")
    ppm_provisional = fields.Float(
        string="PPM Provisional",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Bad and suspect parts for each million delivered.",
    )
    ppm = fields.Float(
        string="PPM",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Bad parts for each million delivered.",
    )
    field_returned_qty = fields.Float(
        string="Returned from the Field", readonly=True, digits="Product Unit"
    )
    scrap_value = fields.Float(readonly=True, digits=(16, 2))

    # Complaints
    complaint_count = fields.Integer(string="Complaints", readonly=True)
    minor_count = fields.Integer(string="Minor", readonly=True)
    major_count = fields.Integer(string="Major", readonly=True)
    critical_count = fields.Integer(string="Critical", readonly=True)
    recurrence_count = fields.Integer(string="Recurring", readonly=True)
    line_stop_minutes = fields.Integer(string="Line Stop (min)", readonly=True)
    handled_count = fields.Integer(
        string="Handled", readonly=True, help="Closed complaints."
    )
    handling_rate = fields.Float(
        string="Handling Rate (%)", readonly=True, digits=(16, 1), aggregator="avg"
    )
    handling_hours = fields.Float(
        readonly=True,
        digits=(16, 1),
        help="From the call until the complaint was closed.",
    )
    handling_time = fields.Float(
        string="Hours per Handled Complaint",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
    )
    arrival_count = fields.Integer(
        string="Arrivals", readonly=True, help="Arrived, or already late."
    )
    arrival_on_time_count = fields.Integer(string="Arrived on Time", readonly=True)
    arrival_rate = fields.Float(
        string="Arrived on Time (%)", readonly=True, digits=(16, 1), aggregator="avg"
    )
    feedback_count = fields.Integer(
        string="Feedbacks", readonly=True, help="Sent, or already late."
    )
    feedback_on_time_count = fields.Integer(string="Feedback on Time", readonly=True)
    feedback_rate = fields.Float(
        string="Feedback on Time (%)", readonly=True, digits=(16, 1), aggregator="avg"
    )

    # Claims, in the company's currency
    amount_claimed = fields.Monetary(string="Claimed", readonly=True)
    amount_accepted = fields.Monetary(string="Accepted", readonly=True)
    amount_refused = fields.Monetary(string="Refused", readonly=True)
    amount_paid = fields.Monetary(string="Paid", readonly=True)
    amount_open = fields.Monetary(
        string="Undecided",
        readonly=True,
        help="Claimed, neither accepted nor refused.",
    )
    acceptance_rate = fields.Float(
        string="Acceptance Rate (%)",
        readonly=True,
        digits=(16, 1),
        aggregator="avg",
        help="Accepted of what is accepted or refused.",
    )
    cost_per_thousand = fields.Float(
        string="Cost per 1,000 Delivered",
        readonly=True,
        digits=(16, 2),
        aggregator="avg",
        help="Accepted claims for each thousand parts delivered.",
    )

    @api.model
    def _get_options(self, model, name):
        return self.env[model]._fields[name]._description_selection(self.env)

    # === FIGURES === #

    @api.model
    def _get_figures(self, domain, groupby=("site_id", "month")):
        """Return the figures of the facts in ``domain``, in one query.

        :param groupby: names of dimensions
        :return: ``{(value of each dimension): {measure: value}}``; a month is its
            first day, a sum without facts is 0, a ratio without denominator None
        """
        specs = [
            f"{name}:{name}" if name in ("day", "month") else name for name in groupby
        ]
        rows = self._read_group(
            domain,
            [
                f"{name}:month" if name == "failure_month" else spec
                for name, spec in zip(groupby, specs, strict=True)
            ],
            [*(f"{name}:sum" for name in SUMS), *(f"{name}:avg" for name in RATIOS)],
        )
        size = len(groupby)
        return {
            row[:size]: {
                name: (value or 0) if name in SUMS else self._get_ratio(value)
                for name, value in zip((*SUMS, *RATIOS), row[size:], strict=True)
            }
            for row in rows
        }

    @api.model
    def _get_ratio(self, value):
        # _read_group says False where there is nothing, which is not 0.
        return None if value is False else value

    @api.model
    def _get_month_figures(self, sites, first_month, last_month=None):
        """Return the figures of each of ``sites`` and months, in one query.

        :param date first_month: any day of the first month
        :param date last_month: any day of the last one, by default the first
        :return: ``{(site, first day of the month): {measure: value}}``, also for a
            month without facts
        """
        first = first_month.replace(day=1)
        last = (last_month or first_month).replace(day=1)
        # By the moment alone, with a day on both ends: asked for the month besides,
        # PostgreSQL would expect next to nothing and plan for that.
        found = self._get_figures(
            Domain("site_id", "in", sites.ids)
            & Domain("date", ">=", self._get_moment(first) - DAY)
            & Domain("date", "<", self._get_moment(last + MONTH) + DAY)
        )
        figures = {}
        while first <= last:
            for site in sites:
                figures[site, first] = found.get(
                    (site, first), dict.fromkeys(SUMS, 0) | dict.fromkeys(RATIOS)
                )
            first += MONTH
        return figures

    @api.model
    def _get_moment(self, day):
        return fields.Datetime.to_datetime(day)

    # === SQL === #

    @api.model
    def _search(self, domain, *args, **kwargs):
        # To compile this query takes PostgreSQL a second, to run it a tenth.
        self.env.cr.execute("SET LOCAL jit = off")
        # Whatever is asked of days or months is asked of moments as well: those have
        # indexes, in every table below.
        domain = Domain(domain).optimize_full(self).map_conditions(self._bound_date)
        return super()._search(domain, *args, **kwargs)

    @api.model
    def _bound_date(self, condition):
        """Return ``condition`` with the moments between which it can hold."""
        name, operator, value = (
            condition.field_expr,
            condition.operator,
            condition.value,
        )
        if name not in ("day", "month"):
            return condition
        length = MONTH if name == "month" else DAY
        if operator == "in" and all(value):
            first, last = min(value), max(value)
        elif operator in (">", ">="):
            first, last = value, None
        elif operator in ("<", "<="):
            first, last = None, value
        else:
            return condition
        if first:
            condition &= Domain("date", ">=", self._get_moment(first) - DAY)
        if last:
            condition &= Domain("date", "<", self._get_moment(last + length) + DAY)
        return condition

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        """Divide sums by sums, at whatever level is asked for."""
        name, _property, _aggregator = parse_read_group_spec(aggregate_spec)
        if name not in RATIOS:
            return super()._read_group_select(aggregate_spec, query)
        factor, above, below = RATIOS[name]
        return SQL(
            # More may have come back in a month than went out: no ratio either.
            "%s * (%s) / NULLIF(GREATEST(%s, 0), 0)",
            float(factor),
            self._get_sum(above, query),
            self._get_sum(below, query),
        )

    @api.model
    def _read_group_groupby(self, alias, groupby_spec, query):
        if groupby_spec == "month:month":
            # It is the first day of its month already.
            return self._field_to_sql(alias, "month", query)
        return super()._read_group_groupby(alias, groupby_spec, query)

    @api.model
    def _get_sum(self, names, query):
        return SQL(" + ").join(
            SQL("COALESCE(SUM(%s), 0)", self._field_to_sql(self._table, name, query))
            for name in names
        )
