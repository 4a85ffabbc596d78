from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

PERIODS = (3, 6, 12)
DEFAULT_PERIOD = 6


class QualityDashboard(models.AbstractModel):
    """The overview: what is due now, and the figures of my sites (Q5).

    Whatever it shows is counted under the reader's own rights, in a number of queries
    that depends neither on sites nor on records. Each part of the page is a method of
    :meth:`_get_sections`; the client shows those that come.
    """

    _name = "quality.dashboard"
    _description = "Overview"

    @api.model
    @api.readonly
    def get_data(self, filters=None):
        """Return everything that the page shows.

        :param dict filters: ``site_ids``, empty for all sites of the user; ``months``,
            how many with the one that runs: 3, 6 or 12
        :return: ``{"filters": …, section: its data}``, plain values for the client
        :raise AccessError: the user may not read complaints
        :raise UserError: no such period
        """
        self.env["quality.complaint"].check_access("read")
        filters = self._read_filters(filters or {})
        data = {"filters": filters}
        for name, method in self._get_sections().items():
            data[name] = method(filters)
        return data

    @api.model
    def _get_sections(self):
        """Return ``{section: method(filters)}``."""
        return {
            "due": self._get_due,
            "clocks": self._get_clocks,
            "waiting": self._get_waiting,
        }

    @api.model
    def _read_filters(self, filters):
        """Return the filters as they hold, with the sites to choose from."""
        months = isinstance(filters, dict) and filters.get("months", DEFAULT_PERIOD)
        if not isinstance(months, int) or months not in PERIODS:
            raise UserError(self.env._("“Period”: choose 3, 6 or 12 months."))
        sites = self.env["resident.site"].search_fetch([], ["name", "ppm_target"])
        # A site that is no longer the user's is no choice any more.
        wanted = filters.get("site_ids") or []
        if not isinstance(wanted, list | tuple):
            raise UserError(self.env._("“Sites”: give a list of sites."))
        chosen = [site_id for site_id in sites.ids if site_id in wanted]
        first_day = fields.Date.context_today(self).replace(day=1)
        return {
            "months": months,
            "periods": PERIODS,
            "first_day": first_day - relativedelta(months=months - 1),
            "site_ids": sorted(chosen),
            "sites": [
                {"id": site.id, "name": site.name, "target": site.ppm_target}
                for site in sites
            ],
        }

    @api.model
    def _get_site_domain(self, filters):
        """Return the domain on ``site_id``; without a choice the rights decide."""
        site_ids = filters["site_ids"]
        return Domain("site_id", "in", site_ids) if site_ids else Domain.TRUE
