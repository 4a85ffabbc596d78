from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

BAD_RATINGS = ("C", "D")


class ResidentSite(models.Model):
    """The site's ratings, and the daily reports that bad ones call for (Q1, Q2)."""

    _inherit = "resident.site"

    scorecard_ids = fields.One2many("quality.scorecard", "site_id")
    last_rating = fields.Char(compute="_compute_last_rating")
    streak_since = fields.Date(
        string="Daily Reports Since",
        readonly=True,
        copy=False,
        tracking=True,
        help="C or D two months running: a daily report is due every working day from "
        "this day on, until a month is rated A or B.",
    )

    def _compute_last_rating(self):
        cards = self.env["quality.scorecard"].search_fetch(
            [("site_id", "in", self.ids), ("rating", "!=", False)],
            ["site_id", "rating"],
            order="month",
        )
        # Later months come later and stay.
        ratings = {card.site_id.id: card.rating for card in cards}
        for site in self:
            site.last_rating = ratings.get(site.id) or "–"

    @api.model_create_multi
    def create(self, vals_list):
        self._check_streak_untouched(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_streak_untouched([vals])
        return super().write(vals)

    @api.model
    def _check_streak_untouched(self, vals_list):
        """Refuse a streak that does not come from the ratings.

        :raise UserError: says where it comes from
        """
        workflow = self.env["quality.workflow.mixin"]
        if not workflow._is_gate_open() and any(
            vals.get("streak_since") for vals in vals_list
        ):
            raise UserError(
                self.env._(
                    "“%(field)s” follows the ratings of the scorecards. Enter the "
                    "customer's rating there.",
                    field=self._fields["streak_since"]._description_string(self.env),
                )
            )

    # === MONTHS === #

    def _get_month_span(self, month):
        """Return when ``month`` begins and the next one does, at the site.

        :param date month: its first day
        :return: two naive UTC datetimes, the second exclusive
        """
        self.ensure_one()
        return tuple(
            self._get_end_of_day(first - timedelta(days=1)) + timedelta(seconds=1)
            for first in (month, month + relativedelta(months=1))
        )

    def _get_last_month(self):
        """Return the first day of the last full month at the site."""
        self.ensure_one()
        return self._get_local_date() - relativedelta(months=1, day=1)

    # === STREAK === #

    def _get_streak_since(self, cards):
        """Return from which day on daily reports are due, or False.

        :param cards: this site's scorecards. Months in which nothing could be rated
            neither go on with a streak nor end it.
        """
        self.ensure_one()
        run, expected = [], False
        for card in cards.sorted("month", reverse=True):
            if card.month != (expected or card.month):
                break
            expected = card.month - relativedelta(months=1)
            if card.rating in BAD_RATINGS:
                run.append(card.month)
            elif card.rating:
                break
        # The second month is known when it is over.
        return len(run) > 1 and run[-2] + relativedelta(months=1)

    def _update_streaks(self):
        """Let the streaks follow the ratings, and tell of those that begin or end."""
        if not self:
            return
        # Whoever enters a rating need not own the site; the streak follows from what
        # he entered. Two at once do not see each other's rating: the one who waited
        # here is run again by Odoo.
        self.env.cr.execute(
            SQL(
                "UPDATE resident_site SET write_date = write_date WHERE id IN %s",
                tuple(sorted(self.ids)),
            )
        )
        cards_sudo = (
            self.env["quality.scorecard"]
            .sudo()
            .search_fetch([("site_id", "in", self.ids)], ["site_id", "month", "rating"])
        )
        by_site = cards_sudo.grouped("site_id")
        for site_sudo in self.sudo():
            cards = by_site.get(site_sudo, cards_sudo.browse())
            since = site_sudo._get_streak_since(cards)
            before = site_sudo.streak_since
            if since == before:
                continue
            site_sudo.with_env(
                site_sudo.env["quality.workflow.mixin"]._with_gate().env
            ).streak_since = since
            if bool(since) != bool(before):
                last = cards.filtered("rating").sorted("month")[-1:]
                # Corrected back and forth, each change is news.
                last._emit_event(
                    "streak_started" if since else "streak_ended",
                    key=str(fields.Datetime.now()),
                )

    def _is_daily_report_due(self, day):
        """Tell whether a daily report is due for ``day`` (spec.md Q2).

        :param date day: a day at the site
        """
        self.ensure_one()
        return bool(
            self.streak_since and day >= self.streak_since and self._is_working_day(day)
        )

    def action_view_scorecards(self):
        """Open the scorecards of this site."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_scorecard_action"
        )
        action["domain"] = [("site_id", "=", self.id)]
        action["context"] = {"default_site_id": self.id}
        return action
