from odoo import models
from odoo.fields import Domain

from .resident_site_setup import OWN_LOCATIONS


class StockLocation(models.Model):
    _inherit = "stock.location"

    def _get_shelves(self):
        """Return ``{location: locations}``: each of these with the shelves below it.

        A shelf counts once, for the nearest place or area of a site above it.
        """
        # Residents count what lies at their places without stock rights.
        below = self.sudo().search([("id", "child_of", self.ids)])
        roots = self.ids
        if below > self:
            areas = (
                self.env["resident.site"]
                .sudo()
                .search(
                    Domain.OR(Domain(name, "in", below.ids) for name in OWN_LOCATIONS)
                )
            )
            places = (
                self.env["resident.place"]
                .sudo()
                .search([("location_id", "in", below.ids)])
            )
            roots = {
                *roots,
                *places.location_id.ids,
                *(area[name].id for name in OWN_LOCATIONS for area in areas),
            }
        shelves = dict.fromkeys(self, self.browse())
        for shelf in below:
            path = reversed(shelf.parent_path.split("/")[:-1])
            nearest = self.browse(next(int(i) for i in path if int(i) in roots))
            if nearest in shelves:
                shelves[nearest] |= shelf
        return shelves
