from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestReportPhoneTour(TourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_a_line_added_and_sent_on_the_phone(self):
        report = (
            self.env["resident.report"]
            .with_user(self.resident)
            .create({"site_id": self.site.id, "lang": "en_US"})
        )
        self.start_tour(
            f"/odoo/reports/{report.id}",
            "quality_resident_send_report",
            login="tour_resident",
        )
        self.assertRecordValues(
            report, [{"state": "sent", "remark": "Sorting goes on tomorrow"}]
        )
        self.assertTrue(report.pdf_id)
