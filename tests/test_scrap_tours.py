from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .test_tours import TourCase


class ScrapTourCase(TourCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quality = new_test_user(
            cls.env, "tour_quality", "quality_resident.group_quality"
        )
        cls.quality.odoobot_state = "disabled"
        cls.site.quality_user_ids = [Command.link(cls.quality.id)]
        cls.env["stock.quant"]._update_available_quantity(
            cls.part.product_id, cls.site.suspect_location_id, 5
        )
        cls.request = (
            cls.env["quality.scrap.request"]
            .with_user(cls.resident)
            .create(
                {
                    "site_id": cls.site.id,
                    "line_ids": [
                        Command.create(
                            {"product_id": cls.part.product_id.id, "quantity": 3}
                        )
                    ],
                }
            )
        )


@tagged("post_install", "-at_install")
class TestScrapPhoneTour(ScrapTourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_requested_and_agreed_on_the_phone(self):
        self.start_tour(
            f"/odoo/scrap-requests/{self.request.id}",
            "quality_resident_request_scrap",
            login="tour_resident",
        )
        for login in ("tour_quality", "tour_sales"):
            self.start_tour(
                "/odoo/scrap-to-sign", "quality_resident_agree_to_scrap", login=login
            )
        self.assertEqual(self.request.state, "done")
        self.assertEqual(
            set(self.request.signature_ids.mapped("comment")), {"Seen the photos"}
        )


@tagged("post_install", "-at_install")
class TestScrapDeskTour(ScrapTourCase):
    browser_size = "1280x800"

    def test_sales_refuses(self):
        self.request.reason = "Torn"
        self.request.with_user(self.resident).action_submit()
        self.start_tour(
            "/odoo/scrap-to-sign", "quality_resident_refuse_scrap", login="tour_sales"
        )
        self.assertEqual(self.request.state, "refused")
