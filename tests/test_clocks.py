from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import CRON_CLOCKS, ResidentCommon

# Tuesday, 9:00 in Changchun, on shift; no summer time there.
CALL = "2026-03-10 01:00:00"
DAY_OFF = "2026-03-14 01:00:00"
NIGHT_SHIFTS = ((0, 6), (22, 24))
CLOCK_LOG = "odoo.addons.quality_resident.models.resident_clock_mixin"


@tagged("post_install", "-at_install")
class TestClocks(ResidentCommon):
    def _create_called(self, called_at=CALL, now=None, **values):
        with self._at(now or called_at):
            return self._create_complaint(called_at=called_at, **values)

    def _get_minutes(self, called_at, **values):
        """Return the minutes allowed for a call at ``called_at`` (UTC)."""
        complaint = self._create_called(called_at, **values)
        allowed = complaint.arrival_deadline - complaint.called_at
        return allowed.total_seconds() / 60

    def _assert_minutes(self, expected, **values):
        for moment, minutes in expected.items():
            with self.subTest(moment=moment):
                self.assertEqual(self._get_minutes(moment, **values), minutes)

    # === ON SITE === #

    def test_shift_decides(self):
        self._assert_minutes(
            {
                CALL: 5,
                "2026-03-10 00:00:00": 5,  # 8:00:00, the shift begins
                "2026-03-09 23:59:59": 45,
                "2026-03-10 08:59:59": 5,
                "2026-03-10 09:00:00": 45,  # 17:00:00, the shift is over
                "2026-03-10 12:00:00": 45,
                DAY_OFF: 45,
            }
        )

    def test_minutes_are_the_site_s(self):
        self.site.write(
            {"arrival_minutes_on_shift": 12, "arrival_minutes_off_shift": 90}
        )
        self._assert_minutes({CALL: 12, DAY_OFF: 90})

    def test_the_caller_s_zone_and_language_do_not_count(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        for tz in ("America/New_York", "Pacific/Auckland", False):
            self.resident.write({"tz": tz, "lang": "zh_CN"})
            self._assert_minutes({CALL: 5, "2026-03-10 12:00:00": 45})

    def test_night_shift_over_midnight(self):
        self.site_de.calendar_id = self._create_calendar(
            "Night", "Europe/Berlin", NIGHT_SHIFTS, days="0123456"
        )
        self._assert_minutes(
            {
                "2026-03-10 20:59:59": 45,  # 21:59:59
                "2026-03-10 21:00:00": 5,  # 22:00:00
                "2026-03-10 22:58:00": 5,  # 23:58:00
                "2026-03-10 22:59:59": 5,  # 23:59:59
                "2026-03-10 23:00:00": 5,  # 0:00:00 the next day
                "2026-03-10 23:00:01": 5,
                "2026-03-11 04:59:59": 5,  # 5:59:59
                "2026-03-11 05:00:00": 45,  # 6:00:00
            },
            user=self.resident_de,
            site_id=self.site_de.id,
        )

    def test_night_shift_of_one_week_day(self):
        # Monday evening to Tuesday morning only: midnight changes the week day.
        calendar = self._create_calendar("Monday", "Asia/Shanghai", ((22, 24),), "0")
        calendar.attendance_ids = [
            fields.Command.create(
                {"name": "Tue", "dayofweek": "1", "hour_from": 0, "hour_to": 6}
            )
        ]
        self.site.calendar_id = calendar
        self._assert_minutes(
            {
                "2026-03-09 15:59:59": 5,  # Monday 23:59:59
                "2026-03-09 16:00:00": 5,  # Tuesday 0:00
                "2026-03-10 15:59:59": 45,  # Tuesday 23:59:59
                "2026-03-10 16:00:00": 45,  # Wednesday 0:00
            }
        )

    def test_summer_time_begins(self):
        # 29 March 2026: 2:00 becomes 3:00 in Berlin.
        self.site_de.calendar_id = self._create_calendar(
            "Night", "Europe/Berlin", NIGHT_SHIFTS, days="0123456"
        )
        self._assert_minutes(
            {
                "2026-03-28 04:59:59": 5,  # 5:59:59 winter time
                "2026-03-28 05:00:00": 45,
                "2026-03-28 20:59:59": 45,
                "2026-03-28 21:00:00": 5,  # 22:00:00 winter time
                "2026-03-29 00:59:59": 5,  # 1:59:59, the last second of winter
                "2026-03-29 01:00:00": 5,  # 3:00:00
                "2026-03-29 03:59:59": 5,  # 5:59:59 summer time
                "2026-03-29 04:00:00": 45,
                "2026-03-29 19:59:59": 45,
                "2026-03-29 20:00:00": 5,  # 22:00:00 summer time
            },
            user=self.resident_de,
            site_id=self.site_de.id,
        )

    def test_summer_time_ends(self):
        # 25 October 2026: 3:00 becomes 2:00, the hour is there twice.
        self.site_de.calendar_id = self._create_calendar(
            "Night", "Europe/Berlin", NIGHT_SHIFTS, days="0123456"
        )
        self._assert_minutes(
            {
                "2026-10-24 03:59:59": 5,  # 5:59:59 summer time
                "2026-10-24 04:00:00": 45,
                "2026-10-25 00:30:00": 5,  # 2:30 the first time
                "2026-10-25 01:30:00": 5,  # 2:30 the second time
                "2026-10-25 04:59:59": 5,  # 5:59:59 winter time
                "2026-10-25 05:00:00": 45,
                "2026-10-25 20:59:59": 45,
                "2026-10-25 21:00:00": 5,
            },
            user=self.resident_de,
            site_id=self.site_de.id,
        )

    def _create_leave(self, calendar):
        leave = self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "company_id": self.company_a.id,
                "calendar_id": calendar.id,
                "date_from": "2026-03-09 16:00:00",
                "date_to": "2026-03-10 15:59:59",
                "time_type": "leave",
            }
        )
        self.assertEqual(leave.calendar_id, calendar)
        self.assertFalse(leave.resource_id)

    def test_holiday_of_the_site(self):
        self._create_leave(self.calendar)
        self._assert_minutes({CALL: 45, "2026-03-11 01:00:00": 5})

    def test_holiday_of_our_own_company(self):
        # The customer works while we rest.
        self._create_leave(self.env["resource.calendar"])
        self._assert_minutes({CALL: 5})

    def test_holiday_of_another_site(self):
        self._create_leave(self.calendar_de)
        self._assert_minutes({CALL: 5})

    def test_many_calls_in_one_create(self):
        moments = [CALL, DAY_OFF, "2026-03-12 01:00:00", "2026-03-10 12:00:00"]
        with self._at("2026-03-20 00:00:00"):
            complaints = (
                self.env["quality.complaint"]
                .with_user(self.resident)
                .create([{"site_id": self.site.id, "called_at": at} for at in moments])
            )
        minutes = [
            (c.arrival_deadline - c.called_at).total_seconds() / 60 for c in complaints
        ]
        self.assertEqual(minutes, [5, 45, 5, 45])

    def test_arrival_statuses(self):
        for arrived, reason, expected in (
            ("2026-03-10 01:00:00", False, "on_time"),
            ("2026-03-10 01:05:00", False, "on_time"),
            ("2026-03-10 01:05:01", False, "late"),
            ("2026-03-10 01:05:01", {"late_reason": "Traffic"}, "excused"),
            ("2026-03-10 01:05:01", {"customer_told": "On my way"}, "excused"),
            ("2026-03-10 01:05:01", {"standin_id": self.standin.id}, "excused"),
            ("2026-03-10 01:05:00", {"late_reason": "Traffic"}, "on_time"),
        ):
            complaint = self._create_called()
            self.assertEqual(complaint.arrival_status, "pending")
            with self.subTest(arrived=arrived, reason=reason), self._at(arrived):
                complaint.action_arrive()
                complaint.write(reason or {})
                self.assertEqual(complaint.arrival_status, expected)

    def test_late_without_arriving(self):
        complaint = self._create_called()
        with self._at("2026-03-10 01:05:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(complaint.arrival_status, "late")
        complaint.customer_told = "Stuck at the gate"
        self.assertEqual(complaint.arrival_status, "excused")

    def test_standin_goes(self):
        complaint = self._create_called()
        self.assertEqual(complaint.resident_id, self.resident)
        with self._at("2026-03-10 01:03:00"):
            complaint.with_user(self.standin).action_arrive()
        self.assertEqual(complaint.standin_id, self.standin)
        self.assertEqual(complaint.arrival_status, "on_time")

    def test_late_feedback_is_blocked_until_explained(self):
        complaint = self._create_called(**self._get_feedback_values())
        with self._at("2026-03-10 01:06:00"):
            complaint.action_arrive()
            label = complaint._fields["late_reason"].string
            with self._assert_refused(label):
                complaint.action_send_feedback()
            self.assertFalse(complaint.feedback_sent_at)
            complaint.late_reason = "Gate closed"
            complaint.action_send_feedback()
        self.assertTrue(complaint.feedback_sent_at)

    def test_patrol_is_on_site_at_once(self):
        complaint = self._create_called(channel="patrol")
        self.assertRecordValues(
            complaint,
            [
                {
                    "arrived_at": fields.Datetime.to_datetime(CALL),
                    "arrival_status": "on_time",
                    "feedback_deadline": self._later(CALL, minutes=15),
                }
            ],
        )
        with self._at("2026-03-10 01:06:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertFalse(self._get_events(complaint, "late"))

    # === FEEDBACK === #

    def test_feedback_counts_from_the_arrival(self):
        self.site_de.feedback_minutes = 30
        for user, site, minutes in (
            (self.resident, self.site, 15),
            (self.resident_de, self.site_de, 30),
        ):
            complaint = self._create_called(user=user, site_id=site.id)
            self.assertFalse(complaint.feedback_deadline)
            with self._at("2026-03-10 01:04:00") as arrived:
                complaint.action_arrive()
            self.assertEqual(
                complaint.feedback_deadline, self._later(arrived, minutes=minutes)
            )

    def test_feedback_statuses(self):
        for sent, expected in (
            ("2026-03-10 01:19:00", "on_time"),
            ("2026-03-10 01:19:01", "late"),
        ):
            complaint = self._create_called(**self._get_feedback_values())
            with self._at("2026-03-10 01:04:00"):
                complaint.action_arrive()
            self.assertEqual(complaint.feedback_status, "pending")
            with self.subTest(sent=sent), self._at(sent):
                complaint.action_send_feedback()
                self.assertEqual(complaint.feedback_status, expected)

    def test_feedback_late_without_sending(self):
        complaint = self._create_called()
        with self._at("2026-03-10 01:04:00"):
            complaint.action_arrive()
        with self._at("2026-03-10 01:19:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(complaint.feedback_status, "late")

    # === CUSTOMER'S DUE DATE === #

    def test_due_until_the_end_of_the_day_at_the_site(self):
        chile = self._create_site(
            "TSTCL",
            calendar_id=self._create_calendar("CL", "America/Santiago").id,
        )
        for site, day, deadline in (
            (self.site, "2026-03-10", "2026-03-10 15:59:59"),
            (self.site_de, "2026-03-28", "2026-03-28 22:59:59"),
            (self.site_de, "2026-03-29", "2026-03-29 21:59:59"),
            (self.site_de, "2026-10-24", "2026-10-24 21:59:59"),
            (self.site_de, "2026-10-25", "2026-10-25 22:59:59"),
            # Summer time begins at midnight there: the day has no 24:00.
            (chile, "2026-09-05", "2026-09-06 03:59:59"),
        ):
            complaint = self._create_complaint(
                self.manager,
                site_id=site.id,
                called_at=CALL,
                customer_due_date=day,
            )
            with self.subTest(site=site.code, day=day):
                self.assertEqual(
                    complaint.due_deadline, fields.Datetime.to_datetime(deadline)
                )

    def test_overdue(self):
        complaint = self._create_called(customer_due_date="2026-03-10")
        overdue = [("is_overdue", "=", True), ("id", "=", complaint.id)]
        for moment, expected in (
            ("2026-03-10 15:59:59", False),
            ("2026-03-10 16:00:00", True),
        ):
            with self.subTest(moment=moment), self._at(moment):
                complaint.invalidate_recordset(["is_overdue"])
                self.assertEqual(complaint.is_overdue, expected)
                self.assertEqual(complaint.search_count(overdue), int(expected))
        complaint.with_user(self.manager).action_cancel(reason="Twice")
        self.assertFalse(complaint.is_overdue)
        self.assertFalse(complaint.search_count(overdue))

    # === ALERTS === #

    def _get_alerts(self, complaint, clock=None):
        """Return the alerts raised so far, in their order."""
        return [
            event.kind
            for event in self._get_events(complaint)
            if event.kind in ("half", "late", "escalated")
            and (not clock or event.key.startswith(f"{clock}@"))
        ]

    def test_each_alert_once(self):
        complaint = self._create_called()
        for moment, expected in (
            ("2026-03-10 01:02:29", []),
            ("2026-03-10 01:02:30", ["half"]),
            ("2026-03-10 01:04:59", ["half"]),
            ("2026-03-10 01:05:00", ["half", "late"]),
            ("2026-03-10 01:09:59", ["half", "late"]),
            ("2026-03-10 01:10:00", ["half", "late", "escalated"]),
            ("2026-03-11 01:10:00", ["half", "late", "escalated"]),
        ):
            with self.subTest(moment=moment), self._at(moment):
                self._run_cron(CRON_CLOCKS)
                self._run_cron(CRON_CLOCKS)
                self.assertEqual(self._get_alerts(complaint), expected)
        self.assertFalse(complaint.next_alert_at)

    def test_alerts_of_two_sites(self):
        both = self._create_called() + self._create_called(
            DAY_OFF, user=self.resident_de, site_id=self.site_de.id
        )
        both = both.sudo()
        with self._at("2026-03-14 01:44:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(both[0]), ["late", "escalated"])
        self.assertEqual(self._get_alerts(both[1]), ["half"])
        self.assertEqual(
            self._get_events(both[1]).filtered(lambda e: e.kind == "half").site_id,
            self.site_de,
        )

    def test_server_was_down(self):
        complaint = self._create_called()
        with self._at("2026-03-10 06:00:00"):
            self._run_cron(CRON_CLOCKS)
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint), ["late", "escalated"])
        self.assertEqual(complaint.arrival_status, "late")

    def test_server_was_down_for_a_moment(self):
        complaint = self._create_called()
        with self._at("2026-03-10 01:06:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint), ["late"])
        with self._at("2026-03-10 01:10:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint), ["late", "escalated"])

    def test_arriving_stops_the_clock(self):
        complaint = self._create_called()
        with self._at("2026-03-10 01:03:00"):
            self._run_cron(CRON_CLOCKS)
            complaint.action_arrive()
        with self._at("2026-03-10 01:10:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint, "arrival"), ["half"])

    def test_arriving_late_is_told_at_once(self):
        # The job had no time between the deadline and the arrival.
        complaint = self._create_called()
        with self._at("2026-03-10 01:05:30"):
            complaint.action_arrive()
        self.assertEqual(self._get_alerts(complaint), ["late"])
        with self._at("2026-03-10 01:11:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint, "arrival"), ["late"])

    def test_feedback_alerts(self):
        complaint = self._create_called(**self._get_feedback_values())
        with self._at("2026-03-10 01:00:00"):
            complaint.action_arrive()
        for moment, expected in (
            ("2026-03-10 01:07:29", []),
            ("2026-03-10 01:07:30", ["half"]),
            ("2026-03-10 01:15:00", ["half", "late"]),
            ("2026-03-10 01:30:00", ["half", "late", "escalated"]),
        ):
            with self.subTest(moment=moment), self._at(moment):
                self._run_cron(CRON_CLOCKS)
                self.assertEqual(self._get_alerts(complaint, "feedback"), expected)
        with self._at("2026-03-10 01:31:00"):
            complaint.action_send_feedback()
        self.assertEqual(len(self._get_alerts(complaint, "feedback")), 3)

    def test_closing_stops_all_clocks(self):
        for state in ("closed", "cancelled", "refused"):
            with self._at(CALL):
                complaint = self._create_in_state(
                    state, called_at=CALL, customer_due_date="2026-03-11"
                )
            with self.subTest(state=state):
                self.assertFalse(complaint.next_alert_at)
                with self._at("2026-03-20 00:00:00"):
                    self._run_cron(CRON_CLOCKS)
                self.assertEqual(self._get_alerts(complaint), [])

    def test_reopening_starts_them_again(self):
        with self._at(CALL):
            complaint = self._create_in_state(
                "closed", called_at=CALL, customer_due_date="2026-03-11"
            )
            complaint.with_user(self.manager).action_reopen(reason="Not proven")
        with self._at("2026-03-11 16:00:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint, "due"), ["late"])

    def test_due_date_before_the_call(self):
        """Judged by the day at the site, where 18:00 UTC is the next one."""
        with self._at("2026-03-10 18:00:00"):
            complaint = self._create_complaint()
            label = complaint._fields["customer_due_date"].string
            with self._assert_refused(label, error=ValidationError):
                complaint.customer_due_date = "2026-03-10"
            complaint.customer_due_date = "2026-03-11"
            with self._assert_refused(label, error=ValidationError):
                self._create_complaint(customer_due_date="2026-03-10")
            complaint.called_at = "2026-03-10 01:00:00"
            complaint.customer_due_date = "2026-03-10"

    def test_same_date_is_no_new_promise(self):
        complaint = self._create_called(customer_due_date="2026-03-11")
        with self._at("2026-03-11 17:00:00"):
            self._run_cron(CRON_CLOCKS)
            self.assertEqual(self._get_alerts(complaint, "due"), ["late"])
            level = complaint.due_alert
            complaint.customer_due_date = "2026-03-11"
            self.assertEqual(complaint.due_alert, level)
            complaint.customer_due_date = "2026-03-12"
            self.assertFalse(complaint.due_alert)

    def test_one_failure_does_not_stop_the_others(self):
        complaints = self._create_called() + self._create_called()
        bad, good = complaints
        clocks = type(complaints)
        raise_alerts = clocks._raise_clock_alerts

        def fail(records, *args):
            raise_alerts(records, *args)
            if bad in records:
                raise ValueError("No such calendar")

        with (
            self._at("2026-03-10 01:05:00"),
            patch.object(clocks, "_raise_clock_alerts", fail),
            self.assertLogs(CLOCK_LOG, "WARNING") as log,
        ):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(len(log.records), 1)
        self.assertIn(str(bad), log.output[0])
        self.assertIn("No such calendar", log.output[0])
        self.assertEqual(self._get_alerts(good), ["late"])
        self.assertEqual(self._get_alerts(bad), [])
        with self._at("2026-03-10 01:06:00"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(bad), ["late"])

    def test_due_alerts_and_a_new_date(self):
        complaint = self._create_called(
            channel="patrol",
            customer_due_date="2026-03-11",
            **self._get_feedback_values(),
        )
        with self._at(CALL):
            complaint.action_send_feedback()
        with self._at("2026-03-11 15:59:59"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint, "due"), ["late"])
        with self._at("2026-03-11 17:00:00"):
            complaint.customer_due_date = "2026-03-16"
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint, "due"), ["late"])
        with self._at("2026-03-16 16:00:00"):
            self._run_cron(CRON_CLOCKS)
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint, "due").count("late"), 2)
        # The general manager hears of it a day after the deadline.
        with self._at("2026-03-17 15:59:58"):
            self._run_cron(CRON_CLOCKS)
        self.assertNotIn("escalated", self._get_alerts(complaint, "due"))
        with self._at("2026-03-17 15:59:59"):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(self._get_alerts(complaint, "due").count("escalated"), 1)

    def test_more_than_one_batch(self):
        with self._at(CALL):
            self.env["quality.complaint"].with_user(self.resident).create(
                [{"site_id": self.site.id, "called_at": CALL}] * 3
            )
        many = self.env["quality.complaint"].search([("site_id", "=", self.site.id)])
        path = "odoo.addons.quality_resident.models.resident_clock_mixin.CRON_BATCH"
        with self._at("2026-03-10 01:05:00"), patch(path, 2):
            self._run_cron(CRON_CLOCKS)
        self.assertEqual(len(self._get_events(many, "late")), 3)

    # === WHAT THE CLOCKS REST ON === #

    def test_call_in_the_future(self):
        with self._at(CALL):
            # A phone's clock may be a little fast.
            complaint = self._create_complaint(called_at="2026-03-10 01:04:00")
            with self._assert_refused("future", error=ValidationError):
                complaint.with_user(self.manager).called_at = "2026-03-10 01:06:00"
            with self._assert_refused("future", error=ValidationError):
                self._create_complaint(called_at="2026-03-10 01:06:00")

    def test_call_corrected_before_the_arrival(self):
        complaint = self._create_called()
        with self._at("2026-03-10 01:01:00"):
            complaint.called_at = "2026-03-10 00:58:00"
        self.assertEqual(
            complaint.arrival_deadline,
            fields.Datetime.to_datetime("2026-03-10 01:03:00"),
        )

    def test_call_and_site_fixed_after_the_arrival(self):
        complaint = self._create_called()
        with self._at("2026-03-10 01:02:00"):
            complaint.action_arrive()
            boss = complaint.with_user(self.manager)
            for values in (
                {"called_at": "2026-03-10 00:30:00"},
                {"site_id": self.site_de.id, "part_id": False, "place_id": False},
            ):
                with (
                    self.subTest(values=values),
                    self._assert_refused(complaint.name),
                ):
                    boss.write(values)
            # The web client may send what has not changed.
            boss.write({"called_at": CALL, "site_id": self.site.id})
        self.assertEqual(complaint.called_at, fields.Datetime.to_datetime(CALL))
        self.assertEqual(complaint.site_id, self.site)

    def test_calendar_changed_later(self):
        """Deadlines are promises: what the site changes holds for new calls."""
        complaint = self._create_called()
        deadline = complaint.arrival_deadline
        self.site.arrival_minutes_on_shift = 60
        self.site.calendar_id = self.calendar_de
        complaint.invalidate_recordset()
        self.assertEqual(complaint.arrival_deadline, deadline)
