from odoo.tests import tagged

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class Test8dTours(TourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_resident_makes_an_8d_on_the_phone(self):
        contact = self.env["resident.contact"].create(
            {
                "site_id": self.site.id,
                "partner_id": self.env["res.partner"].create({"name": "Tour SQE"}).id,
            }
        )
        complaint = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .create(
                {
                    "part_id": self.part.id,
                    "defect_id": self.defect.id,
                    "contact_id": contact.id,
                }
            )
        )
        self.start_tour(
            f"/odoo/complaints/{complaint.id}",
            "quality_resident_8d_on_phone",
            login="tour_resident",
        )
        self.assertRecordValues(
            complaint.eightd_id.cause_ids,
            [
                {
                    "branch": "occurrence",
                    "why_1": "The die is worn",
                    "name": "Tool life is not counted",
                },
                {
                    "branch": "detection",
                    "why_1": "Checked by eye",
                    "name": "No gauge at the line",
                },
            ],
        )
