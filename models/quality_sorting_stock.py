from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class QualitySorting(models.Model):
    """What a count moves, where the stock is ours (C6)."""

    _inherit = "quality.sorting"

    def _sort_out(self):
        """Move suspect parts to the suspect area and bad ones to the rework area.

        Good ones that were held are released to the intermediate warehouse.

        One batch of moves for all tranches. Where the stock is the customer's, counts
        are kept without moves.
        """
        plan = []
        for tranche in self.filtered("place_id.location_id"):
            site = tranche.site_id
            source = tranche.place_id.location_id
            released = tranche.qty_good if tranche.inspection_id.held_area else 0
            for target, quantity in (
                (site.suspect_location_id, tranche.qty_suspect),
                (site.rework_location_id, tranche.qty_bad),
                (site.buffer_location_id, released),
            ):
                if quantity and not target:
                    raise UserError(
                        self.env._(
                            "%(site)s has no locations of its own yet: press “Set "
                            "Up” on the site.",
                            site=site.name,
                        )
                    )
                if quantity and target != source:
                    plan.append((tranche, source, target, quantity))
        self._move_parts(plan)

    @api.model
    def _move_parts(self, plan):
        """Do the moves of ``[(tranche, source, target, quantity)]`` in one batch.

        :raise UserError: less lies at a source than is to be moved; nothing is moved
        """
        if not plan:
            return
        # Counting is the resident's task, stock is not. Moved on his behalf is exactly
        # what he counted, and each move names the complaint.
        quants = self._get_quants(plan)
        moves = (
            self.env["stock.move"]
            .sudo()
            .create(
                [
                    {
                        "product_id": tranche.product_id.id,
                        "product_uom": tranche.product_id.uom_id.id,
                        "product_uom_qty": quantity,
                        "location_id": source.id,
                        "location_dest_id": target.id,
                        "company_id": tranche.company_id.id,
                        "origin": tranche.complaint_id.name,
                        "picked": True,
                        "move_line_ids": [
                            Command.create(
                                {
                                    "product_id": tranche.product_id.id,
                                    "product_uom_id": tranche.product_id.uom_id.id,
                                    "lot_id": tranche.lot_id.id,
                                    "package_id": package.id,
                                    "quantity": taken,
                                    "location_id": shelf.id,
                                    "location_dest_id": target.id,
                                    "company_id": tranche.company_id.id,
                                }
                            )
                            for shelf, package, taken in tranche._take(
                                quants, source, quantity
                            )
                        ],
                    }
                    for tranche, source, target, quantity in plan
                ]
            )
        )
        # Counted parts may leave where they are held, as may those of an undone count.
        moves.with_env(self._with_gate().sudo().env)._action_done()
        for (tranche, *_rest), move in zip(plan, moves, strict=True):
            tranche.sudo()._write_protected({"move_ids": [Command.link(move.id)]})

    @api.model
    def _get_quants(self, plan):
        """Return ``{(source, product, lot): [[shelf, package, quantity], …]}``."""
        locations = self.env["stock.location"].union(*(row[1] for row in plan))
        sources = {
            shelf.id: source.id
            for source, below in locations._get_shelves().items()
            for shelf in below
        }
        tranches = self.union(*(row[0] for row in plan))
        quants = {}
        for shelf, product, lot, package, quantity in (
            self.env["stock.quant"]
            .sudo()
            ._read_group(
                [
                    ("location_id", "in", list(sources)),
                    ("product_id", "in", tranches.product_id.ids),
                    ("quantity", ">", 0),
                ],
                ["location_id", "product_id", "lot_id", "package_id"],
                ["quantity:sum"],
            )
        ):
            key = (sources[shelf.id], product.id, lot.id)
            quants.setdefault(key, []).append([shelf, package, quantity])
        return quants

    def _take(self, quants, source, quantity):
        """Take ``quantity`` of this tranche's lot out of ``quants``, loose parts first.

        :return: ``[(shelf, package, quantity)]``
        """
        self.ensure_one()
        uom = self.product_id.uom_id
        stock = quants.get((source.id, self.product_id.id, self.lot_id.id), [])
        there = sum(left for _shelf, _package, left in stock)
        if uom.compare(quantity, there) > 0:
            raise UserError(
                self.env._(
                    "%(location)s holds %(there)g of %(product)s %(lot)s: %(wanted)g "
                    "cannot be taken out. Count again, or correct the stock.",
                    location=source.display_name,
                    there=there,
                    product=self.product_id.display_name,
                    lot=self.lot_id.name or "",
                    wanted=quantity,
                )
            )
        taken = []
        for row in sorted(stock, key=lambda row: (row[1].id, row[0].id)):
            shelf, package, left = row
            part = min(left, quantity)
            if uom.compare(part, 0) > 0:
                taken.append((shelf, package, part))
                row[2] -= part
                quantity -= part
        return taken
