from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

# Where bad parts are looked for first.
SOURCE_FIELDS = (
    "suspect_location_id",
    "rework_location_id",
    "buffer_location_id",
    "transit_location_id",
)

RETURN_TYPE_CODE = "RET"


class ResidentSite(models.Model):
    _inherit = "resident.site"

    def _get_customer_location(self):
        """Return where parts lie that the customer owns."""
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        return partner.property_stock_customer

    def _get_return_sources(self):
        """Return the places that parts go back from, the likely ones first."""
        if not self:
            return self.env["stock.location"]
        own = self.env["stock.location"].concat(*(self[name] for name in SOURCE_FIELDS))
        return own + self._get_customer_location()

    def _get_internal_type(self):
        """Return the operation type of transfers within our own stock."""
        return self._get_warehouse().int_type_id

    def _get_warehouse(self):
        """Return the warehouse at home."""
        self.ensure_one()
        return (
            self.warehouse_id
            or self.with_company(self.company_id)._default_warehouse_id()
        )

    def _get_return_type(self):
        """Return the operation type of returns to this site's warehouse.

        Made when first needed: own numbers, and lots that exist already.
        """
        warehouse = self._get_warehouse()
        # Operation types are the stock manager's; this one is made once, as here.
        types_sudo = self.env["stock.picking.type"].sudo()
        found = types_sudo.search(
            [
                ("warehouse_id", "=", warehouse.id),
                ("sequence_code", "=", RETURN_TYPE_CODE),
            ],
            limit=1,
        )
        if found:
            return found
        lang = self.company_id.partner_id.lang or self.env.lang
        return types_sudo.with_context(lang=lang).create(
            {
                "name": self.with_context(lang=lang).env._("Customer Returns"),
                "code": "incoming",
                "sequence_code": RETURN_TYPE_CODE,
                "barcode": f"{warehouse.code}RET",
                "warehouse_id": warehouse.id,
                "company_id": self.company_id.id,
                "default_location_src_id": self.transit_location_id.id,
                "default_location_dest_id": self.return_location_id.id,
                "use_create_lots": False,
                "use_existing_lots": True,
            }
        )


