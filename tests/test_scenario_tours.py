from odoo.tests import new_test_user, tagged

from .test_tours import TourCase

# Seconds for the tour of one person on a slow machine.
TIMEOUT = 180


@tagged("post_install", "-at_install")
class TestScenarioTours(TourCase):
    """A complaint's whole life in the browser, by the four people who live it."""

    browser_size = "390x844"
    touch_enabled = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quality = new_test_user(
            cls.env, "tour_quality", "quality_resident.group_quality"
        )
        cls.quality.odoobot_state = "disabled"
        cls.site.quality_user_ids = cls.quality
        cls.env["resident.contact"].create(
            {
                "site_id": cls.site.id,
                "partner_id": cls.customer.create({"name": "Tour Li Wei"}).id,
                "role": "sqe",
            }
        )
        # One place of ours, one of the customer's.
        places = cls.site.place_ids
        by_kind = {place.kind: place for place in places}
        places.must_screen = False
        (by_kind["buffer"] + by_kind["warehouse"]).must_screen = True
        by_kind["warehouse"].name = "Tour Store"
        cls.part.place_id = by_kind["warehouse"]
        cls.product = cls.part.product_id
        cls.env["stock.quant"]._update_available_quantity(
            cls.product, cls.site.buffer_location_id, 10
        )
        (cls.env["quality.defect"].search([]) - cls.defect).active = False

    def _at_desk(self, path, tour, login):
        self.browser_size = "1280x800"
        self.touch_enabled = False
        self.start_tour(path, tour, login=login, timeout=TIMEOUT)

    def _get_stock(self, location):
        self.env.invalidate_all()
        return self.env["stock.quant"]._get_available_quantity(self.product, location)

    def test_from_the_call_to_the_closing(self):
        self.start_tour(
            "/odoo/complaints",
            "quality_resident_scenario_resident",
            login="tour_resident",
            timeout=TIMEOUT,
        )
        complaint = self.env["quality.complaint"].search(
            [("site_id", "=", self.site.id)]
        )
        self.assertEqual(complaint.state, "contained")
        self.assertRecordValues(
            complaint.sorting_ids,
            [{"qty_checked": 10, "qty_good": 8, "qty_suspect": 2}],
        )
        self.assertEqual(self._get_stock(self.site.buffer_location_id), 8)
        self.assertEqual(self._get_stock(self.site.suspect_location_id), 2)
        mark = complaint.breakpoint_ids
        self.assertEqual(mark.state, "watching")
        request = complaint.scrap_request_ids
        self.assertEqual(request.requested_by_id, self.resident)
        self.assertRecordValues(
            complaint.service_sheet_ids, [{"state": "signed", "is_intact": True}]
        )
        measure = self.env["quality.measure"].create(
            {
                "complaint_id": complaint.id,
                "kind": "permanent",
                "name": "New die",
                "user_id": self.quality.id,
            }
        )
        self._at_desk(
            f"/odoo/measures/{measure.id}",
            "quality_resident_scenario_quality",
            "tour_quality",
        )
        self.assertEqual(measure.state, "done")
        self.assertEqual(request.state, "signing", "one signature is not enough")
        self._at_desk(
            "/odoo/scrap-to-sign", "quality_resident_agree_to_scrap", "tour_sales"
        )
        self.assertEqual(request.state, "done")
        self.assertEqual(request.signature_ids.user_id, self.quality + self.sales)
        self.assertEqual(self._get_stock(self.site.suspect_location_id), 0)

        # As if it had been watched for its shift.
        mark._write_protected({"watch_until": mark.online_at})
        self._at_desk(
            f"/odoo/complaints/{complaint.id}",
            "quality_resident_scenario_manager",
            "tour_manager",
        )
        self.assertEqual(complaint.state, "closed")
        self.assertEqual(measure.verified_by_id, self.manager)
        self.assertEqual(mark.state, "holds")
