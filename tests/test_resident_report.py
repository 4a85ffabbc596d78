from datetime import date, datetime
from io import BytesIO

from openpyxl import load_workbook
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tests.common import freeze_time
from odoo.tools import mute_logger

from .common import ResidentCommon


class ReportCommon(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time("2026-03-10 04:00:00"))
        cls.reports = cls.env["resident.report"]
        # Sites of other data would only make more reports.
        cls.env["resident.site"].search(
            [("id", "not in", (cls.site + cls.site_de + cls.site_b).ids)]
        ).action_archive()

    @classmethod
    def _start_streak(cls, site, day="2026-03-01"):
        """The ratings set it; the tests of those are in test_rating.py."""
        gate = cls.env["quality.workflow.mixin"]._with_gate()
        site.with_env(gate.env).streak_since = day

    @classmethod
    def _create_report(cls, user=None, **values):
        return (
            cls.reports.with_user(user or cls.resident)
            .create({"site_id": cls.site.id, **values})
            .with_env(cls.env)
        )


@tagged("post_install", "-at_install")
class TestReport(ReportCommon):
    def test_a_report_made_by_hand_is_compiled(self):
        complaint = self._create_complaint(called_at="2026-03-10 02:00:00")
        report = self._create_report()
        self.assertRecordValues(
            report,
            [
                {
                    "kind": "daily",
                    "state": "due",
                    "user_id": self.resident.id,
                    "company_id": self.company_a.id,
                    "date_from": date(2026, 3, 10),
                    "date_to": date(2026, 3, 10),
                    "due_at": False,
                    "covers_from": datetime(2026, 3, 9, 16),
                    "covers_until": datetime(2026, 3, 10, 4),
                }
            ],
        )
        self.assertIn(complaint.name, report.content)

    def test_periods(self):
        for kind, day, first, last in (
            ("weekly", "2026-03-08", date(2026, 3, 2), date(2026, 3, 8)),
            ("month_quality", "2026-02-10", date(2026, 2, 1), date(2026, 2, 28)),
            ("month_quality", "2024-02-29", date(2024, 2, 1), date(2024, 2, 29)),
            ("month_line_stop", "2025-12-31", date(2025, 12, 1), date(2025, 12, 31)),
        ):
            report = self._create_report(kind=kind, date_from=day)
            self.assertEqual((report.date_from, report.date_to), (first, last))

    def test_one_report_for_each_period(self):
        self._create_report(kind="weekly", date_from="2026-03-02")
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._create_report(kind="weekly", date_from="2026-03-08")

    def test_bad_input_names_the_field(self):
        with self._assert_refused("From", error=ValidationError):
            self._create_report(date_from="2026-03-12")
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._create_report(self.manager, site_id=False)

    def test_the_remark_stays_when_compiled_again(self):
        report = self._create_report()
        report.with_user(self.resident).write(
            {"remark": "All quiet", "content": "<p>Mine</p>"}
        )
        complaint = self._create_complaint(called_at="2026-03-10 02:00:00")
        report.with_user(self.resident).action_compile()
        self.assertEqual(report.remark, "All quiet")
        self.assertIn(complaint.name, report.content)
        self.assertNotIn("Mine", report.content)

    def test_sent_once_and_kept(self):
        reports = self._create_report() + self._create_report(
            date_from="2026-03-09", remark="Monday"
        )
        reports.with_user(self.resident).action_send()
        self.assertEqual(reports.mapped("state"), ["sent", "sent"])
        self.assertEqual(reports.sent_by_id, self.resident)
        self.assertEqual(len(reports.pdf_id), 2)
        resident = reports[0].with_user(self.resident)
        for refused in (
            resident.action_send,
            resident.action_compile,
            lambda: resident.write({"remark": "Later"}),
            lambda: resident.write({"content": "Later"}),
            lambda: reports.pdf_id.with_user(self.manager).write({"raw": b"x"}),
            lambda: reports.pdf_id.with_user(self.manager).unlink(),
            lambda: reports.with_user(self.manager).unlink(),
        ):
            with self._assert_refused():
                refused()
        self.assertEqual(len(self._get_events(reports, "report_daily")), 2)

    def test_movement_goes_on_where_the_last_one_ended(self):
        first = self._create_report(date_from="2026-03-10")
        first.with_user(self.resident).action_send()
        with freeze_time("2026-03-11 07:30:00"):
            evening = self._create_complaint(called_at="2026-03-10 11:00:00")
            second = self._create_report(date_from="2026-03-11")
            self.assertEqual(second.covers_from, first.covers_until)
            self.assertIn(evening.name, second.content)
            self.assertNotIn(evening.name, first.content)

    def test_protected_fields_are_refused(self):
        report = self._create_report()
        for user in (self.resident, self.manager, self.admin):
            for name, value in (
                ("state", "sent"),
                ("sent_at", "2026-03-10 01:00:00"),
                ("due_at", "2026-03-20 01:00:00"),
                ("is_late", True),
                ("data", {"sections": []}),
                ("pdf_id", False),
                ("company_id", self.company_b.id),
                ("date_from", "2026-01-01"),
                ("kind", "weekly"),
            ):
                with self.subTest(user=user.login, name=name), self._assert_refused():
                    report.with_user(user).write({name: value})
        with self._assert_refused():
            self._create_report(date_from="2026-03-02", state="sent")
        report.with_user(self.resident).with_context(quality_workflow_gate=True).write(
            {"remark": "x"}
        )
        with self._assert_refused():
            report.with_user(self.resident).with_context(
                quality_workflow_gate=True
            ).write({"state": "sent"})

    def test_responsible_works_for_customer_sites(self):
        report = self._create_report()
        with self._assert_refused(self.outsider.name, error=ValidationError):
            report.with_user(self.resident).user_id = self.outsider
        report.with_user(self.resident).user_id = self.manager

    def test_who_may_send(self):
        report = self._create_report()
        for user in (
            self.resident_de,
            self.resident_b,
            self.quality,
            self.sales,
            self.gm,
            self.manager_b,
            self.outsider,
        ):
            with self.subTest(user=user.login), self._assert_refused(error=AccessError):
                report.with_user(user).action_send()
        report.with_user(self.manager).action_send()
        self.assertEqual(report.sent_by_id, self.manager)

    def test_responsible_is_who_is_there(self):
        self.assertEqual(self._create_report(self.manager).user_id, self.resident)
        self.posting.date_to = "2026-03-06"
        on_leave = self._create_report(self.manager, date_from="2026-03-09")
        self.assertEqual(on_leave.user_id, self.standin)
        self.posting_standin.date_to = "2026-03-06"
        self.assertEqual(
            self._create_report(self.manager, date_from="2026-03-08").user_id,
            self.manager,
        )

    def test_leave_of_his_own_shift(self):
        shift = self._create_calendar("Early", "Asia/Shanghai")
        self.posting.calendar_id = shift
        self.env["resource.calendar.leaves"].create(
            {
                "calendar_id": shift.id,
                "date_from": "2026-03-08 16:00:00",
                "date_to": "2026-03-10 15:59:59",
            }
        )
        self.assertEqual(self._create_report(self.manager).user_id, self.standin)

    def test_two_languages(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.resident.lang = "zh_CN"
        report = self._create_report(self.manager)
        self.assertEqual(report.lang, "zh_CN")
        self.assertEqual(report.data["sections"][0]["title"], "概览")
        report.with_user(self.resident).lang = "en_US"
        report.with_user(self.resident).action_compile()
        self.assertEqual(report.data["sections"][0]["title"], "At a glance")

    def test_month_end_holds_all_sites_of_the_company(self):
        ours = self._create_complaint(called_at="2026-03-02 02:00:00")
        theirs = self._create_complaint(
            self.resident_b, site_id=self.site_b.id, called_at="2026-03-02 02:00:00"
        )
        german = self._create_complaint(
            self.resident_de, site_id=self.site_de.id, called_at="2026-03-02 02:00:00"
        )
        report = self._create_report(self.manager, kind="month_end", site_id=False)
        self.assertEqual(report.company_id, self.company_a)
        self.assertIn(ours.name, report.content)
        self.assertIn(german.name, report.content)
        self.assertNotIn(theirs.name, report.content.replace(ours.name, ""))
        self.assertFalse(report.with_user(self.resident).has_access("read"))
        self.assertFalse(report.with_user(self.gm_b).has_access("read"))
        self.assertTrue(report.with_user(self.gm).has_access("read"))

    def test_line_stops_of_the_month(self):
        for day, minutes, reason in ((3, 30, "No parts"), (20, 15, "Wrong parts")):
            self._create_complaint(
                called_at=f"2026-02-{day:02} 20:00:00",
                line_stop_minutes=minutes,
                line_stop_reason=reason,
            )
        report = self._create_report(kind="month_line_stop", date_from="2026-02-01")
        sections = {s["title"]: s["rows"] for s in report.data["sections"]}
        # 20:00 UTC is the next day at the site.
        self.assertEqual([row[1:] for row in sections["By day"]], [[30, 30], [15, 45]])
        self.assertEqual(sections["By day"][0][0], {"date": "2026-02-04"})
        self.assertEqual(sections["By reason"], [["No parts", 30], ["Wrong parts", 15]])
        self.assertIn("<svg", report.charts)

    def test_workbook(self):
        self._create_complaint(
            called_at="2026-02-03 02:00:00",
            line_stop_minutes=30,
            line_stop_reason="=1+1",
        )
        reports = self._create_report(
            kind="month_line_stop", date_from="2026-02-01"
        ) + self._create_report(kind="month_quality", date_from="2026-02-01")
        content, kind = self.env["ir.actions.report"]._render(
            "quality_resident.report_resident_report_xlsx", reports.ids
        )
        self.assertEqual(kind, "xlsx")
        book = load_workbook(BytesIO(content))
        self.assertEqual(len(book.worksheets), 4)
        cells = [cell.value for row in book.worksheets[0].iter_rows() for cell in row]
        self.assertIn(datetime(2026, 2, 3), cells)
        self.assertIn(30, cells)
        self.assertIn("=1+1", cells)
        self.assertFalse(
            [
                cell
                for sheet in book.worksheets
                for row in sheet.iter_rows()
                for cell in row
                if cell.data_type == "f"
            ]
        )
        self.assertEqual(len(book.worksheets[1]._charts), 3)

    def test_delivered_quality_of_the_month(self):
        self._create_complaint(
            called_at="2026-02-27 20:00:00",
            quantity=3,
            problem_type="quality",
            defect_id=self.defect.id,
        )
        # Midnight of 28 February has passed at the site: this is March's.
        self._create_complaint(
            called_at="2026-02-28 20:00:00", quantity=5, problem_type="quality"
        )
        report = self._create_report(kind="month_quality", date_from="2026-02-01")
        sections = {s["title"]: s["rows"] for s in report.data["sections"]}
        figures = self.env["quality.figure"]._get_month_figures(
            self.site, report.date_from
        )
        values = figures[self.site, report.date_from]
        rows = dict(sections["At a glance"])
        self.assertEqual(rows["Bad parts"], 3)
        self.assertEqual(values["bad_qty"], 3)
        self.assertIsNone(rows["PPM"])
        self.assertEqual(sections["By product"][0][2], 3)
        self.assertEqual(sections["By week"], [["2026-W09", 0, 3, 0, None]])
        self.assertEqual(report.charts.count("<svg"), 3)

    def test_weekly_pareto(self):
        for defect, quantity in ((self.defect, 2), (self.defect_2, 5)):
            self._create_complaint(
                called_at="2026-03-10 02:00:00",
                quantity=quantity,
                problem_type="quality",
                defect_id=defect.id,
            )
        report = self._create_report(kind="weekly")
        sections = {s["title"]: s["rows"] for s in report.data["sections"]}
        self.assertEqual(
            sections["Defects"], [[self.defect_2.name, 5], [self.defect.name, 2]]
        )
        self.assertEqual(len(sections["PPM by month"]), 6)

    def test_the_overdue_are_named(self):
        complaint = self._create_complaint(called_at="2026-03-09 02:00:00")
        report = self._create_report()
        overdue = next(
            s["rows"] for s in report.data["sections"] if s["title"] == "Overdue"
        )
        self.assertIn(complaint.display_name, [row[0] for row in overdue])

    def test_print(self):
        report = self._create_report(kind="month_line_stop", date_from="2026-02-01")
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "quality_resident.report_resident_report", report.ids
        )
        self.assertIn(b"<svg", html)
        self.assertIn(b"Line stops", html)

    def test_queries_do_not_grow_with_the_records(self):
        def compile_again():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            report.action_compile()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        report = self._create_report()
        for number in range(3):
            self._create_complaint(called_at="2026-03-10 02:00:00", quantity=number)
        compile_again()
        few = compile_again()
        for number in range(20):
            self._create_complaint(called_at="2026-03-10 02:00:00", quantity=number)
        self.assertLessEqual(compile_again(), few + 1)
