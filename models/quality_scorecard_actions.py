import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


class QualityScorecard(models.Model):
    """What is done with a scorecard, by people and by the job of the month (Q1)."""

    _inherit = "quality.scorecard"

    # === ACTIONS === #

    def action_compute(self):
        """Take the figures as they are now.

        :raise UserError: a scorecard was sent, its figures stay
        """
        self.check_access("write")
        for card in self:
            if card.state != "draft":
                raise UserError(
                    self.env._(
                        "%(name)s was sent: its figures stay as they were.",
                        name=card.name,
                    )
                )
        self._refresh()
        self.site_id._update_streaks()
        return True

    def action_send(self):
        """Send these scorecards to Sales and Quality, once.

        :raise UserError: one was sent already
        """
        now = fields.Datetime.now()
        self._ensure_can_move("sent")
        self._settle_clock("sending", now)
        self._clear_todo("scorecard_due")
        self._move_to("sent", {"sent_at": now, "sent_by_id": self.env.uid})
        self._emit_event("scorecard_sent")
        return True

    def action_freeze(self):
        """Close these months before their time."""
        self._move_to("frozen", {"frozen_at": fields.Datetime.now()})
        return True

    # === JOB === #

    @api.model
    def _cron_make(self):
        """Make the scorecards of the month that is over, then freeze old ones.

        Each site by itself, by its own clock, once: after a kill the next run makes
        those that are missing.
        """
        cron = self.env["ir.cron"]
        missing = self._get_missing()
        remaining = sum(len(sites) for sites in missing.values())
        for month, sites in missing.items():
            # One query for all sites: the sums are what takes time.
            inputs = self._get_inputs(sites, month)
            rules = self.env["quality.rating.rule"]._find_current(sites)
            for site in sites:
                self._try_make(site, month, inputs[site], rules[site])
                remaining -= 1
                if not cron._commit_progress(1, remaining=remaining):
                    return
        self._get_to_freeze()._move_to("frozen", {"frozen_at": fields.Datetime.now()})

    @api.model
    def _get_missing(self):
        """Return ``{month: active sites without a scorecard of that month}``."""
        by_month = {}
        for site in self.env["resident.site"].search([("active", "=", True)]):
            by_month.setdefault(site._get_last_month(), []).append(site.id)
        missing = {}
        for month, site_ids in by_month.items():
            there = self.search_fetch(
                [("month", "=", month), ("site_id", "in", site_ids)], ["site_id"]
            )
            sites = self.env["resident.site"].browse(site_ids) - there.site_id
            if sites:
                missing[month] = sites
        return missing

    @api.model
    def _try_make(self, site, month, inputs, rule):
        """Make one scorecard; a site that fails does not stop the others."""
        try:
            with self.env.cr.savepoint():
                card = self._create_protected(
                    [
                        {
                            "site_id": site.id,
                            "month": month,
                            **self._prepare_values(inputs, rule, False),
                        }
                    ]
                )
                card._emit_event("scorecard_due")
        except Exception:
            _logger.warning(
                "The scorecard of %s, %s, cannot be made", site, month, exc_info=True
            )

    @api.model
    def _get_to_freeze(self):
        """Return what was sent so long ago that its month is closed."""
        now = fields.Datetime.now()
        to_freeze = self.browse()
        for company in self.env["res.company"].search(
            [("scorecard_freeze_days", ">", 0)]
        ):
            to_freeze |= self.search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", "sent"),
                    (
                        "sent_at",
                        "<=",
                        now - timedelta(days=company.scorecard_freeze_days),
                    ),
                ]
            )
        return to_freeze

    # === EVENTS === #

    def _is_event_true(self, event):
        if event.kind == "scorecard_due":
            return self.state == "draft"
        if event.kind == "streak_started":
            return bool(self.site_id.streak_since)
        if event.kind == "streak_ended":
            return not self.site_id.streak_since
        return super()._is_event_true(event)

    def _get_record_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/scorecards/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the scorecard")

    def _get_mail_facts(self):
        """Return what the mails say about this month."""
        self.ensure_one()
        facts = [
            (self._get_label(name), self._format(name))
            for name in (
                "forecast_rating",
                "customer_rating",
                "score",
                "ppm",
                "delivered_qty",
                "complaint_count",
                "line_stop_minutes",
                "claim_amount",
            )
            if name != "customer_rating" or self.customer_rating
        ]
        if self.comment:
            facts.append((self._get_label("comment"), self.comment))
        return facts
