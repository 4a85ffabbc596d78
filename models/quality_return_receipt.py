from odoo import models
from odoo.exceptions import AccessError, UserError

from .quality_return_actions import HOME


class QualityReturn(models.Model):
    """What came home: as sent, too many, too few, another lot (R1)."""

    _inherit = "quality.return"

    def _receive(self, rows):
        """Book what has come.

        :param rows: ``[(product, lot, pieces in the product's unit)]``
        :raise UserError: nothing came, or nothing has been picked up
        """
        self.ensure_one()
        self._ensure_receivable()
        rows = [row for row in rows if row[0].uom_id.compare(row[2], 0) > 0]
        if not rows:
            raise UserError(
                self.env._("%(name)s: enter how many came.", name=self.name)
            )
        # Taking in is for Quality and the manager, who need no right on stock; booked
        # is what they counted.
        document_sudo = self.sudo()
        coming, over = document_sudo._plan_receipt(rows)
        if not coming and not over:
            return
        moves_sudo = document_sudo._put_on_receipts(coming)
        if over:
            moves_sudo |= document_sudo._create_differences(
                over, moves_sudo.picking_id[:1]
            )
        moves_sudo.picking_id.with_context(cancel_backorder=False)._action_done()

    def _ensure_receivable(self):
        if not (
            self.env.su
            or self._has_one_group(HOME)
            or self.env.user.has_group("stock.group_stock_user")
        ):
            raise AccessError(
                self.env._(
                    "Quality, the manager or a stock user receives returned parts."
                )
            )
        self.check_access("read")
        if self.state not in ("in_transit", "received", "judged"):
            raise UserError(
                self.env._("%(name)s: nothing has been picked up yet.", name=self.name)
            )

    def _plan_receipt(self, rows):
        """Tell what came as sent from what came besides.

        :return: ``({line: pieces}, [(product, lot, pieces)])``
        """
        coming, over = {}, []
        for product, lot, pieces in rows:
            for line in self.line_ids.filtered(
                lambda li, product=product, lot=lot: (
                    li.product_id == product and li.lot_id == lot
                )
            ):
                on_way = line._get_pieces(line.qty_in_transit) - coming.get(line, 0)
                regular = min(max(on_way, 0), pieces)
                if product.uom_id.compare(regular, 0) > 0:
                    coming[line] = coming.get(line, 0) + regular
                    pieces -= regular
            if product.uom_id.compare(pieces, 0) > 0:
                over.append((product, lot, pieces))
        return coming, over

    def _put_on_receipts(self, coming):
        """Set ``{line: pieces}`` on the receipts that wait for them.

        :return: the moves, ready to be done
        """
        moves = self.env["stock.move"]
        unplanned = []
        waiting = self.line_ids.move_ids.filtered(
            lambda m: (
                m.quality_return_step == "receipt" and m.state not in ("done", "cancel")
            )
        ).grouped("quality_return_line_id")
        for line, pieces in coming.items():
            for move in waiting.get(line, moves):
                part = min(move.product_qty, pieces)
                if line.product_id.uom_id.compare(part, 0) > 0:
                    move._come(line, part)
                    moves |= move
                    pieces -= part
            if line.product_id.uom_id.compare(pieces, 0) > 0:
                unplanned.append((line, pieces))
        if unplanned:
            moves |= self._create_moves_at_home(
                [
                    {
                        **line._prepare_move_values(
                            "receipt", transit, line.site_id.return_location_id, pieces
                        ),
                        **line._prepare_lot_values(
                            transit, line.site_id.return_location_id, pieces
                        ),
                    }
                    for line, pieces in unplanned
                    for transit in line.site_id.transit_location_id
                ],
                moves.picking_id[:1],
            )
        moves.picked = True
        return moves

    def _create_moves_at_home(self, vals_list, picking):
        """Create moves of receipt, on ``picking`` or on a transfer of their own."""
        self.ensure_one()
        if not picking:
            values = self._prepare_receipt_values(vals_list)
            return self._create_pickings([values]).move_ids
        # Who receives for the return need not have stock rights.
        moves = self.env["stock.move"].with_env(self._with_gate().sudo().env)
        moves = moves.create(
            [
                {
                    **vals,
                    "picking_id": picking.id,
                    "picking_type_id": picking.picking_type_id.id,
                }
                for vals in vals_list
            ]
        )
        moves.move_line_ids.picking_id = picking
        return moves.with_env(self.env)

    # === DIFFERENCES === #

    def _create_differences(self, rows, picking):
        """Make the moves of what nobody sent, from where it truly lay.

        :param rows: ``[(product, lot, pieces)]``
        :return: the moves, ready to be done
        """
        self.ensure_one()
        home = self.site_id.return_location_id
        vals_list = []
        coming, over = self._plan_receipt_of_others(rows)
        for line, pieces in coming.items():
            transit = self.site_id.transit_location_id
            vals_list.append(
                {
                    **line._prepare_move_values("receipt", transit, home, pieces),
                    **line._prepare_lot_values(transit, home, pieces),
                }
            )
        for product, lot, pieces in over:
            line, source = self._get_difference_line(product, lot, pieces)
            vals_list.append(
                {
                    **line._prepare_move_values("extra", source, home, pieces),
                    **line._prepare_lot_values(source, home, pieces),
                }
            )
        moves = self._create_moves_at_home(vals_list, picking)
        moves.picked = True
        return moves

    def _plan_receipt_of_others(self, rows):
        """Tell what other lines wait for, apart from receipts just being done."""
        busy = self.line_ids.move_ids.filtered(
            lambda m: (
                m.quality_return_step == "receipt"
                and m.picked
                and m.state not in ("done", "cancel")
            )
        ).quality_return_line_id
        coming, over = self._plan_receipt(rows)
        for line in list(coming):
            if line in busy:
                over.append((line.product_id, line.lot_id, coming.pop(line)))
        return coming, over

    def _get_difference_line(self, product, lot, pieces):
        """Return the line that ``pieces`` of a lot belong to, and where they lay."""
        line = self.line_ids.filtered(
            lambda li: li.product_id == product and li.lot_id == lot
        )[:1]
        source = self._find_source(line, product, lot, pieces)
        if not line:
            line = self.line_ids._with_gate().create(
                {
                    "return_id": self.id,
                    "product_id": product.id,
                    "lot_id": lot.id,
                    "quantity": 0,
                    "uom_id": product.uom_id.id,
                    "location_id": source.id,
                }
            )
        return line.with_env(self.env), source

    def _find_source(self, line, product, lot, pieces):
        """Return where ``pieces`` of a lot lay: our stock at the site, else his."""
        site = self.site_id
        places = line.location_id | site._get_return_sources()
        own = places.filtered(
            lambda p: p.usage != "customer" and p != site.transit_location_id
        )
        for place in own:
            free = self.env["stock.quant"]._get_available_quantity(
                product, place, lot_id=lot, strict=False
            )
            if product.uom_id.compare(free, pieces) >= 0:
                return place
        return site._get_customer_location()

    def action_settle(self, reason=None):
        """Settle differences, saying why: what never came is back where it lay.

        :param str reason: kept on the record and in its history
        """
        self.check_access("write")
        if not (
            self.env.su or self.env.user.has_group("quality_resident.group_manager")
        ):
            raise AccessError(
                self.env._("Only the customer service manager settles differences.")
            )
        reason = str(reason or "").strip()
        if not reason:
            raise UserError(
                self.env._(
                    "Say why: a reason is needed for %(names)s.",
                    names=", ".join(self.mapped("name")),
                )
            )
        for document in self:
            if not document.has_difference and not document.qty_in_transit:
                raise UserError(
                    self.env._("%(name)s has no difference.", name=document.name)
                )
        # The manager decides, he needs no right on stock.
        documents_sudo = self.sudo()
        lines_sudo = documents_sudo.line_ids
        for line in lines_sudo:
            if line.qty_difference > 0:
                line._with_gate().difference_settled += line.qty_difference
        lines_sudo._write_back()
        self._write_protected({"difference_reason": reason})
        self._message_log_batch({document.id: reason for document in self})
        documents_sudo._follow_stock()
        return True


class QualityReturnLine(models.Model):
    _inherit = "quality.return.line"

    def _write_back(self):
        """Book what was picked up and never came to where it lay; expect it no more."""
        missing = self.filtered(lambda li: li.uom_id.compare(li.qty_in_transit, 0) > 0)
        missing.move_ids.filtered(
            lambda m: (
                m.quality_return_step in ("pickup", "receipt")
                and m.state not in ("done", "cancel")
            )
        )._action_cancel()
        # Who receives for the return need not have stock rights.
        moves = self.env["stock.move"].with_env(self._with_gate().sudo().env)
        moves._move_exactly(
            [
                {
                    **line._prepare_move_values(
                        "settled",
                        line.site_id.transit_location_id,
                        line.location_id,
                        line._get_pieces(line.qty_in_transit),
                    ),
                    "lot_id": line.lot_id.id,
                }
                for line in missing
            ]
        )
