from datetime import timedelta

import pytz

from odoo import fields, models
from odoo.tools import format_datetime

# A shift that goes on over midnight is two lines of the calendar.
GAP = timedelta(minutes=1)
# The first full shift mostly begins within days; a plant may close for weeks.
LOOK_AHEAD = (timedelta(days=14), timedelta(days=90))


class ResidentSite(models.Model):
    """The customer's shifts, in the site's own time zone (P1)."""

    _inherit = "resident.site"

    def _get_timezone(self):
        """Return the site's time zone as a pytz object."""
        return pytz.timezone(self.tz or "UTC")

    def _get_local_date(self, moment=None):
        """Return the date at the site at ``moment`` (naive UTC, default now)."""
        moment = moment or fields.Datetime.now()
        return pytz.utc.localize(moment).astimezone(self._get_timezone()).date()

    def _format_moment(self, moment):
        """Return ``moment`` (naive UTC) in the site's time, for the reader."""
        if not moment:
            return "–"
        return format_datetime(self.env, moment, tz=self.tz, dt_format="short")

    def _get_end_of_day(self, day):
        """Return the last second of ``day`` at the site, as naive UTC."""
        next_midnight = self._get_timezone().localize(
            fields.Datetime.to_datetime(day + timedelta(days=1))
        )
        return next_midnight.astimezone(pytz.utc).replace(tzinfo=None) - timedelta(
            seconds=1
        )

    def _get_on_shift(self, moments, calendar=None):
        """Return those of ``moments`` that lie within the customer's shifts.

        Public holidays of the site's own calendar count as off shift; our own
        company's do not, the customer works on them.

        :param moments: naive UTC datetimes
        :param calendar: shifts of one engineer in place of the site's
        :rtype: set of datetime
        """
        self.ensure_one()
        moments = sorted(set(moments))
        calendar = calendar or self.calendar_id
        if not moments:
            return set()
        margin = timedelta(minutes=1)
        # Shifts are the customer's, whoever asks and in whichever language.
        intervals = calendar.sudo()._work_intervals_batch(
            pytz.utc.localize(moments[0] - margin),
            pytz.utc.localize(moments[-1] + margin),
            domain=[
                ("time_type", "=", "leave"),
                ("calendar_id", "=", calendar.id),
            ],
            tz=pytz.timezone(calendar.tz),
        )[False]
        spans = [
            (
                start.astimezone(pytz.utc).replace(tzinfo=None),
                stop.astimezone(pytz.utc).replace(tzinfo=None),
            )
            for start, stop, _attendance in intervals
        ]
        on_shift, index = set(), 0
        for moment in moments:
            while index < len(spans) and spans[index][1] <= moment:
                index += 1
            if index < len(spans) and spans[index][0] <= moment:
                on_shift.add(moment)
        return on_shift

    def _get_full_shift_end(self, moment):
        """Return the end of the first shift that begins at or after ``moment``.

        :param moment: naive UTC datetime
        :return: naive UTC datetime, False when no shift begins within the longest of
            :data:`LOOK_AHEAD`
        """
        self.ensure_one()
        start = pytz.utc.localize(moment)
        for span in LOOK_AHEAD:
            shifts = self._get_shifts(start, start + span)
            end = next((end for begin, end in shifts if begin >= start), None)
            if end:
                # A line until 24:00 ends a microsecond early.
                end = end.astimezone(pytz.utc).replace(tzinfo=None)
                return (end + timedelta(microseconds=1)).replace(microsecond=0)
        return False

    def _get_shifts(self, start, stop):
        """Return ``[(begin, end)]`` of the customer's shifts (aware datetimes)."""
        # One day back, to see that a shift over midnight is one shift.
        intervals = self.calendar_id.sudo()._work_intervals_batch(
            start - timedelta(days=1),
            stop,
            domain=[
                ("time_type", "=", "leave"),
                ("calendar_id", "=", self.calendar_id.id),
            ],
            tz=self._get_timezone(),
        )[False]
        shifts = []
        for begin, end, attendance in intervals:
            goes_on = (
                shifts
                and begin - shifts[-1][1] <= GAP
                and attendance[:1].hour_from == 0
            )
            if goes_on:
                shifts[-1] = (shifts[-1][0], end)
            else:
                shifts.append((begin, end))
        return shifts

    def _get_working_day_end(self, moment, days):
        """Return the end of the ``days``-th working day after the day of ``moment``.

        :param moment: naive UTC datetime
        :return: naive UTC datetime, False when the calendar has no such day
        """
        self.ensure_one()
        midnight = self._get_end_of_day(self._get_local_date(moment)) + timedelta(
            seconds=1
        )
        # The customer's days, whoever asks; his holidays, not our company's.
        last = self.calendar_id.sudo().plan_days(
            days,
            pytz.utc.localize(midnight).astimezone(self._get_timezone()),
            compute_leaves=True,
            domain=[
                ("time_type", "=", "leave"),
                ("calendar_id", "=", self.calendar_id.id),
            ],
        )
        return last and self._get_end_of_day(last.date())
