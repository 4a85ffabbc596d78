from odoo import api, fields, models
from odoo.fields import Domain

from .quality_rating_rule import SEVERITIES
from .quality_scorecard import COUNTS

# {field of the scorecard: measure of quality.figure}
FIGURES = {
    **{name: name for name in ("delivered_qty", "bad_qty", "suspect_qty", *COUNTS)},
    "arrival_on_time": "arrival_on_time_count",
    "feedback_on_time": "feedback_on_time_count",
    "claim_amount": "amount_claimed",
    "claim_accepted": "amount_accepted",
}


class QualityScorecard(models.Model):
    """Where the figures of a scorecard come from."""

    _inherit = "quality.scorecard"

    @api.model
    def _get_inputs(self, sites, month):
        """Return the figures of ``month`` in a number of queries that never grows.

        :param date month: its first day
        :return: ``{site: {stored field: value}}``, also for sites where nothing was
        """
        figures = self.env["quality.figure"]._get_month_figures(sites, month)
        repeats = self._get_repeat_counts(sites, month)
        answers = self._get_answer_counts(sites, month)
        result = {}
        for site in sites:
            known = figures[site, month]
            result[site] = {
                **{name: known[key] for name, key in FIGURES.items()},
                **{
                    f"{severity}_repeat_count": repeats.get((site, severity), 0)
                    for severity in SEVERITIES
                },
                "answer_count": answers[site][0],
                "answer_on_time": answers[site][1],
            }
        return result

    @api.model
    def _get_repeat_counts(self, sites, month):
        """Return ``{(site, severity): recurring complaints of the month}``."""
        figures = self.env["quality.figure"]._get_figures(
            Domain("site_id", "in", sites.ids)
            & Domain("month", "=", month)
            & Domain("recurrence_count", ">", 0),
            groupby=("site_id", "severity"),
        )
        return {key: values["recurrence_count"] for key, values in figures.items()}

    @api.model
    def _get_answer_counts(self, sites, month):
        """Return ``{site: (3D and 8D reports due in the month, those in time)}``."""
        spans = {site: site._get_month_span(month) for site in sites}
        first = min((start for start, _end in spans.values()), default=False)
        last = max((end for _start, end in spans.values()), default=False)
        due = [
            Domain(name, ">=", first) & Domain(name, "<", last)
            for name in ("due_3d", "due_8d")
        ]
        # What was entered in error or refused as not ours wants no answer.
        counted = Domain("complaint_ids", "=", False) | Domain(
            "complaint_ids.state", "not in", ("refused", "cancelled")
        )
        reports = self.env["quality.8d"].search_fetch(
            Domain("site_id", "in", sites.ids) & Domain.OR(due) & counted,
            ["site_id", "level", "due_3d", "sent_3d_at", "due_8d", "sent_8d_at"],
        )
        counts = {site: [0, 0] for site in sites}
        for report in reports:
            start, end = spans[report.site_id]
            answers = [(report.due_3d, report.sent_3d_at)]
            if report.level == "full":
                answers.append((report.due_8d, report.sent_8d_at))
            for deadline, sent in answers:
                if deadline and start <= deadline < end:
                    counts[report.site_id][0] += 1
                    counts[report.site_id][1] += bool(sent and sent <= deadline)
        return counts

    def _refresh(self):
        """Take the figures as they are now, and rate them."""
        for month, cards in self.grouped("month").items():
            inputs = self._get_inputs(cards.site_id, month)
            rules = self.env["quality.rating.rule"]._find_current(cards.site_id)
            for card in cards:
                site = card.site_id
                card._write_protected(
                    self._prepare_values(inputs[site], rules[site], card.special_status)
                )

    def _rate(self):
        """Rate the figures that are stored, by the rule that is in use now."""
        rules = self.env["quality.rating.rule"]._find_current(self.site_id)
        for card in self:
            stored = {name: card[name] for name in self._get_input_fields()}
            card._write_protected(
                self._prepare_values(stored, rules[card.site_id], card.special_status)
            )

    @api.model
    def _get_input_fields(self):
        return [
            *FIGURES,
            *(f"{severity}_repeat_count" for severity in SEVERITIES),
            "answer_count",
            "answer_on_time",
        ]

    @api.model
    def _prepare_values(self, inputs, rule, special_status):
        """Return the values of a scorecard: figures, rule and what comes of them."""
        delivered = inputs["delivered_qty"]
        bad, suspect = inputs["bad_qty"], inputs["suspect_qty"]
        known = delivered > 0
        values = {
            **inputs,
            "rule_id": rule.id,
            "computed_at": fields.Datetime.now(),
        }
        if rule:
            score, rating, lines = rule._rate(
                {
                    **inputs,
                    "ppm": known and bad / delivered * 1e6,
                    "ppm_provisional": known and (bad + suspect) / delivered * 1e6,
                    "special_status": special_status,
                }
            )
            values.update(
                score=bool(rating) and score,
                forecast_rating=rating,
                composition=lines,
            )
        return values
