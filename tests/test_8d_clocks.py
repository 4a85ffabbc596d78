from odoo import fields
from odoo.tests import tagged

from .common import CRON_8D, CRON_EVENTS
from .test_8d import EightdCommon

CALL = "2026-03-10 01:00:00"


@tagged("post_install", "-at_install")
class Test8dClocks(EightdCommon):
    def test_due(self):
        with self._at(CALL):
            eightd = self._create_8d(called_at=CALL)
        self.assertEqual(
            eightd.due_3d, fields.Datetime.to_datetime("2026-03-11 01:00:00")
        )
        # Ten working days after Tuesday, in Changchun.
        self.assertEqual(
            eightd.due_8d, fields.Datetime.to_datetime("2026-03-24 15:59:59")
        )

    def test_settings_do_not_move_a_promise(self):
        eightd = self._create_8d(called_at=CALL)
        before = eightd.due_3d, eightd.due_8d
        self.site.write({"hours_3d": 48, "days_8d": 3})
        self.assertEqual((eightd.due_3d, eightd.due_8d), before)
        fresh = self._create_8d(called_at=CALL)
        self.assertNotEqual((fresh.due_3d, fresh.due_8d), before)

    def test_customer_s_holiday(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": self.calendar.id,
                "company_id": self.company_a.id,
                "date_from": "2026-03-15 16:00:00",
                "date_to": "2026-03-16 15:59:59",
            }
        )
        with self._at(CALL):
            eightd = self._create_8d(called_at=CALL)
        self.assertEqual(
            eightd.due_8d, fields.Datetime.to_datetime("2026-03-25 15:59:59")
        )

    def test_overdue(self):
        model = self.env["quality.8d"]
        with self._at(CALL):
            eightd = self._create_8d(called_at=CALL)
            self.assertFalse(eightd.is_overdue)
            self.assertNotIn(eightd, model.search([("is_overdue", "=", True)]))
        with self._at("2026-03-11 01:00:01"):
            eightd.invalidate_recordset(["is_overdue"])
            self.assertTrue(eightd.is_overdue)
            self.assertIn(eightd, model.search([("is_overdue", "=", True)]))
            self.assertNotIn(eightd, model.search([("is_overdue", "=", False)]))

    def test_leader_is_reminded_once(self):
        with self._at(CALL):
            eightd = self._create_8d(called_at=CALL)
        with self._at("2026-03-10 14:00:00"):
            self._run_cron(CRON_8D)
            self._run_cron(CRON_8D)
            self._run_cron(CRON_EVENTS)
        activities = eightd.sudo().activity_ids
        self.assertEqual(activities.user_id, self.resident)
        self.assertEqual(activities.mapped("resident_clock"), ["three_d"])
        with self._at("2026-03-11 01:01:00"):
            self._run_cron(CRON_8D)
            self._run_cron(CRON_EVENTS)
        eightd.invalidate_recordset()
        self.assertEqual(
            eightd.sudo().activity_ids.user_id, self.resident + self.manager
        )

    def test_sending_stops_the_clock(self):
        eightd = self._create_sent(complete=False)
        self.assertTrue(eightd.sent_3d_at)
        self.assertFalse(eightd.sent_8d_at)
        self.assertFalse(
            eightd.sudo().activity_ids.filtered(lambda a: a.resident_clock == "three_d")
        )
        full = self._create_sent()
        self.assertTrue(full.sent_8d_at)

    def test_a_3d_has_no_8d_clock(self):
        eightd = self._create_8d(called_at=CALL)
        eightd.complaint_ids.eightd_level = "3d"
        self.assertFalse(eightd._get_clock_moments("full"))
