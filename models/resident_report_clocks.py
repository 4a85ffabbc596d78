import logging
from datetime import datetime, time, timedelta

import psycopg2
import pytz

from odoo import api, fields, models
from odoo.fields import Domain

from .resident_clock_mixin import ALERT_HALF, ALERT_LATE

_logger = logging.getLogger(__name__)

# How long after its hour a daily report is missed (spec.md Q2: 15:30, 15:45).
DAILY_GRACE = timedelta(minutes=15)
# Before a monthly document is due, its author is reminded.
REMIND_BEFORE = timedelta(days=3)
# The day of the next month until which monthly documents are sent (Q3).
MONTHLY_DAY = 22
# After a pause of the server, reports that fell due during it are still made.
CATCH_UP = timedelta(days=3)


def _to_utc(timezone, day, hour=0):
    """Return ``hour`` (a float) of ``day`` in ``timezone`` as naive UTC."""
    moment = datetime.combine(day, time.min) + timedelta(minutes=round(hour * 60))
    return timezone.localize(moment).astimezone(pytz.utc).replace(tzinfo=None)


class ResidentReport(models.Model):
    """When a report is made, due, reminded of and missed, in the site's time."""

    _inherit = "resident.report"

    def _get_timezone(self):
        return pytz.timezone(self._get_calendar().tz or "UTC")

    def _get_local_date(self):
        now = pytz.utc.localize(fields.Datetime.now())
        return now.astimezone(self._get_timezone()).date()

    def _get_day_start(self, day):
        """Return the first moment of ``day`` where the report is made, naive UTC."""
        return _to_utc(self._get_timezone(), day)

    def _get_end(self, day):
        """Return the last second of ``day`` where the report is made, naive UTC."""
        return self._get_day_start(day + timedelta(days=1)) - timedelta(seconds=1)

    def _get_due_at(self):
        """Return until when the report is due (naive UTC), False when it is not."""
        self.ensure_one()
        site, first, last = self.site_id, self.date_from, self.date_to
        if self.kind == "daily":
            if not site._is_daily_report_due(first):
                return False
            return _to_utc(self._get_timezone(), first, site.daily_report_hour)
        if self.kind == "weekly":
            return self._get_end(site._get_last_working_day(first, last))
        if self.kind == "month_end":
            return self._get_end(last)
        return self._get_end((last + timedelta(days=1)).replace(day=MONTHLY_DAY))

    def _get_made_at(self):
        """Return when the job makes the report of this period, naive UTC."""
        self.ensure_one()
        if self.kind == "daily":
            return self._get_due_at()
        if self.kind == "weekly":
            # As late on its day as a daily report, so that it holds that day too.
            day = self.site_id._get_last_working_day(self.date_from, self.date_to)
            return _to_utc(self._get_timezone(), day, self.site_id.daily_report_hour)
        if self.kind == "month_end":
            return self._get_day_start(self.date_to)
        return self._get_day_start(self.date_to + timedelta(days=1))

    # === CLOCK === #

    def _start_clock(self):
        """Note until when the new reports are due.

        The job says it itself. What is made by hand for a day that is over has been
        missed by nobody; today's has its hour, even where the job was down over it.
        """
        now = fields.Datetime.now()
        for report in self.filtered(lambda r: not r.due_at):
            due_at = report._get_due_at()
            is_today = report.date_from == report._get_local_date()
            if due_at and (is_today or due_at > now - DAILY_GRACE):
                report._write_protected({"due_at": due_at})

    def _get_missed_at(self):
        """Return from when on the report counts as missed (naive UTC)."""
        self.ensure_one()
        return self.due_at + (DAILY_GRACE if self.kind == "daily" else timedelta())

    def _get_clock_state_depends(self):
        return ["kind"]

    def _get_clock_moments(self, name):
        """A reminder of what takes days to make; the manager hears of what is late."""
        self.ensure_one()
        if not self.due_at or self.sent_at:
            return {}
        moments = {ALERT_LATE: self._get_missed_at()}
        if self.kind in ("month_quality", "month_line_stop"):
            moments[ALERT_HALF] = self.due_at - REMIND_BEFORE
        return moments

    def _emit_clock_event(self, name, level):
        if level == ALERT_HALF:
            self._emit_event("report_reminder")
        else:
            self._miss()

    def _miss(self):
        """Say that the reports were not sent in time, once."""
        self._move_to("missed", {"due_alert": ALERT_LATE})
        self._emit_event("report_missed")

    # === JOB === #

    @api.model
    def _cron_make(self):
        """Make each report that is due to be made and is not there yet.

        One by one, each in its own transaction: after a kill the others follow at the
        next run. Whose hour passed while the server was down are made all the same.
        """
        wanted = self._get_wanted()
        cron = self.env["ir.cron"]
        for number, values in enumerate(wanted, start=1):
            self._try_make(values)
            if not cron._commit_progress(1, remaining=len(wanted) - number):
                break

    @api.model
    def _try_make(self, values):
        """Make one report; a site whose report fails does not stop the others."""
        company = self.env["res.company"].browse(values["company_id"])
        try:
            with self.env.cr.savepoint():
                report = self.with_company(company)._create_protected([values])
                report._emit_event("report_due")
        except psycopg2.errors.UniqueViolation:
            # Somebody made it by hand at this moment.
            return
        except Exception:
            _logger.warning("The report %s cannot be made", values, exc_info=True)

    @api.model
    def _get_wanted(self):
        """Return the values of the reports to make now.

        :rtype: list of dict
        """
        now = fields.Datetime.now()
        # Where nobody has ever been posted, nobody reports.
        sites = self.env["resident.site"].search([("posting_ids", "!=", False)])
        drafts = [
            self._get_draft(site.company_id, site, kind, day)
            for site in sites
            for kind, day in self._get_wanted_days(site)
        ]
        for company in sites.company_id:
            today = self._get_draft(company, sites.browse(), "month_end", False)
            today = today._get_local_date()
            drafts += [
                self._get_draft(company, sites.browse(), "month_end", day)
                for day in {today, today - CATCH_UP}
            ]
        present = set(
            self._read_group(
                Domain("date_from", "in", {draft.date_from for draft in drafts}),
                ["company_id", "site_id", "kind", "date_from:day"],
            )
        )
        wanted = {
            key: draft
            for draft in drafts
            if (key := (draft.company_id, draft.site_id, draft.kind, draft.date_from))
            not in present
        }
        # Values, since new records forget theirs with each commit.
        return [
            {
                "kind": draft.kind,
                "site_id": draft.site_id.id,
                "company_id": draft.company_id.id,
                "date_from": draft.date_from,
                "due_at": due_at,
            }
            for draft in wanted.values()
            if (due_at := draft._get_due_at())
            and due_at > now - CATCH_UP
            and draft._get_made_at() <= now
        ]

    @api.model
    def _get_draft(self, company, site, kind, day):
        first = self._get_period(kind, day)[0]
        return self.with_company(company).new(
            {"kind": kind, "site_id": site.id, "date_from": first}
        )

    @api.model
    def _get_wanted_days(self, site):
        """Return ``[(kind, day)]`` around whose days ``site`` may want a report."""
        today = site._get_local_date()
        last_month = today.replace(day=1) - timedelta(days=1)
        days = [(kind, last_month) for kind in ("month_quality", "month_line_stop")]
        days += [("weekly", day) for day in (today, today - CATCH_UP)]
        if site.streak_since:
            days += [("daily", day) for day in self._get_daily_days(site, today)]
        return days

    @api.model
    def _get_daily_days(self, site, today):
        """Return today and the days since the last daily report that was due.

        The first day of a streak is that on which the job learns of it: what was not
        due at the time has not been missed.
        """
        last = self.search(
            [
                ("site_id", "=", site.id),
                ("kind", "=", "daily"),
                ("due_at", "!=", False),
                ("date_from", ">=", today - CATCH_UP),
            ],
            order="date_from desc",
            limit=1,
        ).date_from
        between = (today - last).days if last else 0
        return [today, *(today - timedelta(days=back) for back in range(1, between))]
