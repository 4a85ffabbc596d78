from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import format_date, formatLang

from ..reports.svg_chart import draw_bars

RATING_COLORS = {"A": "#1e7b34", "B": "#1f4e79", "C": "#b26a00", "D": "#b3261e"}
# What the customer counts beside what we count.
GAPS = {
    "delivered_qty": "customer_delivered_qty",
    "bad_qty": "customer_bad_qty",
    "ppm": "customer_ppm",
}


class QualityScorecard(models.Model):
    """The scorecard in mails, and as a document."""

    _inherit = "quality.scorecard"

    pdf_id = fields.Many2one(
        comodel_name="ir.attachment",
        string="As Sent",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    history_html = fields.Html(
        string="PPM of the Last 12 Months",
        compute="_compute_history_html",
        sanitize=False,
    )
    gap_html = fields.Html(
        string="The Customer's Figures and Ours",
        compute="_compute_gap_html",
        sanitize=False,
    )
    composition_html = fields.Html(
        string="How the Score Comes About",
        compute="_compute_composition_html",
        sanitize=False,
    )

    def _compute_composition_html(self):
        for card in self:
            card.composition_html = self.env["ir.qweb"]._render(
                "quality_resident.scorecard_composition", {"card": card}
            )

    def _compute_history_html(self):
        for card in self:
            card.history_html = card._draw_history()

    @api.depends("customer_rating", *GAPS.values())
    def _compute_gap_html(self):
        for card in self:
            card.gap_html = card._has_verdict() and self.env["ir.qweb"]._render(
                "quality_resident.scorecard_gap", {"card": card}
            )

    def _get_composition(self):
        """Return what made the score, for the reader.

        :return: list of ``(label, figure, points, bar)``: points as text, ``bar`` the
            share of the hundred that was lost, 0 to 100
        """
        self.ensure_one()
        labels = self._get_composition_labels()
        rows = []
        for line in self.composition or []:
            kind, value = line["kind"], line["value"]
            if "ceiling" in line:
                points = self.env._("%(rating)s at best", rating=line["ceiling"])
                rows.append((labels[kind], "", points, 0))
                continue
            points = self._format_number(-line["points"] or 0)
            rows.append(
                (
                    labels[kind],
                    self._format_number(value),
                    points,
                    max(0, line["points"]),
                )
            )
        return rows

    def _get_composition_labels(self):
        """Return ``{kind of a line: its label}``, in the reader's language."""
        statuses = self._fields["special_status"]._description_selection(self.env)
        return {
            "ppm": self.env._("PPM"),
            "critical": self.env._("Critical complaints"),
            "major": self.env._("Major complaints"),
            "minor": self.env._("Minor complaints"),
            "repeat": self.env._("Recurring complaints"),
            "complaint_cap": self.env._("Complaints cost no more than"),
            "line_stop": self.env._("Line stop, minutes"),
            "response": self.env._("3D and 8D reports late"),
            "ceiling_line_stop": self.env._("The line stood still"),
            **{f"ceiling_{status}": label for status, label in statuses},
        }

    def _draw_composition(self):
        """Return a chart of the points that each cause took."""
        rows = [row for row in self._get_composition() if row[3]]
        if not rows:
            return ""
        return draw_bars(
            [row[0] for row in rows],
            [(self.env._("Points lost"), [row[3] for row in rows])],
        )

    # === HISTORY AND GAP === #

    def _get_history(self, first=None):
        """Return this site's scorecards up to this one, oldest first.

        :param date first: the first month, by default that of a year ago
        """
        self.ensure_one()
        if not self.site_id or not self.month:
            return self
        return self.search(
            [
                ("site_id", "=", self.site_id.id),
                ("month", ">=", first or self.month - relativedelta(months=11)),
                ("month", "<=", self.month),
            ],
            order="month",
        )

    def _draw_history(self):
        """Return a chart of a year's PPM, the customer's beside ours if he told it."""
        self.ensure_one()
        if not self.month:
            return ""
        by_month = {card.month: card for card in self._get_history()}
        months = [self.month - relativedelta(months=back) for back in range(11, -1, -1)]
        cards = [by_month.get(month, self.browse()) for month in months]

        def get_series(name):
            values = [card[name] if card else False for card in cards]
            # Not known is a gap in the chart, 0 stands on its line.
            known = [None if value is False else value for value in values]
            return self._get_label(name), known

        series = [get_series("ppm")]
        if any(card.customer_ppm is not False for card in cards if card):
            series.append(get_series("customer_ppm"))
        labels = [fields.Date.to_string(month)[2:7] for month in months]
        return draw_bars(labels, series)

    def _has_verdict(self):
        return bool(self.customer_recorded_at)

    def _get_gap(self):
        """Return what the customer counts beside what we count, for the reader.

        :return: list of ``(label, ours, his, difference)``
        """
        self.ensure_one()
        rows = [
            (
                self._get_label("rating"),
                self._format("forecast_rating"),
                self._format("customer_rating"),
                "",
            )
        ]
        for ours, his in GAPS.items():
            known = self[his] is not False and self[ours] is not False
            difference = known and self._format_number(self[his] - self[ours])
            rows.append(
                (
                    self._get_label(ours),
                    self._format(ours),
                    self._format(his),
                    difference or "–",
                )
            )
        return rows

    def _get_rating_color(self):
        return RATING_COLORS.get(self.rating, "#7c8186")

    def _get_document_lang(self):
        """Return the language of the scorecard: the customer's, unless asked for."""
        self.ensure_one()
        return self.env.context.get("document_lang") or self.partner_id.lang

    def _get_document_name(self):
        """Return the file name of the scorecard, without its ending."""
        self.ensure_one()
        return self.env._("Scorecard %(name)s", name=self.name.replace("/", "-"))

    def _get_event_attachments(self, event):
        """Return the scorecard, archived when it is first mailed."""
        if event.kind != "scorecard_sent":
            return super()._get_event_attachments(event)
        if not self.pdf_id:
            report = self.env.ref("quality_resident.action_report_scorecard")
            content, _format = report._render_qweb_pdf(report.report_name, self.ids)
            pdf = self.env["ir.attachment"].create(
                {
                    "name": f"{self._get_document_name()}.pdf",
                    "raw": content,
                    "mimetype": "application/pdf",
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
            self._write_protected({"pdf_id": pdf.id})
        return self.pdf_id

    # === TEXT === #

    def _get_label(self, name):
        """Return the label of a field in the reader's language."""
        return self._fields[name]._description_string(self.env)

    def _format(self, name):
        """Return the value of a field as the reader writes it; “–” when not known."""
        self.ensure_one()
        field, value = self._fields[name], self[name]
        if value is False:
            return "–"
        if field.type == "selection":
            return dict(field._description_selection(self.env))[value]
        if field.type == "monetary":
            return formatLang(self.env, value, currency_obj=self.currency_id)
        if field.type == "integer":
            return formatLang(self.env, value, digits=0)
        return self._format_number(value, field.get_digits(self.env)[1])

    def _format_number(self, value, digits=1):
        # Parts are whole mostly: no zeros behind.
        return formatLang(self.env, value, digits=0 if value == int(value) else digits)

    def _format_moment(self, name):
        """Return a datetime field in the site's time zone and the reader's language."""
        return self.site_id._format_moment(self[name])

    def _format_month(self):
        """Return the month as the reader writes it."""
        # A format for dates: in Chinese “y年M月”.
        return format_date(self.env, self.month, date_format=self.env._("MMMM y"))

    def _format_streak(self):
        since = self.site_id.streak_since
        return format_date(self.env, since) if since else "–"
