import threading

import psycopg2.errors

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestTwoAtOnce(BaseCase):
    """Two real transactions, committed: what no test within one can show."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = Registry(get_db_name())
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            customer = env["res.partner"].create({"name": "Two at Once"})
            site = env["resident.site"].create(
                {"name": "Twice", "code": "TWICE", "partner_id": customer.id}
            )
            site.action_set_up()
            product = env["product.product"].create({"name": "Twice"})
            defect = env["quality.defect"].create({"name": "Twice", "code": "TWICE"})
            cls.values = {
                "site_id": site.id,
                "product_id": product.id,
                "defect_id": defect.id,
                "place_id": site.place_ids[0].id,
                "problem_type": "quality",
                "quantity": 1,
                "description": "x",
                "suspect_area": "x",
                "interim_measure": "x",
                "breakpoint_note": "x",
                "talk_result": "x",
            }
            cls.leftovers = (site.place_ids, site, defect, product, customer)
        cls.addClassCleanup(cls._remove_leftovers)

    @classmethod
    def _remove_leftovers(cls):
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            cr.execute(
                "DELETE FROM quality_complaint WHERE site_id = %s",
                [cls.values["site_id"]],
            )
            for records in cls.leftovers:
                records.with_env(env).unlink()

    def _create(self, env):
        photo = env["ir.attachment"].create({"name": "x.jpg", "raw": b"x"})
        return env["quality.complaint"].create({**self.values, "photo_ids": [photo.id]})

    def _count_events(self, complaint_id):
        with self.pool.cursor() as cr:
            cr.execute(
                "SELECT kind, count(*) FROM resident_event WHERE res_id = %s "
                "AND res_model = 'quality.complaint' GROUP BY kind",
                [complaint_id],
            )
            return dict(cr.fetchall())

    def test_two_people_send_the_same_form(self):
        with self.pool.cursor() as cr:
            complaint = self._create(api.Environment(cr, SUPERUSER_ID, {}))
            complaint.action_arrive()
            complaint_id = complaint.id
        with self.pool.cursor() as first, self.pool.cursor() as second:
            mine, theirs = (
                api.Environment(cr, SUPERUSER_ID, {})["quality.complaint"].browse(
                    complaint_id
                )
                for cr in (first, second)
            )
            self.assertEqual(theirs.state, "new", "the other one has the form open")
            mine.action_send_feedback()
            first.commit()
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.SerializationFailure),
            ):
                theirs.action_send_feedback()
                theirs.env.flush_all()
            second.rollback()
            # Odoo then runs the call again, on what is there now.
            theirs.env.invalidate_all()
            theirs.action_send_feedback()
            second.commit()
        self.assertEqual(self._count_events(complaint_id), {"new": 1, "feedback": 1})

    def test_two_residents_report_the_same_defect(self):
        with self.pool.cursor() as first, self.pool.cursor() as second:
            environments = [
                api.Environment(cr, SUPERUSER_ID, {}) for cr in (first, second)
            ]
            one, two = [self._create(env) for env in environments]
            self.assertNotIn(one.id, two.twin_ids.ids, "not committed yet")
            first.commit()
            second.commit()
            for env in environments:
                env.invalidate_all()
            self.assertNotEqual(one.name, two.name)
            self.assertIn(two.id, one.twin_ids.ids)
            self.assertIn(one.id, two.twin_ids.ids)

    def test_two_jobs_process_each_event_once(self):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            cr.execute("UPDATE resident_event SET state = 'done'")
            self._create(env)
            self._create(env)
        with self.pool.cursor() as first, self.pool.cursor() as second:
            mine, theirs = (
                api.Environment(cr, SUPERUSER_ID, {})["resident.event"]._lock_next()
                for cr in (first, second)
            )
            self.assertTrue(mine and theirs)
            self.assertNotEqual(mine.id, theirs.id)
            third = mine.env["resident.event"]._lock_next()
            self.assertNotEqual(third.id, theirs.id, "held by the other job")


@tagged("post_install", "-at_install")
class TestTwoSorters(BaseCase):
    """Two residents sort the same lot at once: never more moves than lay there."""

    LIES_THERE = 10

    def setUp(self):
        super().setUp()
        self.pool = Registry(get_db_name())
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            customer = env["res.partner"].create({"name": "Two Sorters"})
            site = env["resident.site"].create(
                {"name": "Sorters", "code": "SORTERS", "partner_id": customer.id}
            )
            site.action_set_up()
            product = env["product.product"].create(
                {"name": "Sorted", "is_storable": True, "tracking": "lot"}
            )
            lot = env["stock.lot"].create({"name": "L7", "product_id": product.id})
            env["stock.quant"]._update_available_quantity(
                product, site.buffer_location_id, self.LIES_THERE, lot_id=lot
            )
            complaints = env["quality.complaint"].create(
                [{"site_id": site.id, "product_id": product.id}] * 2
            )
            complaints.action_open_containment()
            buffer = site.place_ids.filtered(lambda p: p.kind == "buffer")
            sortings = complaints.inspection_ids.filtered(
                lambda i: i.place_id == buffer
            )
            self.sorting_ids = sortings.ids
            self.site_id, self.product_id, self.lot_id = site.id, product.id, lot.id
            self.buffer_location_id = site.buffer_location_id.id
            self.customer_id = customer.id
        self.addCleanup(self._remove_leftovers)

    def _remove_leftovers(self):
        with self.pool.cursor() as cr:
            for table, column, value in (
                ("quality_sorting", "product_id", self.product_id),
                ("qc_inspection", "product_id", self.product_id),
                ("quality_complaint", "product_id", self.product_id),
                ("stock_move_line", "product_id", self.product_id),
                ("stock_move", "product_id", self.product_id),
                ("stock_quant", "product_id", self.product_id),
            ):
                cr.execute(f"DELETE FROM {table} WHERE {column} = %s", [value])
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["stock.lot"].browse(self.lot_id).unlink()
            env["product.product"].browse(self.product_id).unlink()
            site = env["resident.site"].browse(self.site_id)
            site.place_ids.unlink()
            site.unlink()
            env["res.partner"].browse(self.customer_id).unlink()

    def _count(self, cr, sorting_id, quantity):
        env = api.Environment(cr, SUPERUSER_ID, {})
        env["quality.sorting"].create(
            {
                "inspection_id": sorting_id,
                "lot_id": self.lot_id,
                "qty_suspect": quantity,
            }
        )
        env.flush_all()

    def _count_as_a_request(self, sorting_id, quantity, outcome):
        """Count in a request of its own, tried again as Odoo does."""
        for _attempt in range(3):
            with self.pool.cursor() as cr:
                try:
                    self._count(cr, sorting_id, quantity)
                    cr.commit()  # pylint: disable=invalid-commit
                    outcome.append("counted")
                    return
                except UserError as error:
                    cr.rollback()
                    outcome.append(str(error))
                    return
                except psycopg2.OperationalError:
                    cr.rollback()

    def _sort_at_once(self, first_id, second_id, quantity):
        """Return what came of the second count, begun before the first is committed."""
        outcome = []
        second = threading.Thread(
            target=self._count_as_a_request, args=(second_id, quantity, outcome)
        )
        with mute_logger("odoo.sql_db"):
            with self.pool.cursor() as cr:
                self._count(cr, first_id, quantity)
                second.start()
                # It waits for the first, or has already been through.
                second.join(1)
                cr.commit()  # pylint: disable=invalid-commit
            second.join(20)
        self.assertFalse(second.is_alive(), "waits for ever")
        (result,) = outcome
        return result

    def _get_quantities(self):
        """Return what lies in the buffer, and the smallest quant anywhere."""
        with self.pool.cursor() as cr:
            cr.execute(
                """SELECT sum(quantity) FILTER (WHERE location_id = %s), min(quantity)
                FROM stock_quant WHERE product_id = %s""",
                [self.buffer_location_id, self.product_id],
            )
            return cr.fetchone()

    def test_same_sorting(self):
        result = self._sort_at_once(self.sorting_ids[0], self.sorting_ids[0], 8)
        self.assertIn("L7", result)
        self.assertEqual(self._get_quantities(), (2, 2))

    def test_two_complaints_at_the_same_place(self):
        result = self._sort_at_once(*self.sorting_ids, 8)
        self.assertIn("L7", result)
        self.assertEqual(self._get_quantities(), (2, 2))

    def test_both_fit(self):
        result = self._sort_at_once(*self.sorting_ids, 4)
        self.assertEqual(result, "counted")
        self.assertEqual(self._get_quantities()[0], 2)
        with self.pool.cursor() as cr:
            cr.execute(
                "SELECT sum(qty_suspect) FROM qc_inspection WHERE product_id = %s",
                [self.product_id],
            )
            self.assertEqual(cr.fetchone(), (8,))

    def test_screen_was_open(self):
        """The second one looked before the first one counted."""
        with self.pool.cursor() as first, self.pool.cursor() as second:
            second.execute("SELECT 1 FROM qc_inspection LIMIT 1")
            self._count(first, self.sorting_ids[0], 8)
            first.commit()
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.SerializationFailure),
            ):
                self._count(second, self.sorting_ids[1], 8)
            second.rollback()
        self.assertEqual(self._get_quantities()[0], 2)


@tagged("post_install", "-at_install")
class TestTwoRecalls(BaseCase):
    """Two people open the containment at another site at once: one complaint."""

    def setUp(self):
        super().setUp()
        self.pool = Registry(get_db_name())
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            customers = env["res.partner"].create(
                [{"name": f"Two Recalls {n}"} for n in range(2)]
            )
            sites = env["resident.site"].create(
                [
                    {"name": customer.name, "code": code, "partner_id": customer.id}
                    for customer, code in zip(customers, ("RC1", "RC2"), strict=True)
                ]
            )
            sites.action_set_up()
            product = env["product.product"].create(
                {"name": "Recalled", "is_storable": True, "tracking": "lot"}
            )
            lot = env["stock.lot"].create({"name": "L7", "product_id": product.id})
            env["stock.quant"]._update_available_quantity(
                product, sites[1].buffer_location_id, 5, lot_id=lot
            )
            complaints = env["quality.complaint"].create(
                [
                    {
                        "site_id": sites[0].id,
                        "product_id": product.id,
                        "lot_ids": [Command.set(lot.ids)],
                    }
                ]
                * 2
            )
            self.complaint_ids, self.site_ids = complaints.ids, sites.ids
            self.leftovers = (lot, product, sites.place_ids, sites, customers)
        self.addCleanup(self._remove_leftovers)

    def _remove_leftovers(self):
        with self.pool.cursor() as cr:
            for table, column in (
                ("qc_inspection", "site_id"),
                ("quality_complaint", "site_id"),
            ):
                cr.execute(
                    f"DELETE FROM {table} WHERE {column} IN %s", [tuple(self.site_ids)]
                )
            env = api.Environment(cr, SUPERUSER_ID, {})
            lot = self.leftovers[0]
            cr.execute("DELETE FROM stock_quant WHERE lot_id = %s", [lot.id])
            for records in self.leftovers:
                records.with_env(env).unlink()

    def _recall(self, cr, complaint_id):
        env = api.Environment(cr, SUPERUSER_ID, {})
        domain, context = env["quality.complaint"].browse(complaint_id)._get_elsewhere()
        rows = env["quality.trace"].with_context(**context).search(domain)
        rows.action_open_containment()
        env.flush_all()

    def _recall_as_a_request(self, complaint_id):
        """Recall in a request of its own, tried again as Odoo does."""
        for _attempt in range(3):
            with self.pool.cursor() as cr:
                try:
                    self._recall(cr, complaint_id)
                    cr.commit()  # pylint: disable=invalid-commit
                    return
                except psycopg2.OperationalError:
                    cr.rollback()

    def _recall_at_once(self, first_id, second_id):
        """Return how many complaints and sortings the other site has then."""
        second = threading.Thread(target=self._recall_as_a_request, args=(second_id,))
        with mute_logger("odoo.sql_db"):
            with self.pool.cursor() as cr:
                self._recall(cr, first_id)
                second.start()
                # It waits for the first.
                second.join(1)
                self.assertTrue(second.is_alive())
                cr.commit()  # pylint: disable=invalid-commit
            second.join(20)
        self.assertFalse(second.is_alive(), "waits for ever")
        with self.pool.cursor() as cr:
            cr.execute(
                """SELECT count(DISTINCT complaint.id), count(DISTINCT sorting.id),
                    count(DISTINCT place.id)
                FROM quality_complaint complaint
                JOIN qc_inspection sorting ON sorting.complaint_id = complaint.id
                JOIN resident_place place ON place.site_id = complaint.site_id
                WHERE complaint.site_id = %s""",
                [self.site_ids[1]],
            )
            complaints, sortings, places = cr.fetchone()
        self.assertEqual(sortings, places)
        return complaints

    def test_same_complaint(self):
        first, _second = self.complaint_ids
        self.assertEqual(self._recall_at_once(first, first), 1)

    def test_two_complaints_about_the_lot(self):
        self.assertEqual(self._recall_at_once(*self.complaint_ids), 1)
