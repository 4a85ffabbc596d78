from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain


class QualityDashboard(models.AbstractModel):
    """How the customers rated the sites, or will, by the scorecards (Q1)."""

    _inherit = "quality.dashboard"

    @api.model
    def _get_sections(self):
        return {**super()._get_sections(), "ratings": self._get_ratings}

    @api.model
    def _get_ratings(self, filters):
        """Return the ratings of the last months that are over.

        :return: ``{"months": first days, "sites": rows}``; a row has key, label, what
            it opens and a cell for each month: id, rating and ``is_customer``, False
            where it is our forecast; None without a rating
        """
        cards = self.env["quality.scorecard"]
        if not cards.has_access("read"):
            return {"months": [], "sites": []}
        first = filters["first_day"] - relativedelta(months=1)
        months = [
            first + relativedelta(months=number) for number in range(filters["months"])
        ]
        domain = Domain("month", "in", months) & self._get_site_domain(filters)
        cells = {}
        for card in cards.search_fetch(
            domain & Domain("rating", "!=", False),
            ["site_id", "month", "rating", "customer_rating"],
            order="site_id, month",
        ):
            cells.setdefault(card.site_id, {})[card.month] = {
                "id": card.id,
                "rating": card.rating,
                "is_customer": bool(card.customer_rating),
            }
        return {
            "months": [fields.Date.to_string(month) for month in months],
            "sites": [
                {
                    "key": site.id,
                    "label": site.name,
                    "action": "quality_resident.quality_scorecard_action",
                    "domain": list(domain & Domain("site_id", "=", site.id)),
                    "cells": [of_site.get(month) for month in months],
                }
                for site, of_site in cells.items()
            ],
        }
