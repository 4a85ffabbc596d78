import threading

import psycopg2

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

LIES_THERE = 10


@tagged("post_install", "-at_install")
class TestTwoReturns(BaseCase):
    """Two real transactions: never two pick-ups, never more than lies there."""

    def setUp(self):
        super().setUp()
        self.pool = Registry(get_db_name())
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            customer = env["res.partner"].create({"name": "Two Returns"})
            site = env["resident.site"].create(
                {"name": "Returns", "code": "RETURNS", "partner_id": customer.id}
            )
            site.action_set_up()
            lots, serials = env["product.product"].create(
                [
                    {"name": name, "is_storable": True, "tracking": name}
                    for name in ("lot", "serial")
                ]
            )
            lot, serial = env["stock.lot"].create(
                [
                    {"name": "L7", "product_id": lots.id},
                    {"name": "S1", "product_id": serials.id},
                ]
            )
            for part, quantity in ((lot, LIES_THERE), (serial, 1)):
                env["stock.quant"]._update_available_quantity(
                    part.product_id, site.suspect_location_id, quantity, lot_id=part
                )
            self.lot_id, self.serial_id = lot.id, serial.id
            self.product_ids = (lots + serials).ids
            self.site_id, self.customer_id = site.id, customer.id
        self.addCleanup(self._remove_leftovers)

    def _remove_leftovers(self):
        with self.pool.cursor() as cr:
            products = tuple(self.product_ids)
            cr.execute(
                "SELECT DISTINCT picking_id FROM stock_move WHERE product_id IN %s "
                "AND picking_id IS NOT NULL",
                [products],
            )
            pickings = tuple(row[0] for row in cr.fetchall()) or (0,)
            for table, column, value in (
                ("stock_move_line", "product_id", products),
                ("stock_move", "product_id", products),
                ("stock_picking", "id", pickings),
                ("stock_quant", "product_id", products),
                ("quality_return", "site_id", (self.site_id,)),
            ):
                cr.execute(f"DELETE FROM {table} WHERE {column} IN %s", [value])
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["stock.lot"].browse((self.lot_id, self.serial_id)).unlink()
            env["product.product"].browse(self.product_ids).unlink()
            site = env["resident.site"].browse(self.site_id)
            site.place_ids.unlink()
            site.unlink()
            env["res.partner"].browse(self.customer_id).unlink()

    def _create(self, cr, lot_id, quantity=LIES_THERE):
        env = api.Environment(cr, SUPERUSER_ID, {})
        lot = env["stock.lot"].browse(lot_id)
        document = env["quality.return"].create(
            {
                "site_id": self.site_id,
                "reason": "x",
                "line_ids": [
                    Command.create(
                        {
                            "product_id": lot.product_id.id,
                            "lot_id": lot_id,
                            "quantity": quantity,
                        }
                    )
                ],
            }
        )
        env.flush_all()
        return document

    def _request(self, *quantities):
        """Return the ids of committed requests of so many pieces of the lot."""
        with self.pool.cursor() as cr:
            documents = [self._create(cr, self.lot_id, q) for q in quantities]
            for document in documents:
                document.action_request()
            return [document.id for document in documents]

    def _approve(self, cr, document_id):
        env = api.Environment(cr, SUPERUSER_ID, {})
        env["quality.return"].browse(document_id).action_approve()
        env.flush_all()

    def _as_a_request(self, call, outcome):
        """Call in a request of its own, tried again as Odoo does."""
        for _attempt in range(3):
            with self.pool.cursor() as cr:
                try:
                    call(cr)
                    cr.commit()  # pylint: disable=invalid-commit
                    outcome.append("done")
                    return
                except UserError as error:
                    cr.rollback()
                    outcome.append(str(error))
                    return
                except psycopg2.OperationalError:
                    cr.rollback()
                except psycopg2.IntegrityError as error:
                    cr.rollback()
                    outcome.append(str(error))
                    return

    def _at_once(self, first, second):
        """Return what came of ``second``, begun before ``first`` is committed."""
        outcome = []
        thread = threading.Thread(target=self._as_a_request, args=(second, outcome))
        with mute_logger("odoo.sql_db"):
            with self.pool.cursor() as cr:
                first(cr)
                thread.start()
                # It waits for the first, or has already been through.
                thread.join(1)
                cr.commit()  # pylint: disable=invalid-commit
            thread.join(20)
        self.assertFalse(thread.is_alive(), "waits for ever")
        (result,) = outcome
        return result

    def test_two_approve_the_same(self):
        (document_id,) = self._request(LIES_THERE)
        result = self._at_once(
            lambda cr: self._approve(cr, document_id),
            lambda cr: self._approve(cr, document_id),
        )
        self.assertEqual(result, "done", "approved already: nothing to do")
        with self.pool.cursor() as cr:
            cr.execute(
                "SELECT count(*), sum(product_uom_qty) FROM stock_move "
                "WHERE product_id IN %s",
                [tuple(self.product_ids)],
            )
            self.assertEqual(cr.fetchone(), (1, LIES_THERE))

    def test_one_serial_on_two_returns(self):
        result = self._at_once(
            lambda cr: self._create(cr, self.serial_id, 1),
            lambda cr: self._create(cr, self.serial_id, 1),
        )
        self.assertTrue("open_serial" in result or "S1" in result, result)
        with self.pool.cursor() as cr:
            cr.execute(
                "SELECT count(*) FROM quality_return_line WHERE lot_id = %s",
                [self.serial_id],
            )
            self.assertEqual(cr.fetchone(), (1,))
