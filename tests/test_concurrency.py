import psycopg2.errors

from odoo import SUPERUSER_ID, api
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
