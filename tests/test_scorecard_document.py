"""The scorecard on paper, in a spreadsheet and on the screen."""

import io
import re
import zipfile
from datetime import date

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_figures import FEBRUARY, FigureCommon
from .test_scorecard import ScorecardCommon

REPORT = "quality_resident.action_report_scorecard"


@tagged("post_install", "-at_install")
class TestScorecardDocument(ScorecardCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card = cls.cards._create_protected(
            [
                {
                    "site_id": cls.site.id,
                    "month": date(2026, number, 1),
                    "delivered_qty": 10000 * number,
                    "bad_qty": 2,
                    "critical_count": number - 1,
                    "computed_at": "2026-03-01",
                }
                for number in (1, 2)
            ]
        )[1].with_env(cls.env)
        cls.card._rate()
        cls.card.write({"customer_rating": "C", "customer_ppm": 150.5})

    def _get_html(self, lang="en_US"):
        report = self.env.ref(REPORT).with_context(document_lang=lang)
        html, _kind = report._render_qweb_html(report.report_name, self.card.ids)
        return html.decode()

    def test_document(self):
        html = self._get_html()
        for words in (
            "February 2026",
            "Plant TSTCN",
            "20,000",
            "150.5",
            "50.5",
            "Critical complaints",
            "General Rule V1",
        ):
            self.assertIn(words, html)
        # Two charts, as vectors.
        self.assertEqual(html.count("<svg"), 2)

    def test_in_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["quality_resident"], ["zh_CN"])
        text = re.sub(r"<[^>]+>|\s", "", self._get_html("zh_CN"))
        for words in ("记分卡", "2026年2月", "致命抱怨", "停线"):
            self.assertIn(words, text)

    def test_what_the_user_writes_is_no_markup(self):
        self.card.comment = "<b>late</b>"
        self.card.gap_reason = "<script>"
        html = self._get_html()
        self.assertIn("&lt;b&gt;late", html)
        self.assertNotIn("<script>", html)

    def test_spreadsheet(self):
        """Numbers are numbers, what is not known is blank, the chart is its own."""
        report = self.env.ref("quality_resident.action_report_scorecard_xlsx")
        self._create_card(self.site_de)
        cards = self.cards.search([("site_id", "in", self.sites.ids)])
        content, kind = report.with_user(self.manager)._render_xlsx(
            report.report_name, cards.ids, {}
        )
        self.assertEqual(kind, "xlsx")
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            names = book.namelist()
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            chart = book.read("xl/charts/chart1.xml").decode()
        self.assertIn("xl/charts/chart2.xml", names)
        # January and February, PPM 200 and 100.
        self.assertRegex(sheet, r'<c r="H2"[^>]*><v>200</v>')
        self.assertRegex(sheet, r'<c r="H3"[^>]*><v>100</v>')
        self.assertRegex(sheet, r'<c r="A3"[^>]*><v>46054</v>')
        self.assertNotIn('<c r="J2"><v>', sheet)
        self.assertIn("TSTCN", chart)

    def test_spreadsheet_of_another_company(self):
        theirs = self._create_card(self.site_b)
        report = self.env.ref("quality_resident.action_report_scorecard_xlsx")
        with self.assertRaises(AccessError):
            report.with_user(self.manager)._render_xlsx(
                report.report_name, theirs.ids, {}
            )


@tagged("post_install", "-at_install")
class TestScorecardFigures(FigureCommon):
    """From moves, complaints and 8D reports to the scorecard."""

    def test_month_from_its_records(self):
        self._deliver(1, "2026-01-31 15:59:59")
        self._deliver(20000, "2026-01-31 16:00:00")
        self._deliver(500, "2026-02-20 08:00:00", back=True)
        with self._at("2026-02-10 02:00:00"):
            first = self._create_complaint(
                called_at="2026-02-10 01:00:00",
                severity="major",
                line_stop_minutes=6,
                defect_id=self.defect.id,
            )
            first.action_create_8d()
            self._create_complaint(called_at="2026-02-10 01:30:00", severity="minor")
        with self._at("2026-03-01 02:00:00"):
            card = self.env["quality.scorecard"].create(
                {"site_id": self.site.id, "month": "2026-02-01"}
            )
        self.assertRecordValues(
            card,
            [
                {
                    "delivered_qty": 19500,
                    "complaint_count": 2,
                    "major_count": 1,
                    "minor_count": 1,
                    "line_stop_minutes": 6,
                    # 3D the day after, 8D ten working days later: none was sent.
                    "answer_count": 2,
                    "answer_on_time": 0,
                    "month": FEBRUARY,
                }
            ],
        )
        # 100 - 8 - 3 - 6 / 3 - 10 and nothing for PPM.
        self.assertEqual((card.ppm, card.score, card.rating), (0, 77, "C"))

    def test_complaint_that_is_not_ours_wants_no_answer(self):
        with self._at("2026-02-10 02:00:00"):
            complaint = self._create_complaint()
            complaint.action_create_8d()
            complaint.with_user(self.manager).action_cancel("Entered in error")
        with self._at("2026-03-01 02:00:00"):
            card = self.env["quality.scorecard"].create(
                {"site_id": self.site.id, "month": "2026-02-01"}
            )
        self.assertEqual((card.complaint_count, card.answer_count), (0, 0))

    def test_recurring_complaint_costs_twice(self):
        with self._at("2026-02-10 02:00:00"):
            closed = self._create_in_state("closed", severity="major")
        with self._at("2026-02-20 02:00:00"):
            self._create_complaint(defect_id=closed.defect_id.id, severity="major")
        with self._at("2026-03-01 02:00:00"):
            card = self.env["quality.scorecard"].create(
                {"site_id": self.site.id, "month": "2026-02-01"}
            )
        self.assertEqual((card.recurrence_count, card.major_repeat_count), (1, 1))
        self.assertEqual(card.score, 100 - 8 * 2 - 8)

    def test_queries_do_not_grow_with_sites(self):
        cards = self.env["quality.scorecard"]
        sites = self.site.concat(
            *(
                self._create_site(f"FLAT{number}", calendar_id=self.calendar.id)
                for number in range(10)
            )
        )

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            some.mapped("calendar_id.tz")
            before = self.env.cr.sql_log_count
            cards._get_inputs(some, FEBRUARY)
            self.env["quality.rating.rule"]._find_current(some)
            return self.env.cr.sql_log_count - before

        count(sites)
        self.assertEqual(count(sites[:2]), count(sites))
