"""Doors out of where parts are held that a return opens, or seems to (spec.md S3)."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_return import ReturnCommon


@tagged("post_install", "-at_install")
class TestReturnForged(ReturnCommon):
    def _validate(self, picking, **context):
        picking.with_user(self.stock_user).with_context(
            skip_backorder=True, **context
        ).button_validate()

    def _judge(self, document, judgement, quantity):
        return (
            self.env["quality.return.judgement"]
            .with_user(self.quality)
            .create(
                {
                    "line_id": document.line_ids[0].id,
                    "judgement": judgement,
                    "quantity": quantity,
                }
            )
        )

    def _move(self, source, target, quantity, **values):
        """Move parts as a stock user does who asks nobody."""
        moves = self.env["stock.move"].with_user(self.stock_user)
        move = moves.create(
            {
                "product_id": self.in_lots.id,
                "product_uom_qty": quantity,
                "location_id": source.id,
                "location_dest_id": target.id,
                "picked": True,
                "move_line_ids": [
                    Command.create(
                        {
                            "product_id": self.in_lots.id,
                            "lot_id": self.lot.id,
                            "quantity": quantity,
                            "location_id": source.id,
                            "location_dest_id": target.id,
                        }
                    )
                ],
                **values,
            }
        )
        move._action_done()
        return move

    # === WHAT IS COUNTED === #

    def test_totals_are_set_by_nobody(self):
        """What was shipped or judged is told by moves, never typed."""
        document = self._bring("approved")
        for user in (self.resident, self.quality, self.manager, self.root):
            line = document.with_user(user).line_ids
            for name in ("qty_shipped", "qty_received", "qty_judged", "qty_open"):
                with self.subTest(user=user.login, name=name):
                    with self._assert_refused("cannot be set directly"):
                        line[name] = -10
            with self._assert_refused("cannot be set directly"):
                line.is_sold = True

    def test_done_stays_done(self):
        """A pick-up made undone would leave once more."""
        self._put(self.suspect, 10, self.lot, self.in_lots)
        document = self._bring("in_transit")
        pickup = document.sudo().line_ids.move_ids.filtered(
            lambda m: m.quality_return_step == "pickup"
        )
        for state in ("assigned", "draft", "cancel"):
            with self.subTest(state=state), self._assert_refused("stays as it was"):
                pickup.with_user(self.stock_user).write({"state": state})

    def test_done_is_not_claimed(self):
        """A receipt is done by what came, not by saying so."""
        document = self._bring("in_transit")
        receipt = self._get_open_moves(document, "receipt")
        with self._assert_refused("set by the document itself"):
            receipt.with_user(self.stock_user).write({"state": "done"})

    def test_personal_defaults_forge_no_link(self):
        document = self._bring("approved")
        defaults = self.env["ir.default"].with_user(self.stock_user)
        defaults.set(
            "stock.move", "quality_return_line_id", document.line_ids.id, user_id=True
        )
        defaults.set("stock.move", "quality_return_step", "pickup", user_id=True)
        with self.assertRaises(UserError):
            self._move(self.suspect, self.transit, 10)

    # === ON THE WAY === #

    def test_parts_on_the_way_are_held(self):
        document = self._bring("in_transit")
        for target in (self.stock, self.customers, self._get_loss()):
            with self.subTest(target=target.name):
                with self._assert_refused("on the way", document.name):
                    self._move(self.transit, target, 4)

    def test_what_else_lies_in_transit_is_free(self):
        self._bring("in_transit")
        self._put(self.transit, 3, self.lot, self.in_lots)
        self._move(self.transit, self.stock, 3)
        with self._assert_refused("on the way"):
            self._move(self.transit, self.stock, 1)

    def test_scrap_button_and_adjustment_on_the_way(self):
        self._bring("in_transit")
        scrap = (
            self.env["stock.scrap"]
            .with_user(self.stock_user)
            .create(
                {
                    "product_id": self.in_lots.id,
                    "lot_id": self.lot.id,
                    "scrap_qty": 4,
                    "location_id": self.transit.id,
                }
            )
        )
        with self._assert_refused("on the way"):
            scrap.do_scrap()
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.transit.id), ("lot_id", "=", self.lot.id)]
        )
        quant = quant.with_user(self.stock_user).with_context(inventory_mode=True)
        quant.inventory_quantity = 4
        with self._assert_refused("on the way"):
            quant.action_apply_inventory()

    def test_done_line_takes_nothing_on_the_way(self):
        """Less came into transit than was said: what is left is the return's."""
        self._put(self.stock, 3, self.lot, self.in_lots)
        came = self._move(self.stock, self.transit, 3)
        self._bring("in_transit")
        self._move(self.transit, self.stock, 2)
        with self._assert_refused("on the way"):
            came.move_line_ids.with_user(self.stock_user).quantity = 0

    def test_quant_on_the_way_by_hand(self):
        self._bring("in_transit")
        boss = self._create_stock_user("stock_boss", "stock.group_stock_manager")
        quants = self.env["stock.quant"].with_user(boss)
        quant = quants.search(
            [("location_id", "=", self.transit.id), ("lot_id", "=", self.lot.id)]
        )
        for values in ({"quantity": 4}, {"location_id": self.stock.id}):
            with self.subTest(values=values), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    quant.write(values)

    def test_shelf_leaves_with_nothing_on_the_way(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "usage": "transit", "location_id": self.transit.id}
        )
        self._put(shelf, 3, self.lot, self.in_lots)
        self._bring("in_transit")
        self._move(self.transit, shelf, 8)
        boss = self._create_stock_user("stock_boss", "stock.group_stock_manager")
        with self._assert_refused("on the way"), self.env.cr.savepoint():
            shelf.with_user(boss).location_id = self.stock.location_id
        self._move(shelf, self.transit, 8)
        shelf.with_user(boss).location_id = self.stock.location_id

    def _get_loss(self):
        return self.env["stock.location"].search(
            [("usage", "=", "inventory"), ("company_id", "=", self.company_a.id)],
            limit=1,
        )

    def test_locations_stay_while_parts_are_on_the_way(self):
        """The manager could lead approved parts anywhere."""
        for state in ("approved", "in_transit"):
            with self._rolled_back():
                self._bring(state)
                site = self.site.with_user(self.manager)
                for name in ("transit_location_id", "return_location_id"):
                    for value in (self.stock.id, False):
                        with self.subTest(state=state, name=name):
                            with self._assert_refused("on the way"):
                                site[name] = value

    def test_pickup_takes_nothing_besides(self):
        document = self._bring("approved")
        pickup = document.sudo().picking_ids
        self.env["stock.move"].with_user(self.stock_user).create(
            {
                "product_id": self.in_lots.id,
                "product_uom_qty": 2,
                "location_id": self.buffer.id,
                "location_dest_id": self.transit.id,
                "picking_id": pickup.id,
                "move_line_ids": [
                    Command.create(
                        {
                            "product_id": self.in_lots.id,
                            "lot_id": self.lot_2.id,
                            "quantity": 2,
                            "location_id": self.buffer.id,
                            "location_dest_id": self.transit.id,
                            "picking_id": pickup.id,
                        }
                    )
                ],
            }
        )
        with self._assert_refused(document.name, "another return"):
            self._validate(pickup)

    # === RECEIPT === #

    def test_unpicked_lines_have_not_come(self):
        lines = [
            {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 10},
            {"product_id": self.in_lots.id, "lot_id": self.lot_2.id, "quantity": 5},
        ]
        document = self._bring("in_transit", lines=lines)
        receipt = self._get_open_moves(document, "receipt")
        move = receipt.filtered(lambda m: m.move_line_ids.lot_id == self.lot)
        # Scanned: six of ten, on a line of their own.
        move.move_line_ids.quantity = 6
        move.move_line_ids.copy({"quantity": 7, "picked": False})
        receipt.picked = False
        move.move_line_ids[0].picked = True
        self._validate(move.picking_id)
        self.assertEqual(
            [(li.qty_received, li.qty_difference) for li in document.line_ids],
            [(6, -4), (0, 0)],
        )
        self.assertEqual(self._get_stock(self.home, self.lot, self.in_lots), 6)

    # === VERDICTS === #

    def test_verdict_takes_what_was_judged(self):
        """Not as many of the same lot from where nobody has judged them."""
        document = self._bring("received")
        self._put(self.suspect, 3, self.lot, self.in_lots)
        picking = self._judge(document, "rework", 3).sudo().move_ids.picking_id
        picking.move_line_ids.location_id = self.suspect
        with self._assert_refused("held"):
            self._validate(picking)

    def test_verdict_in_parts_takes_no_more(self):
        """The demand of what has left may be changed, its quantity counts."""
        document = self._bring("received")
        first = self._judge(document, "rework", 6).sudo().move_ids
        first.quantity = 4
        self._validate(first.picking_id)
        first.with_user(self.stock_user).product_uom_qty = 0
        rest = self._get_open_moves(document, "verdict")
        rest.quantity = 6
        with self._assert_refused("held"):
            self._validate(rest.picking_id)

    def test_no_number_is_no_quantity(self):
        """JSON knows NaN and Infinity; they would compare as no more than came."""
        document = self._bring("received")
        for quantity, error in (("nan", ValueError), ("inf", OverflowError)):
            with self.subTest(quantity=quantity), self.assertRaises(error):
                with self.env.cr.savepoint():
                    self._judge(document, "stock", float(quantity))

    def test_line_of_another_product(self):
        """A pick-up's lines may name another product than its move."""
        held, sent = self.env["product.product"].create(
            [{"name": name, "is_storable": True} for name in ("Held", "Sent")]
        )
        for product in held | sent:
            self._put(self.suspect, 4, product=product)
        document = self._bring("approved", lines=[{"product_id": sent.id}])
        pickup = document.sudo().picking_ids.with_user(self.stock_user)
        with self.assertRaises(UserError):
            pickup.move_line_ids.product_id = held
            self._validate(pickup)
            self.assertEqual(self._get_stock(self.suspect, product=held), 4)
