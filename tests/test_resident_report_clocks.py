from datetime import date, datetime

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import freeze_time

from .common import SmtpCatcher
from .test_resident_report import ReportCommon

CRON_MAKE = "quality_resident.ir_cron_make_reports"
CRON_ALERTS = "quality_resident.ir_cron_report_alerts"


@tagged("post_install", "-at_install")
class TestReportClocks(SmtpCatcher, ReportCommon):
    def _get_made(self, site=None, kind="daily"):
        self.env.flush_all()
        return self.reports.search(
            [("site_id", "=", (site or self.site).id), ("kind", "=", kind)],
            order="date_from",
        )

    def _at(self, moment):
        """Run both jobs at ``moment`` (UTC)."""
        with freeze_time(moment):
            self._run_cron(CRON_MAKE)
            self._run_cron(CRON_ALERTS)

    def _make_others(self):
        """Make what the job makes besides daily reports, and tell nobody."""
        self._at("2026-03-10 04:00:00")
        self.env.cr.execute("UPDATE resident_event SET state = 'done'")
        self.env.invalidate_all()

    def test_daily_report_of_a_streak(self):
        self._make_others()
        self._start_streak(self.site)
        self._at("2026-03-10 07:29:00")
        self.assertFalse(self._get_made())
        self._at("2026-03-10 07:30:00")
        self._at("2026-03-10 07:31:00")
        report = self._get_made()
        self.assertRecordValues(
            report, [{"state": "due", "due_at": datetime(2026, 3, 10, 7, 30)}]
        )
        self.assertEqual(report.user_id, self.resident)
        self._send_mails()
        self.assertEqual(len(self._get_received(self.resident)), 1)
        self.assertEqual(report.activity_ids.user_id, self.resident)
        self._at("2026-03-10 07:44:00")
        self.assertEqual(report.state, "due")
        self._at("2026-03-10 07:45:00")
        self._at("2026-03-10 07:46:00")
        self.assertEqual(report.state, "missed")
        self._send_mails()
        self._send_mails()
        self.assertEqual(len(self._get_received(self.manager)), 1)
        with freeze_time("2026-03-10 09:00:00"):
            report.with_user(self.resident).action_send()
        self.assertRecordValues(report, [{"state": "sent", "is_late": True}])
        self.assertFalse(report.activity_ids)
        self._send_mails()
        self.assertEqual(len(self._get_received(self.quality)), 1)
        self.assertEqual(len(self._get_received(self.sales)), 1)
        (mail,) = self._get_received(self.quality)
        self.assertTrue(list(mail.iter_attachments()))

    def test_no_streak_no_daily_report(self):
        self._at("2026-03-10 09:00:00")
        self.assertFalse(self._get_made())

    def test_sent_in_time_is_not_missed(self):
        self._start_streak(self.site)
        self._at("2026-03-10 07:30:00")
        report = self._get_made()
        with freeze_time("2026-03-10 07:40:00"):
            report.with_user(self.resident).action_send()
        self._at("2026-03-10 07:50:00")
        self.assertRecordValues(report, [{"state": "sent", "is_late": False}])
        self.assertFalse(self._get_events(report, "report_missed"))

    def test_sent_before_its_hour(self):
        self._start_streak(self.site)
        with freeze_time("2026-03-10 06:00:00"):
            report = self._create_report()
            report.with_user(self.resident).action_send()
        self._at("2026-03-10 07:50:00")
        self.assertEqual(self._get_made(), report)
        self.assertEqual(report.state, "sent")

    def test_made_by_hand_just_before_the_job(self):
        self._start_streak(self.site)
        with freeze_time("2026-03-10 07:31:00"):
            report = self._create_report()
        self._at("2026-03-10 07:45:00")
        self.assertEqual(report.state, "missed")
        with freeze_time("2026-03-11 09:00:00"):
            forgotten = self._create_report(date_from="2026-03-09")
        self.assertFalse(forgotten.due_at)

    def test_made_by_hand_before_the_job_came_back(self):
        """The server was down: that the hour is over is the job's to say."""
        self._start_streak(self.site)
        with freeze_time("2026-03-10 08:09:00"):
            report = self._create_report()
            report.with_user(self.resident).action_send()
        self._at("2026-03-10 08:10:00")
        self.assertEqual(self._get_made(), report)
        self.assertRecordValues(
            report,
            [
                {
                    "due_at": datetime(2026, 3, 10, 7, 30),
                    "state": "sent",
                    "is_late": True,
                }
            ],
        )
        self.assertEqual(len(self._get_events(report, "report_missed")), 1)

    def test_sent_late_before_the_job_saw_it(self):
        self._start_streak(self.site)
        self._at("2026-03-10 07:30:00")
        report = self._get_made()
        with freeze_time("2026-03-10 07:46:00"):
            report.with_user(self.resident).action_send()
        self._at("2026-03-10 07:50:00")
        self.assertTrue(report.is_late)
        self.assertEqual(len(self._get_events(report, "report_missed")), 1)

    def test_server_down_over_the_hour(self):
        self._start_streak(self.site)
        self._at("2026-03-10 07:20:00")
        self._at("2026-03-10 08:10:00")
        self._at("2026-03-10 08:15:00")
        report = self._get_made()
        self.assertRecordValues(
            report, [{"state": "missed", "due_at": datetime(2026, 3, 10, 7, 30)}]
        )
        self.assertEqual(len(self._get_events(report, "report_missed")), 1)

    def test_server_down_for_two_days(self):
        self._start_streak(self.site)
        self._at("2026-03-10 07:30:00")
        self._at("2026-03-12 08:10:00")
        self.assertEqual(
            self._get_made().mapped("date_from"),
            [date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12)],
        )

    def test_the_first_day_is_that_on_which_the_streak_is_known(self):
        self._start_streak(self.site)
        self._at("2026-03-10 07:30:00")
        self.assertEqual(self._get_made().mapped("date_from"), [date(2026, 3, 10)])

    def test_no_report_on_days_off(self):
        self._start_streak(self.site)
        self.env["resource.calendar.leaves"].create(
            {
                "calendar_id": self.calendar.id,
                "date_from": "2026-03-10 16:00:00",
                "date_to": "2026-03-11 15:59:59",
            }
        )
        for day in (11, 14, 15):
            self._at(f"2026-03-{day} 08:00:00")
        self.assertFalse(self._get_made())
        self._at("2026-03-16 08:00:00")
        self.assertEqual(self._get_made().date_from, date(2026, 3, 16))

    def _work_three_shifts(self):
        """Work from Monday at six round the clock, the last night into Saturday."""
        self.site.calendar_id = self._create_calendar(
            "Three shifts", "Asia/Shanghai", hours=((6, 14), (14, 22), (22, 24))
        )
        self.site.calendar_id.attendance_ids = [
            Command.create(
                {
                    "name": f"Night {day}",
                    "dayofweek": day,
                    "hour_from": 0,
                    "hour_to": 6,
                    "day_period": "morning",
                }
            )
            for day in "12345"
        ]

    def test_end_of_the_night_shift_is_no_working_day(self):
        self._work_three_shifts()
        self._start_streak(self.site)
        for day in range(9, 17):
            self._at(f"2026-03-{day:02} 08:00:00")
        self.assertEqual(
            [report.date_from.day for report in self._get_made()],
            [9, 10, 11, 12, 13, 16],
        )

    def test_weekly_where_they_work_round_the_clock(self):
        self._work_three_shifts()
        self._at("2026-03-13 07:29:00")
        made = self._get_made(kind="weekly")
        self.assertNotIn(date(2026, 3, 9), made.mapped("date_from"))
        self._at("2026-03-13 07:30:00")
        self.assertEqual(
            self._get_made(kind="weekly")[-1].due_at, datetime(2026, 3, 13, 15, 59, 59)
        )
        self.site.calendar_id = self._create_calendar(
            "Whole days", "Asia/Shanghai", hours=((0, 24),)
        )
        self.assertEqual(
            self.site._get_last_working_day(date(2026, 3, 9), date(2026, 3, 15)),
            date(2026, 3, 13),
        )

    def test_hour_of_the_site_over_daylight_saving(self):
        self._start_streak(self.site_de)
        # The clocks of Berlin go forward on 2026-03-29.
        for moment, due in (
            ("2026-03-27 14:31:00", datetime(2026, 3, 27, 14, 30)),
            ("2026-03-30 13:31:00", datetime(2026, 3, 30, 13, 30)),
        ):
            self._at(moment)
            self.assertEqual(self._get_made(self.site_de)[-1].due_at, due)

    def test_leave_with_a_stand_in(self):
        self._make_others()
        self._start_streak(self.site)
        self.posting.date_to = "2026-03-09"
        self._at("2026-03-10 07:30:00")
        report = self._get_made()
        self.assertEqual(report.user_id, self.standin)
        self._send_mails()
        self.assertFalse(self._get_received(self.resident))
        self.assertEqual(len(self._get_received(self.standin)), 1)
        self.assertEqual(report.activity_ids.user_id, self.standin)

    def test_killed_half_way_and_run_again(self):
        self._start_streak(self.site)
        self._start_streak(self.site_b)
        with freeze_time("2026-03-10 07:30:00"):
            wanted = self.reports._get_wanted()
            daily = [values for values in wanted if values["kind"] == "daily"]
            self.assertEqual(len(daily), 2)
            self.reports._try_make(daily[0])
            self._run_cron(CRON_MAKE)
            self._run_cron(CRON_MAKE)
        self.assertEqual(len(self._get_made()), 1)
        self.assertEqual(len(self._get_made(self.site_b)), 1)
        self.assertEqual(self._get_made(self.site_b).company_id, self.company_b)

    def test_one_that_fails_does_not_stop_the_others(self):
        self._start_streak(self.site)
        self._start_streak(self.site_b)
        compile_content = type(self.reports)._compile

        def fail_at_site(reports):
            if reports.site_id == self.site:
                raise ValueError("no content")
            return compile_content(reports)

        self.patch(type(self.reports), "_compile", fail_at_site)
        with self.assertLogs("odoo.addons.quality_resident", "WARNING"):
            self._at("2026-03-10 07:30:00")
        self.assertFalse(self._get_made())
        self.assertEqual(len(self._get_made(self.site_b)), 1)

    def test_weekly_on_the_last_working_day(self):
        self.env["resource.calendar.leaves"].create(
            {
                "calendar_id": self.calendar.id,
                "date_from": "2026-03-12 16:00:00",
                "date_to": "2026-03-13 15:59:59",
            }
        )
        self._at("2026-03-12 07:00:00")
        self.assertFalse(
            self._get_made(kind="weekly").filtered(lambda r: r.date_from.day == 9)
        )
        self._at("2026-03-12 07:30:00")
        report = self._get_made(kind="weekly")[-1]
        self.assertRecordValues(
            report,
            [
                {
                    "date_from": date(2026, 3, 9),
                    "date_to": date(2026, 3, 15),
                    "due_at": datetime(2026, 3, 12, 15, 59, 59),
                    "state": "due",
                }
            ],
        )
        report.with_user(self.resident).action_send()
        self._send_mails()
        self.assertEqual(len(self._get_received(self.manager)), 1)
        self.assertFalse(self._get_received(self.quality))

    def test_monthly_documents(self):
        self._at("2026-02-28 15:59:00")
        self.assertNotIn(
            date(2026, 2, 1), self._get_made(kind="month_quality").mapped("date_from")
        )
        self._at("2026-02-28 16:00:00")
        for kind in ("month_quality", "month_line_stop"):
            report = self._get_made(kind=kind)[-1]
            self.assertRecordValues(
                report,
                [
                    {
                        "date_from": date(2026, 2, 1),
                        "date_to": date(2026, 2, 28),
                        "due_at": datetime(2026, 3, 22, 15, 59, 59),
                    }
                ],
            )
        self._at("2026-03-19 15:00:00")
        self.assertFalse(self._get_events(report, "report_reminder"))
        self._at("2026-03-19 16:00:00")
        self._at("2026-03-20 16:00:00")
        self.assertEqual(len(self._get_events(report, "report_reminder")), 1)
        self._at("2026-03-22 16:00:00")
        self.assertEqual(report.state, "missed")

    def test_month_end_list_of_each_company(self):
        self._at("2026-02-28 05:00:00")
        lists = self.reports.search([("kind", "=", "month_end")])
        ours = lists.filtered(lambda r: r.company_id == self.company_a)
        theirs = lists.filtered(lambda r: r.company_id == self.company_b)
        self.assertEqual((len(ours), len(theirs)), (1, 1))
        self.assertEqual(ours.user_id, self.manager)
        self.assertEqual(ours.date_to, date(2026, 2, 28))
        self._send_mails()
        self.mailbox.mails.clear()
        with freeze_time("2026-02-28 06:00:00"):
            ours.with_user(self.manager).action_send()
        self._send_mails()
        self.assertEqual(self._get_addresses(), [self.gm.email])

    def test_what_is_sent_is_no_longer_asked_for(self):
        self._make_others()
        self._start_streak(self.site)
        self._at("2026-03-10 07:30:00")
        report = self._get_made()
        with freeze_time("2026-03-10 07:31:00"):
            report.with_user(self.resident).action_send()
        self._send_mails()
        self.assertFalse(self._get_received(self.resident))

    def test_work_of_the_job_does_not_grow_with_reports(self):
        self._start_streak(self.site)
        self._at("2026-03-10 07:30:00")

        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            with freeze_time("2026-03-10 07:31:00"):
                self.assertFalse(self.reports._get_wanted())
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        for day in range(1, 8):
            self._create_report(self.manager, date_from=f"2026-02-{day:02}")
        self.assertLessEqual(count(), few)
