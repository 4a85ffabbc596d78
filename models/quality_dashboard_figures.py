from datetime import timedelta

import pytz
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain

PARETO_LIMIT = 10
PPM = 1_000_000
FIGURES = "quality_resident.quality_dashboard_action_parts"
COMPLAINTS = "quality_resident.quality_complaint_action"
# Of these facts PPM is made.
PARTS = ("delivery", "delivery_return", "complaint", "sorting")


class QualityDashboard(models.AbstractModel):
    """PPM against its target, the defects and the weeks, all from ``quality.figure``.

    Days are the sites' own: a call shortly before midnight counts on the customer's
    day, and the complaints that open are those that were counted.
    """

    _inherit = "quality.dashboard"

    @api.model
    def _get_sections(self):
        return {
            **super()._get_sections(),
            "ppm": self._get_ppm,
            "defects": self._get_defects,
            "weeks": self._get_weeks,
        }

    @api.model
    def _get_moments(self, filters):
        """Return the domain of the facts of the period, with a day before it.

        Days and months are the sites' own, so what is too much is left out of the sums.
        Asked for the months besides, PostgreSQL expects next to nothing, and plans so.
        """
        first = fields.Datetime.to_datetime(filters["first_day"])
        return Domain("date", ">=", first - timedelta(days=1))

    # === PPM === #

    @api.model
    def _get_ppm(self, filters):
        """Return PPM by month for all sites together, and by site for all months.

        :return: ``{"months": rows, "sites": rows}``; a row has key, label or month,
            delivered, ppm, provisional (None without deliveries), target (0 without)
            and what it opens
        """
        parts = (
            Domain("kind", "in", PARTS)
            # Deliveries to other customers are nobody's here.
            & Domain("site_id", "!=", False)
            & self._get_site_domain(filters)
        )
        names = ("delivered_qty", "bad_qty", "suspect_qty")
        by_month, by_site = {}, {}
        # It looks so dear to PostgreSQL that it would compile for longer than it runs.
        self.env.cr.execute("SET LOCAL jit = off")
        # Only what is shown: all figures of a million facts take some times as long.
        for site, month, *values in self.env["quality.figure"]._read_group(
            parts & self._get_moments(filters),
            ["site_id", "month:month"],
            [f"{name}:sum" for name in names],
        ):
            if month < filters["first_day"]:
                continue
            for sums, key in ((by_month, month), (by_site, site)):
                total = sums.setdefault(key, dict.fromkeys(names, 0))
                for name, value in zip(names, values, strict=True):
                    total[name] += value or 0
        domain = parts & Domain("month", ">=", filters["first_day"])
        targets = {site["id"]: site["target"] for site in filters["sites"]}
        shown = set(filters["site_ids"] or targets)
        one_target = {targets[site_id] for site_id in shown}
        target = one_target.pop() if len(one_target) == 1 else 0
        months = [
            filters["first_day"] + relativedelta(months=number)
            for number in range(filters["months"])
        ]
        return {
            "months": [
                {
                    "key": fields.Date.to_string(month),
                    "target": target,
                    "action": FIGURES,
                    "domain": list(domain & Domain("month", "=", month)),
                    **self._get_ratios(by_month.get(month)),
                }
                for month in months
            ],
            "sites": [
                {
                    "key": site.id,
                    "label": site.name,
                    "target": targets.get(site.id, 0),
                    "action": FIGURES,
                    "domain": list(domain & Domain("site_id", "=", site.id)),
                    **self._get_ratios(total),
                }
                for site, total in by_site.items()
            ],
        }

    @api.model
    def _get_ratios(self, total):
        """Return what was delivered, and Σbad ÷ Σdelivered: no mean of means."""
        delivered = total["delivered_qty"] if total else 0
        if delivered <= 0:
            return {"delivered": delivered, "ppm": None, "provisional": None}
        provisional = total["bad_qty"] + total["suspect_qty"]
        return {
            "delivered": delivered,
            "ppm": total["bad_qty"] / delivered * PPM,
            "provisional": provisional / delivered * PPM,
        }

    # === COMPLAINTS === #

    @api.model
    def _count_complaints(self, filters, groupby, day):
        """Return ``{group: number}`` of the complaints of the period.

        :param day: the group by days or months that leaves out what is too early
        """
        counts = {}
        for group, moment, count in self.env["quality.figure"]._read_group(
            Domain("kind", "=", "complaint")
            & self._get_moments(filters)
            & self._get_site_domain(filters),
            [groupby, day],
            ["complaint_count:sum"],
        ):
            if moment >= filters["first_day"]:
                counts[group] = counts.get(group, 0) + count
        return counts

    @api.model
    def _get_zones(self):
        """Return the time zones of all sites that the user may read."""
        sites = self.env["resident.site"].with_context(active_test=False)
        return set(sites.search_fetch([], ["calendar_id"]).calendar_id.mapped("tz"))

    @api.model
    def _get_called_domain(self, filters, zones, first_day, end_day=None):
        """Return the domain of the complaints called from ``first_day`` at their sites.

        :param zones: see :meth:`_get_zones`
        :param date end_day: the day before which they were called
        """
        of_zones = []
        for zone in zones:
            domain = Domain("called_at", ">=", self._get_midnight(zone, first_day))
            if end_day:
                domain &= Domain("called_at", "<", self._get_midnight(zone, end_day))
            if len(zones) > 1:
                domain &= Domain("site_id.calendar_id.tz", "=", zone)
            of_zones.append(domain)
        return (
            Domain.OR(of_zones)
            & Domain("state", "not in", ("refused", "cancelled"))
            & self._get_site_domain(filters)
        )

    @api.model
    def _get_midnight(self, zone, day):
        """Return the beginning of ``day`` in ``zone`` in UTC, as text for a domain."""
        midnight = pytz.timezone(zone).localize(fields.Datetime.to_datetime(day))
        return fields.Datetime.to_string(midnight.astimezone(pytz.utc))

    @api.model
    def _get_defects(self, filters):
        """Return the defects that complaints are most about, with the running share.

        :return: rows with key, label, count, share (% of all complaints up to and with
            this row) and what they open
        """
        counts = sorted(
            self._count_complaints(filters, "defect_id", "month:month").items(),
            key=lambda item: (-item[1], item[0].id),
        )
        called = self._get_called_domain(
            filters, self._get_zones(), filters["first_day"]
        )
        total = sum(count for _defect, count in counts)
        rows, running = [], 0
        for defect, count in counts[:PARETO_LIMIT]:
            running += count
            rows.append(
                {
                    "key": defect.id,
                    "label": defect.name or self.env._("No defect entered"),
                    "count": count,
                    "share": running / total * 100,
                    "action": COMPLAINTS,
                    "domain": list(called & Domain("defect_id", "=", defect.id)),
                }
            )
        rest = counts[PARETO_LIMIT:]
        if rest:
            shown = [defect.id for defect, _count in counts[:PARETO_LIMIT]]
            rows.append(
                {
                    "key": "others",
                    "label": self.env._("%(count)s others", count=len(rest)),
                    "count": sum(count for _defect, count in rest),
                    "share": 100,
                    "action": COMPLAINTS,
                    "domain": list(called & Domain("defect_id", "not in", shown)),
                }
            )
        return rows

    @api.model
    def _get_weeks(self, filters):
        """Return the complaints of each week of the period, none left out.

        :return: rows with key (the week's first day), count and what they open
        """
        weeks = self._count_complaints(filters, "day:week", "day:day")
        if not weeks:
            return []
        rows, zones, first_day = [], self._get_zones(), filters["first_day"]
        last = max(*weeks, fields.Date.context_today(self))
        # Weeks begin on the day of the user's language.
        week = first_day - timedelta(days=(first_day - min(weeks)).days % 7)
        while week <= last:
            end = week + timedelta(days=7)
            # Of the week in which the period begins only the days of the period count.
            called = self._get_called_domain(filters, zones, max(week, first_day), end)
            rows.append(
                {
                    "key": fields.Date.to_string(week),
                    "count": weeks.get(week, 0),
                    "action": COMPLAINTS,
                    "domain": list(called),
                }
            )
            week = end
        return rows
