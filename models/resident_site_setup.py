import re
from itertools import count

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# Those where parts lie until they are judged.
HOLDING_FIELDS = ("suspect_location_id", "rework_location_id", "return_location_id")
# Where the parts of approved returns go.
RETURNING_FIELDS = ("transit_location_id", "return_location_id")
# Shops that a new site starts with (P1): kind, name, ours.
DEFAULT_PLACES = ("buffer", "transit", "warehouse", "body", "paint", "assembly")
# The site's own stock locations (P2): field of the site, kind of place, usage.
OWN_LOCATIONS = {
    "buffer_location_id": ("buffer", "internal"),
    "transit_location_id": ("transit", "transit"),
    "suspect_location_id": (None, "internal"),
    "rework_location_id": (None, "internal"),
    "return_location_id": (None, "internal"),
}


class ResidentSite(models.Model):
    """What a new site gets at the press of one button (P1, P2)."""

    _inherit = "resident.site"

    is_set_up = fields.Boolean(compute="_compute_is_set_up")

    @api.depends(*OWN_LOCATIONS, "place_ids", "alias_name")
    def _compute_is_set_up(self):
        for site in self:
            site.is_set_up = bool(
                len(site._get_own_locations()) == len(OWN_LOCATIONS)
                and site.place_ids
                and site.alias_name
            )

    # === HELD PARTS === #

    @api.model_create_multi
    def create(self, vals_list):
        sites = super().create(vals_list)
        guarded = {*HOLDING_FIELDS, *RETURNING_FIELDS}
        if any(not vals.keys().isdisjoint(guarded) for vals in vals_list):
            self.env["stock.location"]._forget_held()
        return sites

    def write(self, vals):
        self._check_returning(vals)
        changed = vals.keys() & set(HOLDING_FIELDS)
        for name in changed:
            left = self.filtered(
                lambda site, name=name: site[name].id != (vals[name] or False)
            )
            left[name]._check_can_release()
        result = super().write(vals)
        if changed or "transit_location_id" in vals:
            self.env["stock.location"]._forget_held()
        return result

    def _check_returning(self, vals):
        """Refuse to lead approved returns elsewhere.

        :raise UserError: names the site and a return
        """
        moved = self.filtered(
            lambda site: any(
                name in vals and site[name].id != (vals[name] or False)
                for name in RETURNING_FIELDS
            )
        )
        # The way of the parts binds also who may not read the return.
        if moved and (
            document := self.env["quality.return"]
            .sudo()
            .search(
                [
                    ("site_id", "in", moved.ids),
                    ("state", "in", ("approved", "in_transit")),
                ],
                limit=1,
            )
        ):
            raise UserError(
                self.env._(
                    "%(name)s of %(site)s is on the way: receive or cancel it before "
                    "its places are changed.",
                    name=document.name,
                    site=document.site_id.name,
                )
            )

    def unlink(self):
        for name in HOLDING_FIELDS:
            self[name]._check_can_release()
        result = super().unlink()
        self.env["stock.location"]._forget_held()
        return result

    def _get_held_places(self, product):
        """Return this site's places where ``product`` is held, made where missing."""
        self.ensure_one()
        # Residents see what is held at their site without stock rights.
        quants = self.env["stock.quant"].sudo()
        places = self.env["resident.place"]
        for name in ("suspect_location_id", "rework_location_id"):
            location = self[name]
            domain = [
                ("location_id", "child_of", location.ids),
                ("product_id", "=", product.id),
                ("quantity", ">", 0),
            ]
            if location and quants.search_count(domain, limit=1):
                place = self.place_ids.filtered(
                    lambda p, location=location: p.location_id == location
                )
                # A place of ours is a master: the manager's, made on first need.
                places |= place or place.sudo().create(
                    {
                        "site_id": self.id,
                        "name": location.sudo().name,
                        "kind": "other",
                        "location_id": location.id,
                        "must_screen": False,
                        "sequence": 100,
                    }
                ).with_env(self.env)
        return places

    @api.model
    def _find_by_location(self, location):
        """Return the site whose own location is ``location`` or lies above it."""
        above = [int(number) for number in location.parent_path.split("/") if number]
        return self.search(
            Domain.OR(Domain(name, "in", above) for name in OWN_LOCATIONS), limit=1
        )

    # === SET-UP === #

    def _get_own_locations(self):
        """Return our stock locations at this site."""
        self.ensure_one()
        return self.env["stock.location"].concat(
            *(self[name] for name in OWN_LOCATIONS)
        )

    def action_set_up(self):
        """Make what a site needs and does not have yet.

        Stock locations below its warehouse, the usual shops as places and its e-mail
        address. Safe to run again: what is there stays.
        """
        self.check_access("write")
        for site in self:
            site._create_locations()
            site._create_places()
            if not site.alias_name:
                site.alias_name = site._get_free_alias_name()
        return True

    def _get_free_alias_name(self):
        """Return an address that no document of any company has yet."""
        self.ensure_one()
        wanted = "quality-" + re.sub(r"\W+", "-", self.code.lower())
        # Addresses are unique across companies, which the user may not see.
        taken = set(
            self.env["mail.alias"]
            .sudo()
            .search([("alias_name", "=like", f"{wanted}%")])
            .mapped("alias_name")
        )
        if wanted not in taken:
            return wanted
        return next(n for i in count(2) if (n := f"{wanted}-{i}") not in taken)

    def _create_locations(self):
        self.ensure_one()
        missing = [name for name in OWN_LOCATIONS if not self[name]]
        if not missing:
            return
        # A customer-service manager sets up sites without being a stock manager.
        # Location names are not translatable: they take the company's language.
        lang = self.company_id.partner_id.lang or self.env.lang
        locations_sudo = (
            self.env["stock.location"]
            .sudo()
            .with_company(self.company_id)
            .with_context(lang=lang)
        )
        warehouse = (
            self.warehouse_id
            or self.with_company(self.company_id)._default_warehouse_id()
        )
        # As above: the manager sets up sites without stock rights.
        parent = self._get_own_locations().sudo().location_id[
            :1
        ] or locations_sudo.create(
            {
                "name": self.code,
                "usage": "view",
                "location_id": warehouse.sudo().view_location_id.id,
                "company_id": self.company_id.id,
            }
        )
        created = locations_sudo.create(
            [
                {
                    "name": self._fields[name]._description_string(locations_sudo.env),
                    "usage": OWN_LOCATIONS[name][1],
                    "location_id": parent.id,
                    "company_id": self.company_id.id,
                }
                for name in missing
            ]
        )
        self.write(dict(zip(missing, created.ids, strict=True)))

    def _create_places(self):
        self.ensure_one()
        places = self.env["resident.place"].with_context(lang="en_US")
        labels = places._get_kind_labels()
        own = {kind: field for field, (kind, _usage) in OWN_LOCATIONS.items() if kind}
        present = set(self.place_ids.mapped("kind"))
        created = places.create(
            [
                {
                    "site_id": self.id,
                    "name": labels["en_US"][kind],
                    "kind": kind,
                    "sequence": 10 * number,
                    "location_id": self[own[kind]].id if kind in own else False,
                }
                for number, kind in enumerate(DEFAULT_PLACES, start=1)
                if kind not in present
            ]
        )
        for place in created:
            # While a module is installed its own translations come last: what reads as
            # English then is left to them.
            place.update_field_translations(
                "name",
                {
                    lang: names[place.kind]
                    for lang, names in labels.items()
                    if names[place.kind] != place.name
                },
            )
