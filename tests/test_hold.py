"""Doors out of where parts are held, each of them open in plain Odoo (spec.md S3)."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common import ResidentCommon


@tagged("post_install", "-at_install")
class TestHold(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site.action_set_up()
        cls.suspect = cls.site.suspect_location_id
        cls.rework = cls.site.rework_location_id
        cls.buffer = cls.site.buffer_location_id
        cls.loss = cls.env["stock.location"].search(
            [("usage", "=", "inventory"), ("company_id", "=", cls.company_a.id)],
            limit=1,
        )
        cls.product_lot = cls.env["product.product"].create(
            {"name": "Test rail", "is_storable": True, "tracking": "lot"}
        )
        cls.lot = cls.env["stock.lot"].create(
            {"name": "L-HELD", "product_id": cls.product_lot.id}
        )
        cls._stock(cls.suspect, 10)
        cls.stock_user = cls._new_user("stock_user", "stock.group_stock_user")
        cls.stock_manager = cls._new_user("stock_boss", "stock.group_stock_manager")
        cls.bare_admin = cls._new_user(
            "bare_admin", "base.group_system", "stock.group_stock_manager"
        )

    @classmethod
    def _new_user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login=login,
            groups=",".join(("base.group_user", *groups)),
            company_id=cls.company_a.id,
        )

    @classmethod
    def _stock(cls, location, quantity, lot=None):
        lot = lot or cls.lot
        cls.env["stock.quant"]._update_available_quantity(
            lot.product_id, location, quantity, lot_id=lot
        )

    def _get_there(self, location=None):
        return self.env["stock.quant"]._get_available_quantity(
            self.product_lot, location or self.suspect, lot_id=self.lot
        )

    def _get_held_quantity(self):
        quants = self.env["stock.quant"].search(
            [("location_id", "=", self.suspect.id), ("lot_id", "=", self.lot.id)]
        )
        return sum(quants.mapped("quantity"))

    def _try(self, door, *users):
        """Open ``door`` as each user; nothing may leave."""
        message = ""
        for user in users or (self.stock_user, self.stock_manager, self.bare_admin):
            with self.subTest(user=user.login):
                with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
                    door(user)
                self.env.invalidate_all()
                self.assertEqual(self._get_held_quantity(), 10)
                message = str(caught.exception)
        return message

    def _move(self, user, target, source=None, **values):
        return (
            self.env["stock.move"]
            .with_user(user)
            .create(
                {
                    "product_id": self.product_lot.id,
                    "product_uom_qty": 4,
                    "location_id": (source or self.suspect).id,
                    "location_dest_id": target.id,
                    "picked": True,
                    "move_line_ids": [
                        Command.create(
                            {
                                "product_id": self.product_lot.id,
                                "lot_id": self.lot.id,
                                "quantity": 4,
                                "location_id": (source or self.suspect).id,
                                "location_dest_id": target.id,
                            }
                        )
                    ],
                    **values,
                }
            )
        )

    def _scrap(self, user):
        return (
            self.env["stock.scrap"]
            .with_user(user)
            .create(
                {
                    "product_id": self.product_lot.id,
                    "lot_id": self.lot.id,
                    "scrap_qty": 4,
                    "location_id": self.suspect.id,
                }
            )
        )

    # === DOORS === #

    def test_scrap(self):
        message = self._try(lambda user: self._scrap(user).do_scrap())
        self.assertIn("Scrap Request", message)
        self.assertIn("L-HELD", message)

    def test_scrap_popup_for_too_little(self):
        def door(user):
            scrap = self._scrap(user)
            self.env["stock.warn.insufficient.qty.scrap"].with_user(user).create(
                {
                    "scrap_id": scrap.id,
                    "product_id": self.product_lot.id,
                    "location_id": self.suspect.id,
                    "quantity": 4,
                    "product_uom_name": "Units",
                }
            ).action_done()

        self._try(door)

    def test_raw_move_to_loss_and_production(self):
        production = self.env["stock.location"].search(
            [("usage", "=", "production"), ("company_id", "=", self.company_a.id)],
            limit=1,
        )
        for target in (self.loss, production, self.buffer):
            with self.subTest(target=target.name):
                self._try(
                    lambda user, target=target: self._move(user, target)._action_done()
                )

    def test_internal_transfer(self):
        picking_type = self.site.warehouse_id.int_type_id

        def door(user):
            picking = (
                self.env["stock.picking"]
                .with_user(user)
                .create(
                    {
                        "picking_type_id": picking_type.id,
                        "location_id": self.suspect.id,
                        "location_dest_id": self.site.warehouse_id.lot_stock_id.id,
                        "move_ids": [
                            Command.create(
                                {
                                    "product_id": self.product_lot.id,
                                    "product_uom_qty": 4,
                                    "location_id": self.suspect.id,
                                    "location_dest_id": (
                                        self.site.warehouse_id.lot_stock_id.id
                                    ),
                                }
                            )
                        ],
                    }
                )
            )
            picking.action_confirm()
            picking.action_assign()
            picking.button_validate()

        self._try(door)

    def test_inventory_adjustment_down(self):
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.suspect.id), ("lot_id", "=", self.lot.id)]
        )

        def door(user):
            mine = quant.with_user(user).with_context(inventory_mode=True)
            mine.inventory_quantity = 1
            mine.action_apply_inventory()

        self._try(door)

    def test_inventory_adjustment_up_is_free(self):
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.suspect.id), ("lot_id", "=", self.lot.id)]
        )
        mine = quant.with_user(self.stock_user).with_context(inventory_mode=True)
        mine.inventory_quantity = 12
        mine.action_apply_inventory()
        self.assertEqual(self._get_held_quantity(), 12)

    def test_quant_by_hand(self):
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.suspect.id), ("lot_id", "=", self.lot.id)]
        )
        for values in ({"quantity": 1}, {"location_id": self.buffer.id}):
            with self.subTest(values=values):
                self._try(
                    lambda user, values=values: quant.with_user(user).write(values)
                )

    def test_negative_quant(self):
        self._try(
            lambda user: (
                self.env["stock.quant"]
                .with_user(user)
                .create(
                    {
                        "product_id": self.product_lot.id,
                        "lot_id": self.lot.id,
                        "location_id": self.suspect.id,
                        "quantity": -4,
                    }
                )
            )
        )

    def test_relocate(self):
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.suspect.id), ("lot_id", "=", self.lot.id)]
        )
        self._try(
            lambda user: quant.with_user(user).move_quants(self.buffer),
            self.stock_manager,
            self.bare_admin,
        )

    def test_done_line(self):
        """A line that put parts under hold is not rewritten to take them out."""
        self._stock(self.buffer, 4)
        move = self._move(self.stock_user, self.suspect, source=self.buffer)
        move._action_done()
        line = move.move_line_ids
        self.assertEqual(self._get_held_quantity(), 14)
        for values in (
            {"quantity": 1},
            {"location_dest_id": self.loss.id},
            {"location_dest_id": self.buffer.id},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    line.with_user(self.stock_user).write(values)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            move.with_user(self.stock_user).quantity = 1
        self.env.invalidate_all()
        self.assertEqual(self._get_held_quantity(), 14)

    def test_done_line_redirected(self):
        """A done move elsewhere does not reach into the held location afterwards."""
        self._stock(self.buffer, 4)
        move = self._move(self.stock_user, self.loss, source=self.buffer)
        move._action_done()
        self._try(
            lambda user: move.with_user(user).move_line_ids.write(
                {"location_id": self.suspect.id}
            ),
        )

    def test_line_added_to_done_move(self):
        self._stock(self.buffer, 4)
        move = self._move(self.stock_user, self.loss, source=self.buffer)
        move._action_done()
        self._try(
            lambda user: (
                self.env["stock.move.line"]
                .with_user(user)
                .create(
                    {
                        "move_id": move.id,
                        "product_id": self.product_lot.id,
                        "lot_id": self.lot.id,
                        "quantity": 4,
                        "location_id": self.suspect.id,
                        "location_dest_id": self.loss.id,
                    }
                )
            )
        )

    def test_loss_below_held(self):
        """A loss location below a held one holds nothing."""
        trap = self.env["stock.location"].create(
            {
                "name": "Bin",
                "usage": "inventory",
                "location_id": self.suspect.id,
                "company_id": self.company_a.id,
            }
        )
        self._try(lambda user: self._move(user, trap)._action_done())

    def test_shelf_below_held(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.suspect.id}
        )
        self._move(self.stock_user, shelf)._action_done()
        self.assertEqual(self._get_there(shelf), 4, "held to held is free")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._move(self.stock_user, self.buffer, source=shelf)._action_done()
        with self.assertRaisesRegex(UserError, "Empty it first"):
            shelf.with_user(self.stock_manager).location_id = self.buffer

    def test_archived_configuration(self):
        self.site.active = False
        self._try(lambda user: self._move(user, self.loss)._action_done())

    def test_site_does_not_forget(self):
        for values in (
            {"suspect_location_id": False},
            {"suspect_location_id": self.buffer.id},
        ):
            with self.subTest(values=values):
                with self.assertRaisesRegex(UserError, "Empty it first"):
                    self.site.with_user(self.manager).write(values)
        with self.assertRaisesRegex(UserError, "Empty it first"):
            self.site.with_user(self.manager).unlink()

    def test_context_keys(self):
        for key in ("quality_workflow_gate", "is_scrap", "inventory_mode"):
            with self.subTest(key=key):
                self._try(
                    lambda user, key=key: (
                        self._move(user, self.loss)
                        .with_context(**{key: True})
                        ._action_done()
                    ),
                    self.stock_manager,
                )

    def test_return_wizard(self):
        """Core's return of a transfer into the held location is a way out as well."""
        self._stock(self.buffer, 4)
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": self.site.warehouse_id.int_type_id.id,
                "location_id": self.buffer.id,
                "location_dest_id": self.suspect.id,
            }
        )
        move = self._move(
            self.stock_user, self.suspect, source=self.buffer, picking_id=picking.id
        )
        picking.button_validate()
        self.assertEqual(move.state, "done")
        wizard = Form(
            self.env["stock.return.picking"].with_context(
                active_id=picking.id, active_model="stock.picking"
            )
        ).save()
        wizard.product_return_moves.quantity = 4
        back = self.env["stock.picking"].browse(
            wizard.action_create_returns()["res_id"]
        )
        back.action_assign()
        with self.assertRaises(UserError):
            back.with_user(self.stock_user).button_validate()

    # === WHAT STAYS FREE === #

    def test_free_locations_stay_free(self):
        self._stock(self.buffer, 4)
        self._move(self.stock_user, self.loss, source=self.buffer)._action_done()
        self.assertFalse(self._get_there(self.buffer))

    def test_held_to_held_is_free(self):
        self._move(self.stock_user, self.rework)._action_done()
        self.assertEqual(self._get_there(self.rework), 4)

    def test_search_held(self):
        held = self.env["stock.location"].search([("is_held", "=", True)])
        self.assertLessEqual(self.suspect + self.rework, held)
        self.assertNotIn(self.buffer, held)
        free = self.env["stock.location"].search([("is_held", "=", False)])
        self.assertFalse(free & held)
        self.assertIn(self.buffer, free)

    def test_delivery_costs_no_query(self):
        """The guard asks the database nothing about a transfer that is not held."""
        lines = self.env["stock.move.line"]
        self._stock(self.buffer, 8)
        for _number in range(2):
            move = self._move(self.stock_user, self.loss, source=self.buffer)
            lines |= move.move_line_ids
        # Core reads the lines and their locations itself.
        lines.mapped("location_id.usage")
        lines.mapped("location_dest_id.usage")
        lines.location_id._get_held_ids()
        with self.assertQueryCount(0):
            lines._check_release()