class QualityReturnLine(models.Model):
    """Where the parts of a return lie, and how many of them."""

    _inherit = "quality.return.line"

    def _guess_sources(self):
        """Return ``{line: location}``: our stock that holds the lot, else sold parts.

        Also for lines not saved yet.
        """
        free = self._get_free_stock()
        sources = {}
        for line in self.filtered("product_id"):
            site = line.return_id.site_id
            own = site._get_return_sources()
            holding = [
                place
                for place in own
                if free.get((place, line.product_id, line.lot_id._origin), 0) > 0
            ]
            if line.product_id.tracking == "none" or line.lot_id:
                sources[line] = holding[0] if holding else own[-1:]
        return sources

    def _get_free_stock(self):
        """Return ``{(place, product, lot): pieces}`` of our stock that may be taken."""
        return {
            key: sum(free for *_where, free in rows)
            for key, rows in self._get_free_quants().items()
        }

    def _get_free_quants(self):
        """Return where our stock lies that may be taken, loose parts first.

        What other transfers have reserved is not free.

        :return: ``{(place, product, lot): [[shelf, package, owner, pieces]]}``
        """
        places = self.env["stock.location"]
        for site in self.return_id.site_id:
            places |= site._get_return_sources().filtered(
                lambda place: place.usage != "customer"
            )
        free = {}
        # Residents see what lies at their places without stock rights.
        quants_sudo = self.env["stock.quant"].sudo()
        for shelf, product, lot, package, owner, quantity, reserved in sorted(
            quants_sudo._read_group(
                [
                    ("location_id", "child_of", places.ids),
                    ("product_id", "in", self.product_id.ids),
                ],
                ["location_id", "product_id", "lot_id", "package_id", "owner_id"],
                ["quantity:sum", "reserved_quantity:sum"],
            ),
            key=lambda row: row[3].id,
        ):
            for place in places:
                if shelf.parent_path.startswith(place.parent_path):
                    key = (place, product.with_env(self.env), lot.with_env(self.env))
                    row = [shelf, package, owner, quantity - reserved]
                    free.setdefault(key, []).append(row)
        return free

    def _get_pieces(self, quantity=None):
        """Return ``quantity``, by default the planned one, in the product's unit."""
        self.ensure_one()
        quantity = self.quantity if quantity is None else quantity
        return self.uom_id._compute_quantity(
            quantity, self.product_id.uom_id, rounding_method="HALF-UP"
        )

    def _ensure_there(self):
        """Refuse to send back what does not lie there or was not delivered.

        :raise UserError: names every line that is wrong, and why
        """
        wrong = [
            self.env._("%(line)s: choose the “Lot”.", line=line.display_name)
            for line in self
            if line.tracking != "none" and not line.lot_id
        ]
        wrong += [
            self.env._("%(line)s: choose where it “Lies in”.", line=line.display_name)
            for line in self
            if not line.location_id
        ]
        if not wrong:
            wrong = self._get_shortages()
        if wrong:
            raise UserError("\n".join(wrong))

    def _get_shortages(self):
        """Return a sentence for each line that asks for more than there is."""
        free = self._get_free_stock()
        for line, deliveries in self.filtered("is_sold")._get_deliveries().items():
            key = (line.location_id, line.product_id, line.lot_id)
            free[key] = sum(left for _move, left in deliveries)
        for line in self._get_promised():
            key = (line.location_id, line.product_id, line.lot_id)
            free[key] = free.get(key, 0) - line._get_pieces()
        wrong = []
        for line in self:
            key = (line.location_id, line.product_id, line.lot_id)
            there, wanted = free.get(key, 0), line._get_pieces()
            if line.product_id.uom_id.compare(wanted, there) > 0:
                text = (
                    self.env._(
                        "%(line)s: %(wanted)g wanted, but only %(there)g of it were "
                        "delivered to the customer and have not come back.",
                        line=line.display_name,
                        wanted=wanted,
                        there=max(there, 0),
                    )
                    if line.is_sold
                    else self.env._(
                        "%(line)s: %(wanted)g wanted, but only %(there)g of it lie "
                        "free in %(location)s.",
                        line=line.display_name,
                        wanted=wanted,
                        there=max(there, 0),
                        location=line.location_id.display_name,
                    )
                )
                wrong.append(text)
            # The next line may not count on the same pieces.
            free[key] = there - wanted
        return wrong

    def _ensure_on_the_way(self):
        """Refuse to have less in transit than these lines have on their way.

        :raise UserError: names the return
        """
        if not self:
            return
        transit = self.site_id.transit_location_id
        there = {}
        for place, product, lot, quantity in self.env["stock.quant"]._read_group(
            [
                ("location_id", "child_of", transit.ids),
                ("product_id", "in", self.product_id.ids),
            ],
            ["location_id", "product_id", "lot_id"],
            ["quantity:sum"],
        ):
            for root in transit:
                if place.parent_path.startswith(root.parent_path):
                    key = (root, product, lot)
                    there[key] = there.get(key, 0) + quantity
        for line in self:
            key = (line.site_id.transit_location_id, line.product_id, line.lot_id)
            there[key] = there.get(key, 0) - line._get_pieces(line.qty_in_transit)
            if line.product_id.uom_id.compare(there[key], 0) < 0:
                raise UserError(
                    self.env._(
                        "%(line)s is on the way back with %(name)s. Receive it there "
                        "first, or have the manager settle what does not come.",
                        line=line.display_name,
                        name=line.return_id.name,
                    )
                )

    def _get_promised(self):
        """Return lines of other requests that count on the same parts."""
        # Of all sites: the parts are there once, whoever may see the request.
        return self.sudo().search(
            [
                ("state", "=", "requested"),
                ("return_id", "not in", self.return_id.ids),
                ("location_id", "in", self.location_id.ids),
                ("product_id", "in", self.product_id.ids),
            ]
        )

    # === SOLD PARTS === #

    def _get_deliveries(self):
        """Return ``{line: [(delivery move, pieces not come back yet)]}``, oldest first.

        Deliveries are done moves to the customer's location, with his transfers or out
        of our stock at his plant.
        """
        found = {}
        for site, lines in self.grouped(lambda li: li.return_id.site_id).items():
            left = lines._get_delivered(site)
            for line in lines:
                key = (line.product_id.id, line.lot_id.id)
                found[line] = left.get(key, [])
        return found

    def _get_delivered(self, site):
        """Return ``{(product id, lot id): [[move, pieces left]]}`` at ``site``."""
        # Deliveries are the customer's, whoever may read him.
        partner = site.partner_id.sudo().commercial_partner_id
        own = (site._get_own_locations() - site.return_location_id).ids
        parts = Domain("product_id", "in", self.product_id.ids) & Domain(
            "lot_id", "in", [*self.lot_id.ids, False]
        )
        his = Domain("picking_id.partner_id", "child_of", partner.id) | Domain(
            "move_id.partner_id", "child_of", partner.id
        )
        # The resident need not read transfers to send parts back.
        lines_sudo = self.env["stock.move.line"].sudo()
        left, by_move = {}, {}
        for move, product, lot, quantity in lines_sudo._read_group(
            parts
            & Domain("state", "=", "done")
            & Domain("company_id", "=", site.company_id.id)
            & Domain("location_dest_id.usage", "=", "customer")
            & (his | Domain("location_id", "child_of", own)),
            ["move_id", "product_id", "lot_id"],
            ["quantity_product_uom:sum"],
        ):
            row = [move, quantity]
            left.setdefault((product.id, lot.id), []).append(row)
            by_move[move, lot] = row
        for rows in left.values():
            rows.sort(key=lambda row: (row[0].date, row[0].id))
        for move, product, lot, quantity in lines_sudo._read_group(
            parts
            & Domain("state", "not in", ("draft", "cancel"))
            & Domain("company_id", "=", site.company_id.id)
            & Domain("location_id.usage", "=", "customer")
            & (
                his
                | Domain("location_dest_id", "child_of", own)
                | Domain(
                    "move_id.origin_returned_move_id",
                    "in",
                    [move.id for move, _lot in by_move],
                )
            ),
            ["move_id", "product_id", "lot_id"],
            ["quantity_product_uom:sum"],
        ):
            origin = by_move.get((move.origin_returned_move_id, lot))
            rows = left.get((product.id, lot.id), [])
            for row in [origin] if origin else rows:
                taken = min(row[1], quantity)
                row[1] -= taken
                quantity -= taken
        return {key: [row for row in rows if row[1] > 0] for key, rows in left.items()}
