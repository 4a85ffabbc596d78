from odoo import fields, models
from odoo.tools import format_date, formatLang


class QualityScorecard(models.Model):
    """The scorecard in mails, and as a document."""

    _inherit = "quality.scorecard"

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
        return format_date(self.env, self.month, date_format="MMMM y")

    def _format_streak(self):
        since = self.site_id.streak_since
        return format_date(self.env, since) if since else "–"
