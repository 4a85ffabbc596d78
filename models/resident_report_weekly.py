from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.fields import Domain

from .quality_8d import OPEN_STATES as OPEN_8D
from .resident_report_monthly import TOP

# Months that the report looks back.
TREND = 6


class ResidentReport(models.Model):
    """A week's movement, with what the manager steers by (spec.md D1)."""

    _inherit = "resident.report"

    def _get_weekly_facts(self, start, stop):
        pareto = self._get_defect_rows(start, stop)
        trend, chart = self._get_trend()
        sections = [
            *self._get_movement(start, stop),
            self._get_section(
                self.env._("Defects"),
                [self.env._("Defect"), self.env._("Bad quantity")],
                pareto,
            ),
            trend,
            self._get_8d_section(),
            self._get_claim_section(),
        ]
        charts = [chart]
        if pareto:
            labels, values = zip(*pareto[:TOP], strict=True)
            charts.append(
                self._get_chart(
                    self.env._("Defects"),
                    "pareto",
                    labels,
                    values,
                    (self.env._("Bad quantity"), self.env._("Cumulated")),
                )
            )
        return sections, charts

    def _get_defect_rows(self, start, stop):
        """Return the bad parts by defect, most first."""
        figures = self.env["quality.figure"]._get_figures(
            self._get_domain("date", start, stop) & Domain("bad_qty", ">", 0),
            ["defect_id"],
        )
        rows = [
            [defect.name or self.env._("Not named"), values["bad_qty"]]
            for (defect,), values in figures.items()
        ]
        return sorted(rows, key=lambda row: -row[1])

    def _get_trend(self):
        """Return the PPM of the last months, as a section and as a chart."""
        last = self.date_to.replace(day=1)
        months = [
            last - relativedelta(months=back) for back in range(TREND - 1, -1, -1)
        ]
        figures = self.env["quality.figure"]._get_month_figures(
            self.site_id, months[0], last
        )
        ppm = [figures[self.site_id, month]["ppm"] for month in months]
        labels = [f"{month:%Y-%m}" for month in months]
        section = self._get_section(
            self.env._("PPM by month"),
            [
                self.env._("Month"),
                self.env._("Delivered quantity"),
                self.env._("Bad parts"),
                self.env._("PPM"),
            ],
            [
                [
                    label,
                    figures[self.site_id, month]["delivered_qty"],
                    figures[self.site_id, month]["bad_qty"],
                    value,
                ]
                for label, month, value in zip(labels, months, ppm, strict=True)
            ],
        )
        chart = self._get_chart(
            self.env._("PPM by month"),
            "lines",
            labels,
            [(self.env._("PPM"), ppm)],
            target=self._get_ppm_target(),
        )
        return section, chart

    def _get_8d_section(self):
        reports = self.env["quality.8d"].search(
            self._get_domain() & Domain("state", "in", OPEN_8D), order="started_at"
        )
        return self._get_section(
            self.env._("8D reports"),
            [
                self.env._("Report"),
                self.env._("Title"),
                self.env._("Status"),
                self.env._("3D until"),
                self.env._("8D until"),
            ],
            [
                [
                    report.name,
                    report.title,
                    self._get_label(report, "state"),
                    self._format_stopped(report, "sent_3d_at", "due_3d"),
                    self._format_stopped(report, "sent_8d_at", "due_8d"),
                ]
                for report in reports
            ],
        )

    def _format_stopped(self, record, stop, deadline):
        """Return the deadline of a running clock, or that it was kept."""
        if record[stop]:
            return self.env._("sent")
        return record.site_id._format_moment(record[deadline])

    def _get_claim_section(self):
        """Return what is claimed and open, by currency: currencies are not added."""
        groups = self.env["quality.claim"]._read_group(
            self._get_domain() & Domain("state", "not in", ("settled", "withdrawn")),
            ["currency_id"],
            ["__count", "amount_claimed:sum", "amount_open:sum"],
        )
        return self._get_section(
            self.env._("Open claims"),
            [
                self.env._("Currency"),
                self.env._("Claims"),
                self.env._("Claimed"),
                self.env._("Open amount"),
            ],
            [[currency.name, *numbers] for currency, *numbers in groups],
        )
