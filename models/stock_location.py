from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.fields import Domain

from .resident_site_setup import HOLDING_FIELDS, OWN_LOCATIONS

# Only there can parts lie at all: a loss location below a held one holds nothing.
HOLDING_USAGES = ("internal", "transit")


class StockLocation(models.Model):
    _inherit = "stock.location"

    is_held = fields.Boolean(
        string="Parts Held",
        compute="_compute_is_held",
        search="_search_is_held",
        help="Parts lie here until they are judged: they leave by a sorting, a return "
        "or an approved scrap request only.",
    )

    def _compute_is_held(self):
        held = self._get_held_ids()
        for location in self:
            location.is_held = location.id in held and location.usage in HOLDING_USAGES

    @api.model
    def _search_is_held(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("id", "in", list(self._get_held_ids())) & Domain(
            "usage", "in", HOLDING_USAGES
        )
        return domain if True in value else ~domain

    @api.model
    @tools.ormcache()
    def _get_held_ids(self):
        """Return the ids of all sites' holding locations and all below them.

        Archived sites and locations still hold what lies there.
        """
        # The guard holds for everybody, whatever sites he may read.
        sites = self.env["resident.site"].sudo().with_context(active_test=False)
        rows = sites.search_fetch([], HOLDING_FIELDS)
        roots = [site[name].id for site in rows for name in HOLDING_FIELDS]
        locations = self.sudo().with_context(active_test=False)
        return frozenset(
            locations._search([("id", "child_of", list(filter(None, roots)))])
        )

    @api.model
    @tools.ormcache()
    def _get_transit_ids(self):
        """Return the ids of all sites' places in transit and all below them."""
        sites = self.env["resident.site"].sudo().with_context(active_test=False)
        roots = sites.search_fetch([], ["transit_location_id"]).transit_location_id
        locations = self.sudo().with_context(active_test=False)
        return frozenset(locations._search([("id", "child_of", roots.ids)]))

    @api.model
    def _forget_held(self):
        self.invalidate_model(["is_held"])
        self.env.registry.clear_cache()

    def _holds_parts(self):
        """Tell whether anything lies in these locations or below them."""
        return bool(
            self.env["stock.quant"]
            # What is held binds also who may not read all stock.
            .sudo()
            .with_context(active_test=False)
            .search_count(
                [("location_id", "child_of", self.ids), ("quantity", "!=", 0)], limit=1
            )
        )

    def _check_can_release(self):
        """Refuse to make these locations free while parts are held there.

        :raise UserError: names the location
        """
        for location in self:
            if location._holds_parts():
                raise UserError(
                    self.env._(
                        "Parts are held in %(location)s. Empty it first: sort them, "
                        "return them or have them scrapped.",
                        location=location.sudo().display_name,
                    )
                )

    def _check_on_the_way(self, products):
        """Refuse to have less here than returns have on their way, if here is transit.

        :raise UserError: names the return
        """
        transit = self._get_transit_ids()
        places = self.filtered(lambda location: location.id in transit)
        if not places:
            return
        # The parts are on their way, whoever may read the return.
        lines = self.env["quality.return.line"].sudo()
        lines.search(
            [
                ("product_id", "in", products.ids),
                ("site_id.transit_location_id", "parent_of", places.ids),
                ("qty_in_transit", ">", 0),
            ]
        )._ensure_on_the_way()

    @api.model_create_multi
    def create(self, vals_list):
        locations = super().create(vals_list)
        guarded = self._get_held_ids() | self._get_transit_ids()
        if any(location.location_id.id in guarded for location in locations):
            self._forget_held()
        return locations

    def write(self, vals):
        if "location_id" not in vals:
            return super().write(vals)
        held = self._get_held_ids()
        if vals["location_id"] not in held:
            self.filtered(lambda loc: loc.location_id.id in held)._check_can_release()
        before = self.location_id
        result = super().write(vals)
        self._forget_held()
        # A shelf takes along what lies on it: a return on its way stays complete.
        before._check_on_the_way(self._get_products())
        return result

    def _get_products(self):
        """Return the products that lie in these locations or below them."""
        groups = (
            self.env["stock.quant"]
            # As in _holds_parts.
            .sudo()
            ._read_group([("location_id", "child_of", self.ids)], ["product_id"])
        )
        return self.env["product.product"].union(*(product for (product,) in groups))

    # === SHELVES === #

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
