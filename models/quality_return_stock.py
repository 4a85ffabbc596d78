from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from .quality_return_actions import RESIDENT

# What a stock move does for its return line.
STEPS = [
    ("pickup", "Pick-up"),
    ("receipt", "Receipt"),
    ("extra", "Came Unasked"),
    ("settled", "Written Back"),
    ("verdict", "Verdict"),
    ("replacement", "Replacement"),
]


class QualityReturn(models.Model):
    """The way of the parts: pick-up, transit, receipt (R1).

    Each pick-up that is done makes the receipt of just what it took along; whoever
    validates a transfer, here or in the stock app, moves the return on.
    """

    _inherit = "quality.return"

    # Read by who may read the return; the transfers themselves need stock rights.
    picking_ids = fields.Many2many(
        comodel_name="stock.picking",
        string="Transfers",
        compute="_compute_pickings",
        compute_sudo=True,
    )
    picking_count = fields.Integer(compute="_compute_pickings", compute_sudo=True)
    qty_in_transit = fields.Float(
        string="On the Way", compute="_compute_parts", digits="Product Unit"
    )
    qty_open = fields.Float(
        string="To Judge", compute="_compute_parts", digits="Product Unit"
    )
    has_pickups = fields.Boolean(compute="_compute_pickings", compute_sudo=True)
    has_difference = fields.Boolean(compute="_compute_parts")
    difference_reason = fields.Text(
        string="Differences Settled", readonly=True, copy=False
    )

    @api.depends("line_ids.move_ids.picking_id", "line_ids.move_ids.state")
    def _compute_pickings(self):
        for document in self:
            moves = document.line_ids.move_ids
            pickings = moves.picking_id
            replacing = moves.filtered(
                lambda m: m.quality_return_step == "replacement"
            ).picking_id
            document.picking_ids = pickings - replacing
            document.replacement_picking_ids = replacing
            document.picking_count = len(pickings)
            document.has_pickups = any(
                m.quality_return_step == "pickup" and m.state not in ("done", "cancel")
                for m in moves
            )

    @api.depends(
        "line_ids.qty_in_transit", "line_ids.qty_open", "line_ids.qty_difference"
    )
    def _compute_parts(self):
        for document in self:
            lines = document.line_ids
            document.qty_in_transit = sum(lines.mapped("qty_in_transit"))
            document.qty_open = sum(lines.mapped("qty_open"))
            document.has_difference = any(
                not line.uom_id.is_zero(line.qty_difference) for line in lines
            )

    # === PICK-UP === #

    def _create_pickups(self):
        """Make the pick-ups: of our stock one, of sold parts one for each delivery.

        One transfer for each delivery keeps core's “Returns” of that delivery, its
        quantities and its valuation right.
        """
        plan = {}
        # Taking parts back is Quality's decision, stock is not her right; moved are
        # the approved parts only.
        lines = self.line_ids.sudo()
        quants = lines._get_free_quants()
        deliveries = lines.filtered("is_sold")._get_deliveries()
        nothing = self.env["stock.move"]
        for line in lines:
            wanted = line._get_pieces()
            if line.is_sold:
                taken = line._take(deliveries[line], wanted)
                for row, pieces in taken:
                    key = (line.return_id, row[0].picking_id)
                    plan.setdefault(key, []).append((line, row[0], pieces, None))
            else:
                key = (line.location_id, line.product_id, line.lot_id)
                taken = line._take(quants.get(key, []), wanted)
                key = (line.return_id, nothing.picking_id)
                plan.setdefault(key, []).append((line, nothing, wanted, taken))
            there = sum(pieces for _row, pieces in taken)
            if line.product_id.uom_id.compare(there, wanted) < 0:
                raise UserError("\n".join(lines._get_shortages()))
        pickings = self._create_pickings(
            [
                document._prepare_pickup_values(delivery, rows)
                for (document, delivery), rows in plan.items()
            ]
        )
        pickings.move_ids._reserve_lots()

    def _prepare_pickup_values(self, delivery, rows):
        """Return the values of the transfer that fetches ``rows``.

        :param delivery: the transfer that brought the parts to the customer, or none
        :param rows: ``[(line, delivery move or none, pieces, quants or None)]``
        """
        self.ensure_one()
        site = self.site_id
        sold = rows[0][0].is_sold
        target = site.transit_location_id
        types = site._get_return_type() if sold else site._get_internal_type()
        return {
            "picking_type_id": types.id,
            "partner_id": site.partner_id.id,
            "origin": self.name,
            "return_id": delivery.id,
            "location_id": rows[0][0].location_id.id,
            "location_dest_id": target.id,
            "company_id": self.company_id.id,
            "move_ids": [
                Command.create(
                    {
                        **line._prepare_move_values(
                            "pickup", line.location_id, target, pieces
                        ),
                        "picking_type_id": types.id,
                        "origin_returned_move_id": origin.id,
                        **line._prepare_lot_values(
                            line.location_id, target, pieces, quants
                        ),
                    }
                )
                for line, origin, pieces, quants in rows
            ],
        }

    @api.model
    def _create_pickings(self, vals_list):
        """Create draft transfers with moves that name our lines."""
        # Who ships for the return need not have stock rights.
        pickings = self.env["stock.picking"].with_env(self._with_gate().sudo().env)
        pickings = pickings.create(vals_list).with_env(self.sudo().env)
        for picking in pickings:
            # Core names the transfer on lines that it makes itself.
            picking.move_ids.move_line_ids.picking_id = picking
        return pickings

    def action_ship(self):
        """The driver has taken all that was approved along.

        :raise UserError: there is nothing to pick up, or not all of it lies there
        """
        self.check_access("write")
        if not self.env.su and not self._has_one_group(RESIDENT):
            raise AccessError(
                self.env._("Only the resident and the manager hand parts over.")
            )
        for document in self:
            # Handing over is the resident's task, stock is not; moved is what home
            # has approved.
            moves_sudo = document.sudo().line_ids.move_ids.filtered(
                lambda m: (
                    m.quality_return_step == "pickup"
                    and m.state not in ("done", "cancel")
                )
            )
            if not moves_sudo:
                raise UserError(
                    self.env._(
                        "%(name)s has nothing to pick up: it must be approved first.",
                        name=document.name,
                    )
                )
            missing = moves_sudo.filtered(
                lambda m: m.product_uom.compare(m.quantity, m.product_uom_qty) < 0
            )
            if missing:
                raise UserError(
                    self.env._(
                        "Not all of it lies there any more: %(lines)s. Have a stock "
                        "user pick up what is there.",
                        lines=", ".join(
                            missing.quality_return_line_id.mapped("display_name")
                        ),
                    )
                )
            moves_sudo.picked = True
            moves_sudo.picking_id._action_done()
        return True

    # === FOLLOWING THE MOVES === #

    def _follow_stock(self, moves=None):
        """Move these returns on, as their stock moves tell.

        :param moves: what has just been done
        """
        moves = moves or self.env["stock.move"]
        shipped = moves.filtered(lambda m: m.quality_return_step == "pickup")
        if shipped:
            self.filtered(lambda r: r.state == "approved")._move_to("in_transit")
            shipped.quality_return_line_id.return_id._create_receipts(shipped)
        came = moves.filtered(lambda m: m.quality_return_step in ("receipt", "extra"))
        if came:
            # A verdict is wanted for what came after the last one.
            self.filtered(lambda r: r.state == "judged" and r.qty_open)._move_to(
                "received"
            )
            for document in came.quality_return_line_id.return_id:
                own = came.filtered(
                    lambda m, document=document: (
                        m.quality_return_line_id.return_id == document
                    )
                )
                document._emit_event("return_received", key=f"move {min(own.ids)}")
        for document in self.filtered(lambda r: r.state == "in_transit"):
            still = document.line_ids.move_ids.filtered(
                lambda m: (
                    m.state not in ("done", "cancel")
                    and m.quality_return_step in ("pickup", "receipt")
                )
            )
            idle = still.filtered(
                lambda m: (
                    m.quality_return_step == "receipt"
                    and not m.quality_return_line_id.qty_in_transit
                )
            )
            # It came on another line's receipt: nothing is left to wait for.
            idle._action_cancel()
            if not (still - idle) and not document.qty_in_transit:
                document._move_to("received")
        self._follow_replacement()

    def _create_receipts(self, shipped):
        """Make the receipts of what has just been picked up, lot by lot."""
        by_return = shipped.grouped(lambda m: m.quality_return_line_id.return_id)
        pickings = self._create_pickings(
            [
                document._prepare_receipt_values(
                    [
                        move.quality_return_line_id._prepare_receipt_move_values(move)
                        for move in moves
                    ]
                )
                for document, moves in by_return.items()
            ]
        )
        pickings.move_ids._reserve_lots()
        # Their origin is done: they wait for nothing.
        pickings.move_ids._action_assign()

    def _prepare_receipt_values(self, move_values):
        """Return the values of a receipt at home of the moves given."""
        self.ensure_one()
        site = self.site_id
        types = site._get_return_type()
        return {
            "picking_type_id": types.id,
            "partner_id": site.partner_id.id,
            "origin": self.name,
            "location_id": site.transit_location_id.id,
            "location_dest_id": site.return_location_id.id,
            "company_id": self.company_id.id,
            "move_ids": [
                Command.create({**vals, "picking_type_id": types.id})
                for vals in move_values
            ],
        }

    def _cancel_transfers(self):
        """Cancel all transfers of these returns that are not done."""
        # Whoever may cancel the return need not be a stock user.
        moves_sudo = self.sudo().line_ids.move_ids
        moves_sudo.filtered(
            lambda m: m.state not in ("done", "cancel")
        )._action_cancel()

    # === SMART BUTTONS === #

    def action_view_pickings(self):
        """Open the transfers of this return."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "stock.action_picking_tree_all"
        )
        pickings = self.picking_ids + self.replacement_picking_ids
        action["domain"] = [("id", "in", pickings.ids)]
        action["context"] = {"create": False}
        return action
