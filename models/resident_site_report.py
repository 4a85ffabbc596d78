from datetime import datetime, time, timedelta

from odoo import models


class ResidentSite(models.Model):
    """What reports ask of a site: its working days and its people."""

    _inherit = "resident.site"

    def _get_last_working_day(self, first, last):
        """Return the last day of ``first`` to ``last`` on which a shift begins.

        :return: date at the site, ``last`` where nobody works on any of them
        """
        self.ensure_one()
        timezone = self._get_timezone()
        start, stop = (
            timezone.localize(datetime.combine(day, time.min))
            for day in (first, last + timedelta(days=1))
        )
        days = [
            begin.astimezone(timezone).date()
            for begin, _end in self._get_shifts(start, stop)
            if start <= begin < stop
        ]
        return max(days, default=last)

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
