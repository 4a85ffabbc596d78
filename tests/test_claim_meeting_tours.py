from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .test_tours import TourCase


class MeetingTourCase(TourCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quality = new_test_user(
            cls.env, "tour_quality", "quality_resident.group_quality"
        )
        cls.quality.odoobot_state = "disabled"
        cls.site.quality_user_ids = cls.quality
        cls.contact = cls.env["resident.contact"].create(
            {
                "site_id": cls.site.id,
                "partner_id": cls.env["res.partner"].create({"name": "Tour Li Wei"}).id,
                "role": "sqe",
            }
        )
        cls.claim = cls.env["quality.claim"].create(
            {
                "site_id": cls.site.id,
                "line_ids": [
                    Command.create(
                        {
                            "product_id": cls.part.product_id.id,
                            "vin": f"LFV2A21K3P400000{number}",
                            "price_unit": 100,
                        }
                    )
                    for number in range(3)
                ],
            }
        )
        cls.claim.action_judge()


@tagged("post_install", "-at_install")
class TestMeetingPhoneTour(MeetingTourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_resident_judges_and_the_customer_signs(self):
        self.start_tour(
            f"/odoo/claims/{self.claim.id}",
            "quality_resident_claim_on_phone",
            login="tour_resident",
        )
        lines = self.claim.line_ids
        self.assertEqual(lines.mapped("responsibility"), ["ours", "theirs", "shared"])
        self.assertEqual(set(lines.mapped("customer_judge")), {"Ms Wu"})
        self.assertEqual(lines.mapped("judge_note"), ["Lip torn", False, False])
        self.assertEqual(lines.judged_by_id, self.resident)
        sheet = self.claim.sheet_ids
        self.assertEqual((sheet.state, sheet.signed_by), ("signed", "Tour Li Wei"))
        self.assertTrue(sheet.is_intact)


@tagged("post_install", "-at_install")
class TestMeetingDesktopTour(MeetingTourCase):
    def test_quality_judges_a_selection(self):
        self.start_tour(
            "/odoo/claim-parts",
            "quality_resident_claim_parts",
            login="tour_quality",
        )
        self.assertEqual(set(self.claim.line_ids.mapped("responsibility")), {"theirs"})
