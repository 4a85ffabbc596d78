from odoo import api, fields, models
from odoo.exceptions import UserError

from .quality_return_stock import STEPS

# No client can send this object: a move that names a return is done by moving alone.
_MOVING = object()


class StockMove(models.Model):
    """A move that carries parts of a return, validated here or in the stock app."""

    _inherit = "stock.move"

    quality_return_line_id = fields.Many2one(
        comodel_name="quality.return.line",
        string="Return",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    quality_return_step = fields.Selection(
        STEPS, string="Step of the Return", readonly=True, copy=False
    )
    quality_judgement_id = fields.Many2one(
        comodel_name="quality.return.judgement",
        string="Verdict",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    def _prepare_move_split_vals(self, qty):
        vals = super()._prepare_move_split_vals(qty)
        if self.quality_return_line_id and self._is_gate_open():
            vals["quality_return_line_id"] = self.quality_return_line_id.id
            vals["quality_return_step"] = self.quality_return_step
            vals["quality_judgement_id"] = self.quality_judgement_id.id
        return vals

    def _create_backorder(self):
        """What is left over goes on belonging to its return."""
        if not self.quality_return_line_id:
            return super()._create_backorder()
        gate = self.env["quality.workflow.mixin"]._with_gate().env
        moves = super(StockMove, self.with_env(gate))._create_backorder()
        return moves.with_env(self.env)

    @api.model
    def _is_gate_open(self):
        return self.env["quality.workflow.mixin"]._is_gate_open()

    # === DONE === #

    def write(self, vals):
        if vals.get("state") == "done" and self.quality_return_line_id:
            if self.env.context.get("quality_moving") is not _MOVING:
                self._refuse_document_field("state")
        return super().write(vals)

    def _action_done(self, cancel_backorder=False):
        ours = self.filtered("quality_return_line_id")
        if not ours:
            return super()._action_done(cancel_backorder=cancel_backorder)
        coming = ours.filtered(lambda m: m.picked and m.quantity > 0)
        coming._check_planned()
        strangers = (self - ours).filtered("picked")
        coming._check_alone(strangers)
        extra = (coming | strangers)._split_differences()
        moving = (self.exists() | extra).with_context(quality_moving=_MOVING)
        done = super(StockMove, moving)._action_done(cancel_backorder=cancel_backorder)
        done = done.with_env(self.env)
        # Whoever moves the parts moves their return on, which may not be his to write.
        done_sudo = done.sudo().filtered(lambda m: m.state == "done")
        done_sudo.quality_return_line_id.return_id._follow_stock(done_sudo)
        return done

    def _action_cancel(self):
        result = super()._action_cancel()
        documents = self.filtered("quality_return_line_id").sudo()
        documents.quality_return_line_id.return_id._follow_stock()
        return result

    def _check_planned(self):
        """Hold a return's moves to what was approved.

        :raise UserError: names the line, what was approved and the way out
        """
        for move in self:
            # What is approved binds also who may not read the return.
            line = move.sudo().quality_return_line_id
            if move.quality_return_step in ("receipt", "extra"):
                home = line.site_id.return_location_id
                if not move._goes_to(home):
                    raise UserError(
                        self.env._(
                            "%(line)s of %(name)s goes to %(location)s until Quality "
                            "has judged it.",
                            line=line.display_name,
                            name=line.return_id.name,
                            location=home.display_name,
                        )
                    )
            elif move.quality_return_step == "pickup" and not move._is_as_approved(
                self.filtered(
                    lambda m, move=move: (
                        m.quality_return_line_id == move.quality_return_line_id
                    )
                )
            ):
                raise UserError(
                    self.env._(
                        "%(name)s: approved are %(quantity)g of %(line)s in "
                        "%(location)s. For other parts make another return.",
                        name=line.return_id.name,
                        quantity=line.quantity,
                        line=line.display_name,
                        location=line.location_id.display_name,
                    )
                )

    def _check_alone(self, strangers):
        """Refuse to let a pick-up take along what nobody has approved.

        :param strangers: moves without a return that are done together with these
        :raise UserError: names the product and the way out
        """
        pickups = self.filtered(lambda m: m.quality_return_step == "pickup")
        if besides := strangers.filtered(lambda m: m.picking_id in pickups.picking_id):
            raise UserError(
                self.env._(
                    "%(name)s: %(product)s is not approved. Take it off this transfer; "
                    "for other parts make another return.",
                    name=besides[0].picking_id.quality_return_id.sudo().name,
                    product=besides[0].product_id.display_name,
                )
            )

    def _goes_to(self, location):
        return all(
            line.location_dest_id.parent_path.startswith(location.parent_path)
            for line in self.move_line_ids
        )

    def _is_as_approved(self, together=None):
        """Tell whether a pick-up takes what its return was approved for, no more.

        :param together: the moves of the same line that are being done with it
        """
        self.ensure_one()
        # What is approved binds also who may not read the return.
        line = self.sudo().quality_return_line_id
        pieces = line._get_pieces(line.qty_shipped) + sum(
            move.product_uom._compute_quantity(
                move.quantity, move.product_id.uom_id, round=False
            )
            for move in together or self
        )
        return (
            line.state in ("approved", "in_transit")
            and self.product_id == line.product_id
            and self._goes_to(line.site_id.transit_location_id)
            and self.product_id.uom_id.compare(pieces, line._get_pieces()) <= 0
            and all(
                ml.product_id == line.product_id
                and ml.lot_id == line.lot_id
                and ml.location_id.parent_path.startswith(line.location_id.parent_path)
                for ml in self.move_line_ids.filtered("quantity")
            )
        )

    def _is_release_allowed(self):
        """An approved return lets its parts out of where they are held."""
        self.ensure_one()
        line = self.sudo().quality_return_line_id
        if line and self.quality_return_step == "pickup":
            return self._is_as_approved()
        if line and self.quality_return_step == "verdict":
            # A verdict binds also who may not read it.
            return self.sudo().quality_judgement_id._is_carried_out_by(self)
        return super()._is_release_allowed()

    # === WHAT CAME OTHERWISE === #

    def _split_differences(self):
        """Leave on these receipts what was sent; return moves of what came besides.

        Too many pieces, other lots or products never came through our transit: they
        are taken from where they truly lay (R1).
        """
        receipts = self.filtered(lambda m: m.quality_return_step == "receipt")
        if not receipts:
            return self.browse()
        strangers = self.filtered(
            lambda m: (
                not m.quality_return_line_id and m.picking_id in receipts.picking_id
            )
        )
        extra = self.browse()
        # What is found here is written on the return, which the stock user need not
        # be allowed to write.
        receipts_sudo, strangers_sudo = receipts.sudo(), strangers.sudo()
        for document in receipts_sudo.quality_return_line_id.return_id:
            own = receipts_sudo.filtered(
                lambda m, document=document: (
                    m.quality_return_line_id.return_id == document
                )
            )
            others = strangers_sudo.filtered(
                lambda m, own=own: m.picking_id in own.picking_id
            )
            rows = own._take_off_differences(others)
            if rows:
                moves = document._create_differences(rows, own.picking_id[:1])
                extra |= moves.with_env(self.env)
        return extra

    def _take_off_differences(self, strangers):
        """Cut these receipts down to what is on the way; return what that leaves.

        :param strangers: moves that somebody added to the same transfers
        :return: ``[(product, lot, pieces)]``
        """
        rows = []
        left = {}
        for move in self:
            line = move.quality_return_line_id
            left.setdefault(line, line._get_pieces(line.qty_in_transit))
            # What is not picked has not come.
            for ml in move.move_line_ids.filtered(lambda ml: ml.picked and ml.quantity):
                fits = ml.lot_id == line.lot_id and ml.product_id == line.product_id
                regular = min(ml.quantity_product_uom, left[line]) if fits else 0
                left[line] -= regular
                over = ml.quantity_product_uom - regular
                if ml.product_id.uom_id.compare(over, 0) > 0:
                    rows.append((ml.product_id, ml.lot_id, over))
                    if ml.product_id.uom_id.compare(regular, 0) > 0:
                        ml.write(
                            {
                                "product_uom_id": ml.product_id.uom_id.id,
                                "quantity": regular,
                            }
                        )
                    else:
                        ml.unlink()
        for ml in strangers.move_line_ids.filtered(lambda m: m.picked and m.quantity):
            rows.append((ml.product_id, ml.lot_id, ml.quantity_product_uom))
        strangers.picked = False
        strangers._action_cancel()
        return rows

    def _reserve_lots(self):
        """Reserve the very lots that these draft moves' lines name, then confirm.

        Core would choose other lots of the product.

        :raise UserError: names the line that is short
        """
        for move in self:
            line = move.quality_return_line_id
            taken = sum(move.move_line_ids.mapped("quantity_product_uom"))
            if not move.move_line_ids:
                taken = move._reserve_exactly(line.lot_id)
            if move.product_id.uom_id.compare(taken, move.product_qty) < 0:
                raise UserError(
                    self.env._(
                        "%(line)s: %(wanted)g wanted, but only %(there)g of it lie "
                        "free in %(location)s.",
                        line=line.display_name,
                        wanted=move.product_qty,
                        there=taken,
                        location=move.location_id.display_name,
                    )
                )
        self._action_confirm(merge=False)

    def _come(self, line, pieces):
        """Let ``pieces`` of the line's lot be what this receipt brings."""
        self.ensure_one()
        lots = self.move_line_ids.lot_id or line.lot_id
        if (
            lots == line.lot_id
            and self.product_id.uom_id.compare(
                sum(self.move_line_ids.mapped("quantity_product_uom")), pieces
            )
            == 0
        ):
            return
        self.move_line_ids.unlink()
        self.write(
            line._prepare_lot_values(self.location_id, self.location_dest_id, pieces)
        )
        self.move_line_ids.picking_id = self.picking_id
