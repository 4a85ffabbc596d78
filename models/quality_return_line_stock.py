from odoo import api, models
from odoo.fields import Command


class QualityReturnLine(models.Model):
    """What the stock moves of a line say, and the values of new ones."""

    _inherit = "quality.return.line"

    @api.depends(
        "move_ids.state",
        "move_ids.quantity",
        "move_ids.quality_return_step",
        "difference_settled",
    )
    def _compute_moved(self):
        for line in self:
            done = {}
            for move in line.move_ids:
                step = move.quality_return_step
                if move.state == "done":
                    done[step] = done.get(step, 0) + move.product_uom._compute_quantity(
                        move.quantity, line.uom_id, rounding_method="HALF-UP"
                    )
            extra = done.get("extra", 0)
            line.qty_shipped = done.get("pickup", 0)
            line.qty_received = done.get("receipt", 0) + extra
            line.qty_in_transit = (
                line.qty_shipped - done.get("receipt", 0) - done.get("settled", 0)
            )
            missing = line.qty_in_transit if done.get("receipt") else 0
            line.qty_difference = extra - line.difference_settled - missing

    def _prepare_move_values(self, step, source, target, pieces):
        """Return the values of a stock move of ``pieces`` for this line."""
        self.ensure_one()
        values = {
            "product_id": self.product_id.id,
            "product_uom": self.product_id.uom_id.id,
            "product_uom_qty": pieces,
            "location_id": source.id,
            "location_dest_id": target.id,
            "location_final_id": target.id,
            "procure_method": "make_to_stock",
            "company_id": self.company_id.id,
            "origin": self.return_id.name,
            "quality_return_line_id": self.id,
            "quality_return_step": step,
        }
        if "to_refund" in self.env["stock.move"]._fields:
            # Credit notes are settled in the claim; the order stays delivered.
            values["to_refund"] = False
        return values

    def _take(self, rows, wanted):
        """Take ``wanted`` pieces out of ``rows``, whose last column is what is free.

        :return: ``[(row, pieces)]``, less than wanted where there is no more
        """
        self.ensure_one()
        taken = []
        for row in rows:
            pieces = min(row[-1], wanted)
            if self.product_id.uom_id.compare(pieces, 0) > 0:
                taken.append((row, pieces))
                row[-1] -= pieces
                wanted -= pieces
        return taken

    def _prepare_lot_values(self, source, target, pieces, quants=None):
        """Return the move lines of a move of ``pieces`` of this line's lot.

        :param quants: ``[((shelf, package, owner, free), pieces)]`` to take them from
        """
        nothing = (source, self.env["stock.package"], self.env["res.partner"], pieces)
        return {
            "move_line_ids": [
                Command.create(
                    {
                        "product_id": self.product_id.id,
                        "product_uom_id": self.product_id.uom_id.id,
                        "lot_id": self.lot_id.id,
                        "quantity": taken,
                        "location_id": shelf.id,
                        "location_dest_id": target.id,
                        "package_id": package.id,
                        "owner_id": owner.id,
                        "company_id": self.company_id.id,
                    }
                )
                for (shelf, package, owner, _free), taken in (
                    quants or [(nothing, pieces)]
                )
            ]
        }

    def _prepare_receipt_move_values(self, shipped):
        """Return the values of the receipt of what the move ``shipped`` took along."""
        site = self.site_id
        transit, home = site.transit_location_id, site.return_location_id
        came = [
            (
                (transit, ml.result_package_id, ml.owner_id, ml.quantity),
                ml.quantity_product_uom,
            )
            for ml in shipped.move_line_ids
        ]
        pieces = sum(part for _row, part in came)
        return {
            **self._prepare_move_values("receipt", transit, home, pieces),
            **self._prepare_lot_values(transit, home, pieces, came),
            # Core's traceability follows these links.
            "move_orig_ids": [Command.link(shipped.id)],
        }
