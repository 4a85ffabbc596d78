from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .test_return import ReturnCommon


@tagged("post_install", "-at_install")
class TestReturnStock(ReturnCommon):
    def _get_receipt(self, document):
        return self._get_open_moves(document, "receipt").picking_id

    def _validate(self, picking, **context):
        """Validate a transfer as a stock user does, with a backorder for the rest."""
        picking = picking.with_user(self.stock_user).with_context(
            skip_backorder=True, **context
        )
        picking.button_validate()

    # === PARTLY === #

    def test_six_of_ten_then_five(self):
        document = self._bring("in_transit")
        line = document.line_ids
        home = document.with_user(self.quality)
        home._receive([(self.in_lots, self.lot, 6)])
        self.assertRecordValues(
            line, [{"qty_received": 6, "qty_in_transit": 4, "qty_difference": -4}]
        )
        self.assertEqual(document.state, "in_transit")
        # One more than was sent: it still lay in the suspect area.
        self._put(self.suspect, 1, self.lot, self.in_lots)
        home._receive([(self.in_lots, self.lot, 5)])
        self.assertRecordValues(
            line, [{"qty_received": 11, "qty_in_transit": 0, "qty_difference": 1}]
        )
        self.assertEqual(document.state, "received")
        for place, there in ((self.suspect, 0), (self.transit, 0), (self.home, 11)):
            self.assertEqual(self._get_stock(place, self.lot, self.in_lots), there)
        self._judge_all(home)
        with self._assert_refused("difference of +1"):
            home.action_close()
        with self.assertRaises(AccessError):
            home.action_settle(reason="One too many")
        boss = document.with_user(self.manager)
        with self._assert_refused("reason"):
            boss.action_settle()
        boss.action_settle(reason="One too many in the box")
        home.action_close()
        self.assertEqual(document.difference_reason, "One too many in the box")

    def test_the_rest_never_comes(self):
        document = self._bring("in_transit")
        document.with_user(self.quality)._receive([(self.in_lots, self.lot, 6)])
        document.with_user(self.manager).action_settle(reason="Stayed on the dock")
        self.assertEqual(document.state, "received")
        self.assertEqual(document.line_ids.qty_in_transit, 0)
        for place, there in ((self.suspect, 4), (self.transit, 0), (self.home, 6)):
            self.assertEqual(self._get_stock(place, self.lot, self.in_lots), there)
        self.assertFalse(self._get_open_moves(document, "receipt"))
        self._judge_all(document.with_user(self.quality))
        document.with_user(self.quality).action_close()

    def test_too_many_from_nowhere_of_ours(self):
        """What lies at no place of ours was with the customer."""
        document = self._bring("in_transit")
        document.with_user(self.quality)._receive([(self.in_lots, self.lot, 12)])
        self.assertEqual(self._get_stock(self.home, self.lot, self.in_lots), 12)
        self.assertEqual(self._get_stock(self.suspect, self.lot, self.in_lots), 0)
        self.assertEqual(self._get_stock(self.customers, self.lot, self.in_lots), -2)

    def test_wrong_lot(self):
        """The other lot is booked from where it lay, the sent one stays missing."""
        document = self._bring("in_transit")
        document.with_user(self.quality)._receive(
            [(self.in_lots, self.lot, 9), (self.in_lots, self.lot_2, 1)]
        )
        sent, other = document.line_ids.sorted("id")
        self.assertRecordValues(
            sent + other,
            [
                {"lot_id": self.lot.id, "qty_received": 9, "qty_difference": -1},
                {"lot_id": self.lot_2.id, "qty_received": 1, "qty_difference": 1},
            ],
        )
        self.assertEqual(other.quantity, 0)
        self.assertEqual(other.location_id, self.buffer)
        self.assertEqual(self._get_stock(self.buffer, self.lot_2, self.in_lots), 4)
        self.assertEqual(self._get_stock(self.transit, self.lot, self.in_lots), 1)
        self.assertEqual(self._get_stock(self.transit, self.lot_2, self.in_lots), 0)

    def test_dialogue(self):
        document = self._bring("in_transit").with_user(self.quality)
        dialogue = Form(
            self.env["quality.return.receive"]
            .with_user(self.quality)
            .with_context(active_id=document.id)
        )
        with dialogue.line_ids.edit(0) as line:
            self.assertEqual(line.qty_expected, 10)
            line.qty_came = 6
        with dialogue.line_ids.new() as line:
            line.product_id = self.in_lots
            line.lot_id = self.lot_2
            line.qty_came = 2
        dialogue = dialogue.save()
        dialogue.action_apply()
        with self._assert_refused("received meanwhile"):
            dialogue.action_apply()
        self.assertEqual(document.line_ids.sorted("id").mapped("qty_received"), [6, 2])

    def test_who_receives(self):
        document = self._bring("in_transit")
        for user in (
            self.resident,
            self.sales,
            self.gm,
            self.outsider,
            self.quality_de,
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                document.with_user(user)._receive([(self.in_lots, self.lot, 1)])
        with self._assert_refused("enter how many came"):
            document.with_user(self.quality)._receive([(self.in_lots, self.lot, 0)])
        early = self._create_return(
            lines=[{"product_id": self.in_lots.id, "lot_id": self.lot_2.id}]
        )
        with self._assert_refused("nothing has been picked up"):
            early.with_user(self.manager)._receive([(self.in_lots, self.lot_2, 1)])

    # === THE STOCK APP === #

    def test_stock_app(self):
        """The return follows transfers that a stock user validates."""
        document = self._bring("approved")
        self._validate(document.sudo().picking_ids)
        self.assertEqual(document.state, "in_transit")
        self._validate(self._get_receipt(document))
        self.assertEqual(document.state, "received")
        self.assertEqual(document.line_ids.qty_received, 10)

    def test_stock_app_partly(self):
        document = self._bring("approved")
        pickup = document.sudo().picking_ids
        pickup.move_ids.quantity = 7
        self._validate(pickup)
        self.assertEqual(document.line_ids.qty_shipped, 7)
        receipt = self._get_receipt(document)
        receipt.move_ids.quantity = 3
        self._validate(receipt)
        self.assertRecordValues(
            document.line_ids,
            [{"qty_shipped": 7, "qty_received": 3, "qty_in_transit": 4}],
        )
        self.assertEqual(document.state, "in_transit")
        document.action_ship()
        self.assertEqual(document.line_ids.qty_shipped, 10)
        self._receive_all(document.with_user(self.quality))
        self.assertEqual(document.state, "received")
        self.assertEqual(self._get_stock(self.transit, self.lot, self.in_lots), 0)

    def test_stock_app_too_many_and_wrong_lot(self):
        document = self._bring("in_transit")
        self._put(self.suspect, 1, self.lot, self.in_lots)
        receipt = self._get_receipt(document)
        move = receipt.move_ids
        move.with_user(self.stock_user).move_line_ids.quantity = 11
        self.env["stock.move.line"].with_user(self.stock_user).create(
            {
                "picking_id": receipt.id,
                "move_id": move.id,
                "product_id": self.in_lots.id,
                "lot_id": self.lot_2.id,
                "quantity": 2,
                "location_id": self.transit.id,
                "location_dest_id": self.home.id,
            }
        )
        self._validate(receipt)
        self.assertEqual(document.line_ids.sorted("id").mapped("qty_received"), [11, 2])
        for lot in (self.lot, self.lot_2):
            self.assertEqual(self._get_stock(self.transit, lot, self.in_lots), 0)
        self.assertEqual(self._get_stock(self.buffer, self.lot_2, self.in_lots), 3)
        self.assertEqual(document.state, "received")

    def test_stock_app_foreign_product(self):
        document = self._bring("in_transit")
        receipt = self._get_receipt(document)
        self._put(self.buffer, 4, None, self.product)
        self.env["stock.move"].with_user(self.stock_user).create(
            {
                "picking_id": receipt.id,
                "product_id": self.product.id,
                "product_uom_qty": 4,
                "quantity": 4,
                "location_id": self.transit.id,
                "location_dest_id": self.home.id,
            }
        )
        receipt.move_ids.picked = True
        self._validate(receipt)
        self.assertEqual(self._get_stock(self.transit), 0)
        self.assertEqual(self._get_stock(self.buffer), 0)
        self.assertEqual(self._get_stock(self.home), 4)
        self.assertEqual(document.line_ids[1:].qty_received, 4)

    def test_stock_app_cannot_take_more_than_approved(self):
        self._put(self.suspect, 5, self.lot, self.in_lots)
        document = self._bring("approved")
        pickup = document.sudo().picking_ids
        pickup.move_ids.quantity = 12
        with self._assert_refused("approved are 10", "another return"):
            self._validate(pickup)

    def test_two_pickups_together_take_no_more_than_approved(self):
        lot = self._create_lot("L9", self.in_lots)
        for quantity in (4, 6):
            self._deliver(self.in_lots, lot, quantity)
        document = self._bring(
            "approved",
            lines=[{"product_id": self.in_lots.id, "lot_id": lot.id, "quantity": 7}],
        )
        pickups = document.sudo().picking_ids
        pickups.move_ids.quantity = 4
        with self._assert_refused("approved are 7"):
            self._validate(pickups)

    def test_stock_app_cannot_take_another_lot(self):
        document = self._bring("approved")
        self._put(self.suspect, 5, self.lot_2, self.in_lots)
        pickup = document.sudo().picking_ids
        pickup.move_line_ids.lot_id = self.lot_2
        with self._assert_refused("approved are 10"):
            self._validate(pickup)

    def test_held_parts_leave_by_no_other_way(self):
        """An approved pick-up opens the hold for its own way only."""
        document = self._bring("approved")
        pickup = document.sudo().picking_ids
        pickup.move_line_ids.location_dest_id = self.stock
        with self.assertRaises(UserError):
            self._validate(pickup)
        document.with_user(self.manager).action_cancel(reason="x")
        self.assertEqual(self._get_stock(self.suspect, self.lot, self.in_lots), 10)

    def test_receipt_goes_to_the_returned_parts(self):
        document = self._bring("in_transit")
        receipt = self._get_receipt(document)
        receipt.move_line_ids.location_dest_id = self.stock
        with self._assert_refused("until Quality has judged it"):
            self._validate(receipt)

    def test_cancelled_receipt(self):
        """The parts stay on the way; they can be received all the same."""
        document = self._bring("in_transit")
        self._get_receipt(document).with_user(self.stock_user).action_cancel()
        self.assertEqual(document.state, "in_transit")
        self._receive_all(document.with_user(self.quality))
        self.assertEqual(document.state, "received")
        self.assertEqual(self._get_stock(self.transit, self.lot, self.in_lots), 0)

    def test_transfers_know_their_return(self):
        document = self._bring("in_transit")
        pickings = document.sudo().picking_ids
        self.assertEqual(len(pickings), 2)
        self.assertEqual(pickings.quality_return_id, document)
        self.assertEqual(
            self.env["stock.picking"].search([("quality_return_id", "=", document.id)]),
            pickings,
        )
        self.assertEqual(
            pickings[0].action_view_quality_return()["res_id"], document.id
        )

    # === FORGING === #

    def test_links_cannot_be_forged(self):
        document = self._bring("approved")
        line = document.line_ids
        values = {
            "product_id": self.in_lots.id,
            "product_uom_qty": 1,
            "location_id": self.suspect.id,
            "location_dest_id": self.stock.id,
        }
        moves = self.env["stock.move"]
        for user in (self.stock_user, self.admin, self.root):
            for forged in (
                {"quality_return_line_id": line.id},
                {"quality_return_step": "pickup"},
                {"quality_judgement_id": 1},
            ):
                model = moves.with_user(user) if user == self.stock_user else moves
                with self.subTest(user=user.login, forged=forged):
                    with self._assert_refused("set by the document itself"):
                        model.create({**values, **forged})
        move = moves.with_user(self.stock_user).create(values)
        with self._assert_refused("set by the document itself"):
            move.quality_return_line_id = line
        default = moves.with_user(self.stock_user).with_context(
            default_quality_return_line_id=line.id,
            default_quality_return_step="pickup",
            quality_workflow_gate=True,
        )
        self.assertFalse(default.create(values).quality_return_line_id)
        with self._assert_refused("set by the document itself"):
            document.sudo().picking_ids.move_ids.quality_return_line_id = False
        copied = document.sudo().picking_ids.with_user(self.stock_user).copy()
        self.assertFalse(copied.move_ids.quality_return_line_id)

    # === SOLD PARTS === #

    def test_sold_parts(self):
        lot = self._create_lot("L9", self.in_lots)
        delivery = self._deliver(self.in_lots, lot, 8)
        lines = [{"product_id": self.in_lots.id, "lot_id": lot.id, "quantity": 9}]
        document = self._create_return(lines=lines)
        self.assertTrue(document.line_ids.is_sold)
        self.assertEqual(document.line_ids.location_id, self.customers)
        with self._assert_refused("L9", "only 8", "delivered"):
            document.action_request()
        document.line_ids.quantity = 5
        document.action_request()
        document.with_user(self.quality).action_approve()
        pickup = document.sudo().picking_ids
        self.assertEqual(pickup.return_id, delivery)
        self.assertEqual(delivery.return_count, 1)
        self.assertEqual(pickup.move_ids.origin_returned_move_id, delivery.move_ids)
        if "to_refund" in pickup.move_ids:
            self.assertFalse(pickup.move_ids.to_refund)
        document.action_ship()
        self.assertEqual(self._get_stock(self.customers, lot, self.in_lots), 3)
        self._receive_all(document.with_user(self.quality))
        self.assertEqual(self._get_stock(self.home, lot, self.in_lots), 5)
        again = self._create_return(lines=lines)
        with self._assert_refused("L9", "only 3"):
            again.action_request()

    def test_sold_in_two_deliveries(self):
        lot = self._create_lot("L9", self.in_lots)
        first, second = (self._deliver(self.in_lots, lot, n) for n in (4, 6))
        document = self._create_return(
            lines=[{"product_id": self.in_lots.id, "lot_id": lot.id, "quantity": 7}]
        )
        document.action_request()
        document.with_user(self.quality).action_approve()
        self.assertEqual(
            {
                (p.return_id, p.move_ids.product_uom_qty)
                for p in document.sudo().picking_ids
            },
            {(first, 4), (second, 3)},
        )
        document.action_ship()
        self._receive_all(document.with_user(self.quality))
        self.assertEqual(document.state, "received")
        self.assertEqual(document.line_ids.qty_received, 7)

    def test_delivered_to_somebody_else(self):
        other = self.env["res.partner"].create({"name": "Other Motors"})
        lot = self._create_lot("L9", self.in_lots)
        self._deliver(self.in_lots, lot, 8, partner=other)
        document = self._create_return(
            lines=[{"product_id": self.in_lots.id, "lot_id": lot.id}]
        )
        with self._assert_refused("only 0"):
            document.action_request()

    def test_both_sources_in_one_return(self):
        lot = self._create_lot("L9", self.in_lots)
        self._deliver(self.in_lots, lot, 8)
        document = self._bring(
            "approved",
            lines=[
                {"product_id": self.in_lots.id, "lot_id": lot.id, "quantity": 2},
                {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 2},
                {"product_id": self.in_serials.id, "lot_id": self.serial.id},
            ],
        )
        self.assertEqual(len(document.sudo().picking_ids), 2)
        document.action_ship()
        self.assertEqual(len(self._get_receipt(document)), 1)
        self._receive_all(document.with_user(self.quality))
        self.assertEqual(document.state, "received")

    def test_other_unit(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.in_lots.uom_ids = [Command.link(dozen.id)]
        self._put(self.suspect, 14, self.lot, self.in_lots)
        document = self._bring(
            "received",
            lines=[
                {
                    "product_id": self.in_lots.id,
                    "lot_id": self.lot.id,
                    "quantity": 2,
                    "uom_id": dozen.id,
                }
            ],
        )
        self.assertEqual(self._get_stock(self.home, self.lot, self.in_lots), 24)
        self.assertEqual(document.line_ids.qty_received, 2)
