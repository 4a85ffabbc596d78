from datetime import timedelta
from itertools import accumulate

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date

# Bars that can be told apart on one page.
TOP = 12


class ResidentReport(models.Model):
    """What is made once a month (spec.md Q3, Q4)."""

    _inherit = "resident.report"

    # === DELIVERED QUALITY === #

    def _get_month_quality_facts(self, start, stop):
        figures = self.env["quality.figure"]
        domain = self._get_domain() & Domain("month", "=", self.date_from)
        total = figures._get_month_figures(self.site_id, self.date_from)
        by_product = figures._get_figures(domain, ["product_id"])
        by_day = figures._get_figures(domain, ["day"])
        days = [by_day.get((day,), {}) for day in self._get_days()]
        weeks = {}
        for (day,), values in sorted(by_day.items(), key=lambda item: item[0]):
            weeks.setdefault(f"{day:%G-W%V}", []).append(values)
        head = [
            self.env._("Delivered quantity"),
            self.env._("Bad parts"),
            self.env._("Suspect parts"),
            self.env._("PPM"),
        ]
        products = sorted(
            (
                [
                    product.display_name or self.env._("Not named"),
                    *self._get_sums([row]),
                ]
                for (product,), row in by_product.items()
            ),
            key=lambda row: (-row[2], -row[1], row[0]),
        )
        (values,) = total.values()
        sections = [
            self._get_section(
                self.env._("At a glance"),
                [self.env._("Figure"), self.env._("Result")],
                [
                    [self.env._("Delivered, less returned"), values["delivered_qty"]],
                    [self.env._("Bad parts"), values["bad_qty"]],
                    [self.env._("Suspect parts"), values["suspect_qty"]],
                    [self.env._("PPM"), values["ppm"]],
                    [self.env._("PPM with suspect parts"), values["ppm_provisional"]],
                    [self.env._("Complaints"), values["complaint_count"]],
                ],
            ),
            self._get_section(
                self.env._("By product"),
                [self.env._("Product"), *head],
                [row for row in products if any(row[1:4])],
            ),
            self._get_section(
                self.env._("By week"),
                [self.env._("Week"), *head],
                [[week, *self._get_sums(rows)] for week, rows in weeks.items()],
            ),
        ]
        labels = [str(day.day) for day in self._get_days()]
        delivered, bad, ppm = (
            self.env._("Delivered quantity"),
            self.env._("Bad parts"),
            self.env._("PPM"),
        )
        ranked = [row for row in products if row[4]][:TOP]
        charts = [
            self._get_chart(
                self.env._("Delivered by day"),
                "bars",
                labels,
                [(delivered, [row.get("delivered_qty", 0) for row in days])],
            ),
            self._get_chart(
                self.env._("Bad parts by day"),
                "bars",
                labels,
                [
                    (bad, [row.get("bad_qty", 0) for row in days]),
                    (
                        self.env._("Suspect parts"),
                        [row.get("suspect_qty", 0) for row in days],
                    ),
                ],
                stacked=True,
            ),
            self._get_chart(
                self.env._("PPM by week"),
                "lines",
                list(weeks),
                [(ppm, [self._get_sums(rows)[3] for rows in weeks.values()])],
                target=self._get_ppm_target(),
            ),
        ]
        if ranked:
            charts.append(
                self._get_chart(
                    self.env._("PPM by product"),
                    "bars",
                    [row[0] for row in ranked],
                    [(ppm, [row[4] for row in ranked])],
                )
            )
        return sections, charts

    def _get_ppm_target(self):
        """Return name and value of the PPM at which the rating is spoilt, or None."""
        rules = self.env["quality.rating.rule"]
        # The limit is printed for everybody who gets the report.
        rule_sudo = rules._find_current(self.site_id)[self.site_id].sudo()
        return (self.env._("PPM Limit"), rule_sudo.ppm_limit) if rule_sudo else None

    def _get_days(self):
        """Return the days of the report's period."""
        self.ensure_one()
        length = (self.date_to - self.date_from).days
        return [self.date_from + timedelta(days=number) for number in range(length + 1)]

    @api.model
    def _get_sums(self, rows):
        """Return delivered, bad, suspect and PPM over ``rows``: Σbad ÷ Σdelivered."""
        delivered, bad, suspect = (
            sum(row[name] for row in rows)
            for name in ("delivered_qty", "bad_qty", "suspect_qty")
        )
        return [
            delivered,
            bad,
            suspect,
            bad * 1000000 / delivered if delivered > 0 else None,
        ]

    # === LINE STOPS === #

    def _get_month_line_stop_facts(self, start, stop):
        complaints = self._get_line_stop_complaints(start, stop)
        days = dict.fromkeys(self._get_days(), 0)
        for complaint in complaints:
            day = complaint.site_id._get_local_date(complaint.called_at)
            days[day] += complaint.line_stop_minutes
        reasons = {}
        for complaint in complaints:
            reason = complaint.line_stop_reason or self.env._("Not named")
            reasons[reason] = reasons.get(reason, 0) + complaint.line_stop_minutes
        ranked = sorted(reasons.items(), key=lambda item: -item[1])
        cumulated = list(accumulate(days.values()))
        stopped = [
            [{"date": str(day)}, minutes, total]
            for (day, minutes), total in zip(days.items(), cumulated, strict=True)
            if minutes
        ]
        minutes = self.env._("Minutes")
        sections = [
            self._get_section(
                self.env._("At a glance"),
                [self.env._("Figure"), self.env._("Result")],
                [
                    [self.env._("Line-stop minutes"), cumulated[-1]],
                    [self.env._("Line stops"), len(complaints)],
                    [self.env._("Days with a stop"), len(stopped)],
                ],
            ),
            self._get_section(
                self.env._("By day"),
                [self.env._("Day"), minutes, self.env._("Cumulated minutes")],
                stopped,
            ),
            self._get_section(
                self.env._("By reason"),
                [self.env._("Reason"), minutes],
                [list(row) for row in ranked],
            ),
            self._get_line_stop_section(complaints),
        ]
        charts = [
            self._get_chart(
                self.env._("Line-stop minutes by day"),
                "bars",
                [str(day.day) for day in days],
                [(minutes, list(days.values()))],
            ),
            self._get_chart(
                self.env._("Cumulated line-stop minutes"),
                "lines",
                [str(day.day) for day in days],
                [(self.env._("Cumulated minutes"), cumulated)],
            ),
        ]
        if ranked:
            labels, values = zip(*ranked[:TOP], strict=True)
            charts.append(
                self._get_chart(
                    self.env._("Line-stop minutes by reason"),
                    "pareto",
                    labels,
                    values,
                    (minutes, self.env._("Cumulated")),
                )
            )
        return sections, charts

    # === MONTH-END === #

    def _get_month_end_facts(self, start, stop):
        complaints = self.env["quality.complaint"].search(
            self._get_domain() & self.env["quality.complaint"]._get_open_domain(),
            order="site_id, called_at",
        )
        overdue = self._get_overdue_rows(stop)
        recurring = self.env["quality.complaint"].search(
            self._get_domain("called_at", start, stop)
            & Domain("recurrence_of_id", "!=", False),
            order="site_id, called_at",
        )
        return [
            self._get_section(
                self.env._("At a glance"),
                [self.env._("Figure"), self.env._("Result")],
                [
                    [self.env._("Open complaints"), len(complaints)],
                    [self.env._("Overdue"), len(overdue)],
                    [self.env._("Recurring this month"), len(recurring)],
                ],
            ),
            self._get_correction_section(complaints),
            self._get_section(
                self.env._("Overdue"),
                [
                    self.env._("Document"),
                    self.env._("Clock"),
                    self.env._("Due"),
                    self.env._("Site"),
                ],
                overdue,
            ),
            self._get_section(
                self.env._("Recurring"),
                [
                    self.env._("Site"),
                    self.env._("Complaint"),
                    self.env._("Recurs from"),
                    self.env._("Product"),
                    self.env._("Defect"),
                ],
                [
                    [
                        complaint.site_id.name,
                        complaint.name,
                        complaint.recurrence_of_id.name,
                        complaint.product_id.display_name or "",
                        complaint.defect_id.display_name or "",
                    ]
                    for complaint in recurring
                ],
            ),
        ], []

    def _get_correction_section(self, complaints):
        """Return each open complaint with how far its measures are."""
        states = {}
        for complaint, state, count in self.env["quality.measure"]._read_group(
            [("complaint_id", "in", complaints.ids)],
            ["complaint_id", "state"],
            ["__count"],
        ):
            states[complaint.id, state] = count
        return self._get_section(
            self.env._("Corrections"),
            [
                self.env._("Site"),
                self.env._("Complaint"),
                self.env._("Product"),
                self.env._("Status"),
                self.env._("Customer's due date"),
                self.env._("Measures not done"),
                self.env._("Done"),
                self.env._("Verified"),
            ],
            [
                [
                    complaint.site_id.name,
                    complaint.name,
                    complaint.product_id.display_name or "",
                    self._get_label(complaint, "state"),
                    format_date(self.env, complaint.customer_due_date) or "–",
                    *(
                        states.get((complaint.id, state), 0)
                        for state in ("open", "done", "verified")
                    ),
                ]
                for complaint in complaints
            ],
        )
