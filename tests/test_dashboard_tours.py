from odoo.fields import Command
from odoo.tests import tagged

from .test_tours import TourCase


class DashboardTourCase(TourCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site.ppm_target = 500
        env = cls.env(user=cls.resident)
        env["quality.complaint"].create(
            {"part_id": cls.part.id, "defect_id": cls.defect.id}
        )
        cls.env["stock.quant"]._update_available_quantity(
            cls.part.product_id, cls.site.suspect_location_id, 5
        )
        line = {"product_id": cls.part.product_id.id, "quantity": 2}
        document = env["quality.return"].create(
            {"reason": "Torn", "line_ids": [Command.create(line)]}
        )
        document.action_request()
        claim = env["quality.claim"].create(
            {"line_ids": [Command.create({**line, "price_unit": 60})]}
        )
        claim.action_judge()


@tagged("post_install", "-at_install")
class TestDashboardPhoneTour(DashboardTourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_resident_on_the_phone(self):
        self.start_tour(
            "/odoo/overview", "quality_resident_overview", login="tour_resident"
        )


@tagged("post_install", "-at_install")
class TestDashboardDeskTour(DashboardTourCase):
    browser_size = "1280x800"

    def test_resident_at_the_desk(self):
        self.start_tour(
            "/odoo/overview", "quality_resident_overview", login="tour_resident"
        )

    def test_start_page(self):
        root = self.env.ref("quality_resident.quality_resident_menu_root").id
        action = self.env.ref("quality_resident.quality_dashboard_action")
        for user in (self.resident, self.sales, self.manager):
            menus = self.env["ir.ui.menu"].with_user(user).load_web_menus(False)
            self.assertEqual(menus[root]["actionID"], action.id)

    def test_loaded_only_when_opened(self):
        """The overview is no part of what every page of the client loads."""
        assets = self.env["ir.asset"]
        for bundle, wanted in (
            ("web.assets_backend", False),
            ("quality_resident.assets_dashboard", True),
        ):
            paths = [path for path, *_rest in assets._get_asset_paths(bundle, {})]
            found = any("quality_resident/static/src/dashboard/" in p for p in paths)
            self.assertEqual(found, wanted, bundle)
