from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import make_jpeg
from .test_tours import TourCase


class ReturnTourCase(TourCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quality = new_test_user(
            cls.env, "tour_quality", "quality_resident.group_quality"
        )
        cls.quality.odoobot_state = "disabled"
        cls.site.quality_user_ids = cls.quality
        cls.product = cls.part.product_id
        cls.suspect = cls.site.suspect_location_id
        cls.env["stock.quant"]._update_available_quantity(cls.product, cls.suspect, 4)


@tagged("post_install", "-at_install")
class TestReturnPhoneTour(ReturnTourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_resident_requests(self):
        photo = self.env["ir.attachment"].create({"name": "x.jpg", "raw": make_jpeg()})
        complaint = self.env["quality.complaint"].create(
            {
                "site_id": self.site.id,
                "part_id": self.part.id,
                "defect_id": self.defect.id,
                "problem_type": "quality",
                "quantity": 4,
                "suspect_area": "x",
                "interim_measure": "x",
                "breakpoint_note": "x",
                "talk_result": "x",
                "description": "Scratch",
                "photo_ids": photo.ids,
            }
        )
        complaint.action_arrive()
        complaint.action_send_feedback()
        self.start_tour(
            f"/odoo/complaints/{complaint.id}",
            "quality_resident_return_on_phone",
            login="tour_resident",
        )
        document = complaint.return_ids
        self.assertRecordValues(
            document,
            [
                {
                    "state": "requested",
                    "requested_by_id": self.resident.id,
                    "reason": "Cannot be reworked",
                }
            ],
        )
        self.assertRecordValues(
            document.line_ids,
            [{"quantity": 4, "location_id": self.suspect.id}],
        )


@tagged("post_install", "-at_install")
class TestReturnDeskTour(ReturnTourCase):
    browser_size = "1280x800"

    def test_quality_judges(self):
        document = (
            self.env["quality.return"]
            .with_user(self.resident)
            .create(
                {
                    "site_id": self.site.id,
                    "reason": "Cannot be reworked",
                    "line_ids": [
                        Command.create({"product_id": self.product.id, "quantity": 4})
                    ],
                }
            )
        )
        document.action_request()
        document.with_user(self.quality).action_approve()
        document.action_ship()
        self.start_tour(
            f"/odoo/returns/{document.id}",
            "quality_resident_quality_judges",
            login="tour_quality",
        )
        self.assertEqual(document.state, "closed")
        self.assertRecordValues(
            document.judgement_ids,
            [{"judgement": "stock", "quantity": 4, "user_id": self.quality.id}],
        )
