from datetime import datetime, time, timedelta

import pytz

from odoo import models

from .resident_site_shift import GAP


class ResidentSite(models.Model):
    """What reports ask of a site: its working days and its people."""

    _inherit = "resident.site"

    def _get_working_days(self, first, last, calendar=None):
        """Return the days of ``first`` to ``last`` on which a shift begins.

        Holidays are those of the calendar. The hours after midnight that end a night
        shift make no working day: where the last night of the week ends on Saturday
        nobody is there to report on Saturday.

        :param calendar: shifts of one engineer in place of the site's
        :rtype: set of date
        """
        self.ensure_one()
        calendar = calendar or self.calendar_id
        timezone = pytz.timezone(calendar.tz or "UTC")
        # One day back, to see what goes on over midnight.
        start, stop = (
            timezone.localize(datetime.combine(day, time.min))
            for day in (first - timedelta(days=1), last + timedelta(days=1))
        )
        # Shifts are the customer's, whoever asks.
        intervals = calendar.sudo()._work_intervals_batch(
            start,
            stop,
            domain=[
                ("time_type", "=", "leave"),
                ("calendar_id", "=", calendar.id),
            ],
            tz=timezone,
        )[False]
        days, before = set(), start
        for begin, end, attendance in intervals:
            line = attendance[:1]
            ends_a_night = (
                begin - before <= GAP and line.hour_from == 0 and line.hour_to < 24
            )
            if not ends_a_night:
                days.add(begin.astimezone(timezone).date())
            before = end
        return {day for day in days if first <= day <= last}

    def _is_working_day(self, day, calendar=None):
        """Tell whether a shift begins on ``day``: see :meth:`_get_working_days`."""
        return bool(self._get_working_days(day, day, calendar))

    def _get_last_working_day(self, first, last):
        """Return the last day of ``first`` to ``last`` on which a shift begins.

        :return: date at the site, ``last`` where nobody works on any of them
        """
        return max(self._get_working_days(first, last), default=last)

    def _get_people(self, day):
        """Return the engineers posted here on ``day``, residents before stand-ins.

        Who has a shift of his own and is off on that day, by the leaves of its
        calendar, is left out.

        :param day: date at the site
        :rtype: res.users
        """
        self.ensure_one()
        # Who is posted decides who writes, whatever the caller may read.
        postings = self.sudo().posting_ids.filtered(lambda p: p._is_current(day))
        present = postings.filtered(
            lambda p: not p.calendar_id or self._is_working_day(day, p.calendar_id)
        )
        ranked = present.sorted(lambda p: (p.role, p.date_from, p.id))
        return ranked.user_id.filtered("active").with_env(self.env)
